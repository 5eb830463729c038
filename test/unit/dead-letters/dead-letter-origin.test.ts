import {describe, expect, it} from 'vitest';
import {deadLetterOrigin, deadLetterStream, ownFields} from '../../../src/lib/dead-letters/dead-letter-origin.js';

it('the dead letter stream of events is {events}:dead', () => {
  expect(deadLetterStream('events')).toBe('{events}:dead');
});

describe('where a dead letter came from', () => {
  const fields = [
    ['type', 'login'],
    ['_dlq_stream', 'events'],
    ['_dlq_reason', Buffer.from([0xff])],
    ['_dlq_note', 'mine'],
  ] as const;

  it('is undefined where the entry does not say, and text where it does', () => {
    expect(deadLetterOrigin(fields)).toMatchObject({
      stream: 'events',
      reason: '\udcff',
      group: undefined,
      deaths: undefined,
    });
    expect(deadLetterOrigin([])).toMatchObject({stream: undefined});
  });

  it('is told apart from what the entry held before', () => {
    expect(ownFields(fields)).toEqual([
      ['type', 'login'],
      ['_dlq_note', 'mine'],
    ]);
  });
});

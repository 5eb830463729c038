import {expect, it} from 'vitest';
import {isFailure, StreamlogError, usageError} from '../../src/lib/errors.js';

it('carries its kind, its line, its hint and the word of whoever refused', () => {
  const cause = new Error('why');
  const error = new StreamlogError('notFound', 'no stream "a"', {hint: 'see: streamlog ls', code: 'NOSTREAM', cause});
  expect(error).toMatchObject({
    name: 'StreamlogError',
    kind: 'notFound',
    message: 'no stream "a"',
    hint: 'see: streamlog ls',
    code: 'NOSTREAM',
    cause,
  });
});

it('tells a failure of one kind from all else that is thrown', () => {
  const error = usageError('wrong', 'right');
  expect(isFailure(error, 'usage')).toBe(true);
  expect(error.hint).toBe('right');
  expect(isFailure(error, 'data')).toBe(false);
  expect(isFailure(new Error('wrong'), 'usage')).toBe(false);
  expect(isFailure({kind: 'usage'}, 'usage')).toBe(false);
  expect(isFailure(undefined, 'usage')).toBe(false);
});

import {expect, test} from 'vitest';
import {typedTargets} from '../../../src/lib/cli/id-input.js';
import type {IdReference} from '../../../src/lib/input/id-reader.js';
import {refuseOtherTargets} from '../../../src/lib/input/typed-targets.js';

async function* of(...batches: IdReference[][]): AsyncGenerator<IdReference[], void, void> {
  yield* batches;
}

test('nothing of the batch with such a record is passed on, nor anything behind it', async () => {
  const before = [{id: '1-0'}, {id: '2-0', stream: 'a'}];
  const passed: IdReference[][] = [];
  const read = async (): Promise<void> => {
    const batches = of(before, [{id: '3-0'}, {id: '4-0', stream: 'b'}], [{id: '5-0'}]);
    for await (const batch of refuseOtherTargets(batches, {stream: 'a'})) passed.push(batch);
  };
  await expect(read()).rejects.toMatchObject({
    kind: 'data',
    message: 'the record of entry 4-0 is of stream "b", not of "a"',
  });
  expect(passed).toEqual([before]);
});

test.each(['stream', 'group', 'consumer'] as const)(
  'a record without a %s, and any where none was typed, passes',
  async (name) => {
    const batch = [{id: '1-0'}, {id: '2-0', [name]: 'b'}];
    for await (const passed of refuseOtherTargets(of(batch), {})) expect(passed).toEqual(batch);
    for await (const passed of refuseOtherTargets(of([{id: '1-0'}]), {[name]: 'a'})) expect(passed).toHaveLength(1);
  },
);

test.each(['stream', 'group', 'consumer'] as const)(
  'a record of another %s than was typed is refused',
  async (name) => {
    const read = refuseOtherTargets(of([{id: '1-0', [name]: 'b'}]), {[name]: 'a'}).next();
    await expect(read).rejects.toMatchObject({
      kind: 'data',
      message: `the record of entry 1-0 is of ${name} "b", not of "a"`,
    });
  },
);

test('only what stands on the command line was typed', () => {
  const flags = {stream: 'events', group: 'streamlog', consumer: undefined};
  const raw = [
    {type: 'arg', flag: undefined},
    {type: 'flag', flag: 'group'},
  ];
  expect(typedTargets(flags, raw)).toEqual({stream: undefined, group: 'streamlog', consumer: undefined});
});

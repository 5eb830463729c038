import {expect} from 'vitest';

/** What standard error says of a stream that does not exist; which hint follows depends on what the server has. */
export const noStream = (name: string): unknown =>
  expect.stringMatching(
    new RegExp(
      `^streamlog: no stream "${name}"\nhint: (streams there|see: streamlog ls|the server at .* has no streams)`,
    ),
  );

/** Words in the wrong position, as they are typed before one knows where a stream is named: the hint is the next step. */
import {beforeEach, describe, expect, it} from 'vitest';
import {serverForAll} from '../support/redis-server.js';
import {RUNTIMES, shell, streamlog} from '../support/run-cli.js';

const server = serverForAll();
const run = (line: string) => streamlog(line.split(' '), {server});
const NAME_IT = 'hint: there is a stream orders: name it with -s orders\n';

beforeEach(async () => {
  await server.redis.flushall();
  await server.redis.xadd('orders', '1-0', 'a', '1');
  await server.redis.xadd('events', '1-0', 'a', '1');
  await server.redis.xgroup('CREATE', 'events', 'billing', '0');
});

describe('the name of a stream that exists', () => {
  it('where a field is expected', async () => {
    const wrong = 'streamlog: "orders" is not field=value\n';
    expect(await run('produce orders a=1')).toMatchObject({code: 2, stderr: wrong + NAME_IT});
    expect((await run('produce other a=1')).stderr).toContain('hint: write streamlog produce type=login');
    expect((await server.redis.keys('*')).sort()).toEqual(['events', 'orders']);
  });

  it.each(['range orders', 'get orders', 'delete orders 1-1', 'ack orders 1-1', 'nack orders 1-1', 'dlq show orders'])(
    'where an ID is expected: %s',
    async (line) => {
      const {code, stderr} = await run(line);
      expect([code, stderr]).toEqual([2, expect.stringMatching(/^streamlog: "orders" is not a valid .*\n/)]);
      expect(stderr.endsWith(NAME_IT)).toBe(true);
    },
  );

  it.each([
    'group remove orders',
    'group consumers orders',
    'group seek orders --to start',
    'group gc orders --idle 1s',
  ])('where a group is expected: %s', async (line) => {
    const missing = 'streamlog: no group "orders" on stream "events"\n';
    expect(await run(line)).toMatchObject({code: 66, stderr: missing + NAME_IT});
  });

  it('is no hint where a group has a name near it, and none where there is no such stream', async () => {
    await server.redis.xadd('biling', '1-0', 'a', '1');
    expect((await run('group remove biling')).stderr).toContain('hint: did you mean billing?');
    expect((await run('range other')).stderr).toContain('hint: give an ID, start, end, -N');
    await server.redis.set('text', 'no stream');
    expect((await run('get text')).stderr).toContain('hint: an ID looks like 1526919030474-55');
  });

  it('is not looked for where that would have to run a program or has no answer', async () => {
    expect(await streamlog(['range', 'orders', '-u', '127.0.0.1:1'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('hint: give an ID'),
    });
  });
});

it.each([
  ['trim orders 100', 'unexpected argument: 100\nhint: --maxlen 100 keeps the newest 100\n'],
  ['trim orders', 'give one of --max-age, --max-bytes, --maxlen or --minid\nhint: see: streamlog trim --help\n'],
  ['group create orders billing', 'unexpected argument: billing\nhint: -s, or --stream, names the stream\n'],
  ['range orders start end', 'unexpected argument: end\nhint: -s, or --stream, names the stream\n'],
  ['context add dev localhost:1', 'unexpected argument: localhost:1\nhint: --url names the server\n'],
  ['tail -5', 'STREAM takes a name, not -5\nhint: -n 5 says how many; a stream of this name is given as --stream=-5\n'],
  ['info -5', 'STREAM takes a name, not -5\nhint: a stream of this name is given as --stream=-5\n'],
  ['range 2026-01-31', '"2026-01-31" is not a valid position\nhint: a time begins with @: @2026-01-31\n'],
  ['tail --from=-1h', '--from: "-1h" is not a valid position\nhint: a time begins with @: @-1h\n'],
  ['info --hlep', 'unknown flag --hlep\nhint: did you mean --help?\n'],
  ['--helpp', 'unknown flag --helpp\nhint: did you mean --help?\n'],
  ['produce --file -odd.json', '--file needs a value\nhint: if -odd.json is the value: --file=-odd.json\n'],
  ['produce --file -s orders', '--file needs a value\nhint: see: streamlog produce --help\n'],
])('the hint names the flag that was meant: %s', async (line, text) => {
  const {code, stderr} = await run(line);
  expect([code, stderr]).toEqual([2, `streamlog: ${text}`]);
});

it.each(RUNTIMES)('a value that is attached to its flag may begin with a dash, in %s', async (_, program) => {
  const {code, stdout, stderr} = await shell(
    `cd "$(mktemp -d)"; echo '{"a":"1"}' > -odd.json
     ${program} produce --file=-odd.json --stream=-s >/dev/null && ${program} range -s-s --format=-q%f{a}`,
    {server},
  );
  expect([code, stdout]).toEqual([0, '-q1']);
  expect(stderr).toBe('streamlog: read 1, added 1, rejected 0, unconfirmed 0\n');
});

/** A stream or group that does not exist: the failure says which, and names what does exist; nothing is made. */
import {beforeEach, describe, expect, it} from 'vitest';
import {serverForAll, serverPrograms, userUrl} from '../support/redis-server.js';
import {streamlog} from '../support/run-cli.js';
import {HOSTILE, onTerminal, unsafeIn} from '../support/terminal.js';

const MEANT_ORDERS = 'streamlog: no stream "oders"\nhint: did you mean orders? all streams: streamlog ls\n';
const MEANT_BILLING =
  'streamlog: no group "biling" on stream "orders"\nhint: did you mean billing? groups of orders: audit, billing\n';

describe.each(serverPrograms())('on $name', ({program}) => {
  const server = serverForAll({program});
  const run = (line: string) => streamlog(line.split(' '), {server});

  beforeEach(async () => {
    await server.redis.flushall();
    await server.redis.xadd('orders', '1-0', 'a', '1');
    await server.redis.xgroup('CREATE', 'orders', 'billing', '0');
    await server.redis.xgroup('CREATE', 'orders', 'audit', '0');
    await server.redis.set('oders2', 'no stream');
  });

  it.each([
    'info -s oders',
    'tail -s oders --no-follow',
    'range -s oders',
    'trim -s oders --maxlen 1',
    'delete -s oders 1-0',
    'get -s oders 1-0 -q',
    'pending -s oders -g billing',
    'consume -s oders --no-create --exit',
    'ack -s oders 1-0',
    'ack -s oders -g biling 1-0',
    'nack -s oders 1-0',
    'claim -s oders 1-0 --to w2',
    'claim -s oders --consumer w1 --to w2',
    'group list -s oders',
    'group create billing -s oders --no-create',
    'group seek billing -s oders --to start',
    'group remove billing -s oders',
    'group consumers biling -s oders',
    'group gc billing -s oders --idle 1s',
    'produce -s oders --no-create a=1',
    'produce -s oders --no-create --exactly-once a=1',
  ])('says that the stream is missing, and which one was meant: %s', async (line) => {
    const {code, stderr} = await run(line);
    expect([code, stderr]).toEqual([66, MEANT_ORDERS]);
    expect((await server.redis.keys('*')).sort()).toEqual(['oders2', 'orders']);
  });

  it.each([
    'pending -s orders -g biling',
    'consume -s orders -g biling --no-create --exit',
    'ack -s orders -g biling 1-0',
    'nack -s orders -g biling 1-0',
    'claim -s orders -g biling 1-0 --to w2',
    'claim -s orders -g biling --consumer w1 --to w2',
    'group seek biling -s orders --to start',
    'group remove biling -s orders --force',
    'group consumers biling -s orders',
    'group gc biling -s orders --idle 1s',
  ])('says that the group is missing, and which one was meant: %s', async (line) => {
    const {code, stderr} = await run(line);
    expect([code, stderr]).toEqual([66, MEANT_BILLING]);
    expect(await server.redis.xinfo('GROUPS', 'orders')).toHaveLength(2);
  });

  it('names what there is where no name is near', async () => {
    expect((await run('info -s shipments')).stderr).toContain('hint: streams there: orders\n');
    expect((await run('pending -s orders -g mail')).stderr).toContain('hint: groups of orders: audit, billing\n');
    await server.redis.xadd('other', '1-0', 'a', '1');
    expect((await run('pending -s other -g mail')).stderr).toContain(
      'hint: other has no groups; to create it: streamlog group create mail --stream other\n',
    );
    await server.redis.flushall();
    expect((await run('info -s orders')).stderr).toMatch(/^hint: the server at \S+ has no streams$/m);
  });

  it('of thousands of streams it finds one that is near, and lists none', async () => {
    const pipeline = server.redis.pipeline();
    for (let n = 0; n < 5_000; n++) pipeline.xadd(`unlike ${n}`, '1-0', 'a', '1');
    await pipeline.exec();
    expect((await run('info -s oders')).stderr).toBe(MEANT_ORDERS);
    expect((await run('info -s shipments')).stderr).toContain('hint: see: streamlog ls\n');
  });

  it('a user who may not look gets the failure without names', async () => {
    const {code, stderr} = await run(`info -s oders --url ${await userUrl(server, '~*', '+xinfo')}`);
    expect([code, stderr]).toEqual([66, 'streamlog: no stream "oders"\nhint: see: streamlog ls\n']);
  });

  it('offers hostile names as one word of a shell, and escaped', async () => {
    await server.redis.xadd(`${HOSTILE}x`, '1-0', 'a', '1');
    const {code, text} = await onTerminal(['info', '-s', `${HOSTILE}y`], {server});
    expect(code).toBe(66);
    expect(text).toContain('did you mean');
    expect(unsafeIn(text)).toEqual([]);
    await server.redis.xadd('my orders', '1-0', 'a', '1');
    expect((await streamlog(['info', '-s', 'my order'], {server})).stderr).toContain("did you mean 'my orders'?");
  });
});

/** What a server lacks of what was confirmed: lost, or trimmed and deleted by somebody, as far as it can be told. */
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import {ConfirmedIds, type LostRecords} from '../../src/lib/records/confirmed-ids.js';
import {StreamClient} from '../../src/lib/stream-client.js';
import {serverForAll, serverPrograms} from '../support/redis-server.js';

describe.each(serverPrograms())('on $name', ({program}) => {
  const server = serverForAll({program});
  let client: StreamClient;

  beforeAll(async () => {
    client = await StreamClient.connect({url: server.url, connectTimeoutMs: 5_000});
  });
  afterAll(async () => {
    client.close();
  });
  afterEach(() => server.redis.flushall());

  const add = async (...ids: string[]): Promise<void> => {
    for (const id of ids) await server.redis.xadd('events', id, 'n', id);
  };
  /** Of batches that were confirmed up to these IDs, ten records each. */
  const findLost = (...ids: string[]): Promise<LostRecords | undefined> => {
    const confirmed = new ConfirmedIds();
    for (const id of ids) confirmed.push(id, 10);
    return confirmed.findLost(client, 'events', confirmed.take());
  };

  it('what the stream has not got is lost, from the first that it lacks', async () => {
    await add('1-0', '2-0');
    expect(await findLost('1-0', '2-0')).toBeUndefined();
    expect(await findLost('1-0', '2-0', '3-0', '10-0')).toEqual({count: 20, after: '2-0', upTo: '10-0'});
    expect(await findLost('9-0', '10-0')).toEqual({count: 20, after: '0-0', upTo: '10-0'});
  });

  it('all is lost where there is no stream', async () => {
    expect(await findLost('1-0', '2-0')).toEqual({count: 20, after: '0-0', upTo: '2-0'});
  });

  it('what was trimmed away is not lost, up to the very last entry', async () => {
    await add('1-0', '2-0', '3-0');
    await server.redis.xtrim('events', 'MAXLEN', 0);
    expect(await findLost('1-0', '2-0', '3-0')).toBeUndefined();
    expect(await findLost('3-0')).toBeUndefined();
    expect(await findLost('3-0', '4-0')).toEqual({count: 10, after: '3-0', upTo: '4-0'});
  });

  it('nor what was deleted, and what a newer one stands in front of', async () => {
    await add('1-0', '2-0', '3-0', '4-0');
    await server.redis.xdel('events', '3-0');
    expect(await findLost('1-0', '3-0')).toBeUndefined();
    await server.redis.xtrim('events', 'MAXLEN', 1);
    expect(await findLost('1-0', '2-0')).toBeUndefined();
  });
});

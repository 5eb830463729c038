/**
 * The outcome of `work`, or a failure with the code ETIMEDOUT at `deadlineMs`, as of Date.now. connectTimeout of ioredis covers a
 * single socket, not the several requests of Sentinel and Cluster (https://github.com/redis/ioredis/blob/main/lib/redis/RedisOptions.ts).
 */
export async function within<T>(deadlineMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    const timedOut = Object.assign(new Error('timed out'), {code: 'ETIMEDOUT'});
    timer = setTimeout(() => reject(timedOut), Math.max(0, deadlineMs - Date.now()));
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
    work.catch(() => {});
  }
}

/** A limit to what may never settle: a server that says nothing keeps a question open for as long as its connection lasts. */

/**
 * The outcome of `work`, or a failure with the code ETIMEDOUT at `deadlineMs`, as of Date.now. ioredis' own timeout covers the
 * socket, not Sentinel's and Cluster's rounds of questions.
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

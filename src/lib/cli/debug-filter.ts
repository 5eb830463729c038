/**
 * Imported first, for its effect: with `DEBUG=*` (https://github.com/debug-js/debug), ioredis prints
 * every command with its arguments (https://github.com/redis/ioredis/blob/main/lib/utils/debug.ts), and oclif the
 * command line (https://oclif.io/docs/debugging), passwords and payloads included.
 */
if (process.env.DEBUG) process.env.DEBUG += ',-ioredis:*,-oclif,-oclif:*';

/**
 * Imported first, for its effect: with `DEBUG=*` (https://github.com/debug-js/debug), ioredis prints
 * every command with its arguments, and oclif the command line, passwords and payloads included.
 */
if (process.env.DEBUG) process.env.DEBUG += ',-ioredis:*,-oclif,-oclif:*';

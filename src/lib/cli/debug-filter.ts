/**
 * Imported before all else, for its effect: `DEBUG=*` is how people debug Node
 * programs, and it would make ioredis print every command with its arguments,
 * and oclif the command line, passwords and payloads included. Every other part
 * may still be debugged.
 */
if (process.env.DEBUG) process.env.DEBUG += ',-ioredis:*,-oclif,-oclif:*';

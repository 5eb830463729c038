/**
 * Imported before all else, for its effect: `DEBUG=*` is how people debug Node
 * programs, and it would make ioredis print every command with its arguments,
 * passwords and payloads included. Every other part may still be debugged.
 */
if (process.env.DEBUG) process.env.DEBUG += ',-ioredis:*';

/** What may be in a configuration file. Invariant: a key that is not here is an error, with the nearest one that is. */
import {z} from 'zod/mini';

const text = z.string('text in quotes').check(z.minLength(1, 'text that is not empty'));
const flag = z.boolean('true or false');
const words = z
  .array(text, 'a list of words, as in ["pass", "show", "redis"]')
  .check(z.minLength(1, 'a list of words, the program first'));

export const COLORS = ['red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white', 'gray'] as const;

/** A name that needs no quotes, in TOML and in shells. */
export const CONTEXT_NAME = /^[\p{L}\p{N}][\p{L}\p{N}._@-]{0,63}$/u;
const ALIAS_NAME = /^[a-z][a-z0-9_-]{0,63}$/i;

export const contextSchema = z.strictObject({
  url: text,
  username: z.optional(text),
  password_file: z.optional(text),
  password_command: z.optional(words),
  sentinel_username: z.optional(text),
  sentinel_password_file: z.optional(text),
  cacert: z.optional(text),
  cert: z.optional(text),
  key: z.optional(text),
  sni: z.optional(text),
  map_address: z.optional(z.array(text, 'a list of ANNOUNCED=REACHABLE')),
  stream: z.optional(text),
  group: z.optional(text),
  readonly: z.optional(flag),
  production: z.optional(flag),
  color: z.optional(z.enum(COLORS, `one of ${COLORS.join(', ')}`)),
  description: z.optional(text),
});

const value = z.union(
  [z.string(), z.number(), z.boolean(), z.array(z.union([z.string(), z.number()]))],
  'text, a number, true, false or a list',
);

export const userSchema = z.strictObject({
  context: z.optional(
    z.record(z.string().check(z.regex(CONTEXT_NAME, 'a name of letters, digits, . _ @ -')), contextSchema, 'a table'),
  ),
  /** By the words of a command, then by flag. */
  defaults: z.optional(z.record(z.string(), z.unknown(), 'a table')),
  alias: z.optional(
    z.record(
      z.string().check(z.regex(ALIAS_NAME, 'a name of letters, digits, _ -')),
      z.union([text, words], 'arguments of streamlog, as text or as a list'),
      'a table',
    ),
  ),
});

/** It comes with a repository: it may not choose a server by address, nor run anything. */
export const projectSchema = z.strictObject({
  context: z.optional(text),
  stream: z.optional(text),
  group: z.optional(text),
});

export const defaultValue = value;
export type DefaultValue = z.infer<typeof value>;
export type ContextTable = z.infer<typeof contextSchema>;

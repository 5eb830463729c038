/** The input of `produce` where it is given as arguments: one record, which may be repeated. */
import {usageError} from '../errors.js';
import {BadJson} from '../input/bad-json.js';
import {isJsonArgument, readFieldArguments} from '../input/field-arguments.js';
import {readJsonFields, readRecord} from '../input/record-fields.js';
import {repeat} from '../input/repetition.js';
import type {Field} from '../records/entry.js';
import type {ProduceFlags} from './produce-flags.js';
import type {ProduceInput, Surroundings} from './produce-input.js';

/** Throws a usage error for what is no record, `io` for a file that cannot be read. */
export async function fromArguments(
  fieldArguments: readonly string[],
  flags: ProduceFlags,
  {stopping, reading}: Surroundings,
): Promise<ProduceInput> {
  const count = flags.count ?? (flags.rate === undefined ? 1 : Number.POSITIVE_INFINITY);
  const fields = isJsonArgument(fieldArguments)
    ? readJsonArgument(fieldArguments[0]!, flags)
    : await readFieldArguments(fieldArguments, reading).catch(async (error: unknown) => {
        const {fileArgumentFailure} = await import('./format-hint.js');
        throw (await fileArgumentFailure(fieldArguments, flags)) ?? error;
      });
  const repetition = {count, ratePerSecond: flags.rate};
  return {
    pages: ({producer}) => repeat(fields, {...repetition, stopping: AbortSignal.any([stopping, producer.failing])}),
    bulk: count > 1,
  };
}

/** The fields of a record that was typed. Throws a usage error. */
function readJsonArgument(json: string, flags: ProduceFlags): readonly Field[] {
  const rules = {nullText: flags.null};
  try {
    return flags.input === 'envelope' ? readRecord(json, rules).fields : readJsonFields(json, rules);
  } catch (error) {
    if (!(error instanceof BadJson)) throw error;
    throw usageError(`the argument is not a record: column ${error.column}: ${error.message}`);
  }
}

/**
 * A report by its fields: which it has in JSON, CSV and TSV, in their order, and how it is printed by them. Invariant: a field that is
 * not listed is not printed, and a report has all that are listed.
 */
import {factsToJson} from '../records/names.js';
import {factCell} from './delimited.js';

/** Each field of `Report`: true, or the fields of the objects that it holds; what has fields of any name is whole. */
export type Fields<Report> = {
  readonly [Name in keyof Report]-?: NonNullable<Report[Name]> extends readonly (infer Item)[]
    ? Item extends object
      ? Fields<Item>
      : true
    : NonNullable<Report[Name]> extends object
      ? string extends keyof NonNullable<Report[Name]>
        ? true
        : Fields<NonNullable<Report[Name]>>
      : true;
};

export interface FieldTree {
  readonly [name: string]: true | FieldTree;
}

/** One JSON object, without the fields that `report` leaves undefined. */
export const reportToJson = <Report extends object>(report: Report, fields: Fields<Report>): string =>
  factsToJson(listed(report, fields as FieldTree) as object);

/** The cells of a line, one for each of `fields`. */
export const reportCells = <Report extends object>(report: Report, fields: Fields<Report>): string[] =>
  Object.values(listed(report, fields as FieldTree) as object).map(factCell);

function listed(value: unknown, fields: true | FieldTree): unknown {
  if (fields === true || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => listed(item, fields));
  const facts = value as Record<string, unknown>;
  return Object.fromEntries(Object.entries(fields).map(([name, inner]) => [name, listed(facts[name], inner)]));
}

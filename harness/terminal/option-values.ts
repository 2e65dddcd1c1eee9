import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import type { Gate } from '../model/gate.ts';
import { VERDICTS } from '../model/verdict.ts';

/**
 * Values of options as the command line gives them, and the options that several verbs share. What is wrong is thrown
 * as InvalidArgumentError.
 */

export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('expected a positive integer.');
  return value;
}

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError('expected 0 or more.');
  return value;
}

/** For an option that may be repeated. */
export function collect(word: string, earlier: readonly string[] = []): string[] {
  return [...earlier, word];
}

export function commaSeparated(text: string): string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

/** Words of the kernel command line. */
function bootargs(text: string): string[] {
  const found = text.split(/\s+/).filter((word) => word !== '');
  const odd = found.find((word) => !/^[\x21-\x7e]+$/.test(word));
  if (odd !== undefined) throw new InvalidArgumentError('expected words of printable ASCII.');
  return found;
}

/** A bus by its name in /sys/bus. */
export function bus(text: string): string {
  if (!/^[\w-]+$/.test(text)) throw new InvalidArgumentError('expected a bus such as pci.');
  return text;
}

/** How many probes' orders a search covers. */
export function strength(text: string): number {
  const value = positiveInteger(text);
  if (value < 2 || value > 4) throw new InvalidArgumentError('expected 2, 3 or 4.');
  return value;
}

/** `SYMBOL=VALUE`, repeatable. */
export function force(text: string, earlier: readonly Gate[] = []): Gate[] {
  const [, symbol, value] = /^([A-Za-z_][\w.$]*)=(-?\d+)$/.exec(text) ?? [];
  if (symbol === undefined) throw new InvalidArgumentError('expected SYMBOL=NUMBER.');
  return [...earlier, { gate: 'force', symbol, value: Number(value) }];
}

/** A verdict, or the signature of a crash as records have it: `null-deref: TITLE`; repeatable. */
export function shows(text: string, earlier: readonly string[] = []): string[] {
  if (!VERDICTS.some((verdict) => verdict === text) && !text.includes(': '))
    throw new InvalidArgumentError(`expected the signature of a crash or one of ${VERDICTS.join(', ')}.`);
  return [...earlier, text];
}

export const CELL_ARGUMENT = 'a cell of the matrix, a row such as T8, or a cell file (.yaml)';
export const MATRIX = new Option('--matrix <file>', 'the matrix file (default: the one that ships with bootrace)');
export const RESULTS = new Option('--results <dir>', 'folder for run records').default('results');
export const WORKERS = new Option('--workers <n>', 'guests at a time (default: one per core)').argParser(
  positiveInteger,
);
export const JSON_OUTPUT = new Option('--json', 'print JSON');
export const JSON_RECORD = new Option('--json', 'print the run record instead of the table');
export const KNOWN_ISSUES = new Option('--known-issues <file>', 'report the issues listed in this file as notes');
export const CELL = new Option('--cell <id>', CELL_ARGUMENT);
export const ORDER = new Option('--order <file>', 'the minimal cell that bisect order wrote').conflicts('cell');
export const REPORTER = new Option(
  '--reporter <name[=file]>',
  'table, json, junit, ktap, kcidb, markdown, github or html; repeatable',
).argParser(collect);
export const APPEND = new Option('--append <words>', 'words to add to the kernel command line of every boot')
  .argParser(bootargs)
  .default([], 'none');
export const ONLY = new Option(
  '--only <axis=value>',
  'only cells with this value; repeatable, comma-separated for several; also row= and id=',
).argParser(collect);
/** The name of --no-snapshots before snapshots had theirs. */
export const NO_FORK = new Option('--no-fork', 'old name of --no-snapshots').hideHelp();

/** KCIDB's name of who submits (schema 5.3: `origin`). */
export function origin(text: string): string {
  if (!/^[a-z0-9_]+$/.test(text))
    throw new InvalidArgumentError('expected lower-case letters, digits and underscores.');
  return text;
}

/** An address that others append paths to: without a slash at its end. */
export function httpsUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
    throw new InvalidArgumentError('expected an http or https URL.');
  return url.href.replace(/\/+$/, '');
}

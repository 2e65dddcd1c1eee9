import { z } from 'zod';
import type { ExtraParts } from '../axes/apply.ts';
import { type BuiltInAxis, complaint } from '../axes/axis.ts';
import { AXES } from '../axes/registry.ts';
import { resolveBoard } from '../boards/boards.ts';
import { InputError } from '../errors.ts';
import { type Board, DEFAULT_BOARD } from '../model/board.ts';
import type { Expectation } from '../model/cell.ts';
import { NOT_APPLICABLE } from '../model/cell.ts';
import { didYouMean } from '../suggest.ts';
import { type Located, parseYaml, strictMap } from '../yaml.ts';
import {
  bootargsSchema,
  expectationShape,
  gatesSchema,
  idSchema,
  listed,
  planSchema,
  textSchema,
  toExpectation,
  treeSchema,
  watchSchema,
} from './parts.ts';

/** Axis names with the values that match: every axis named must have one of its values. */
export type Match = ReadonlyMap<string, readonly string[]>;

export interface Axis {
  readonly name: string;
  /** Crossed with the other axes' values; the first is the default, which ids leave out. */
  readonly values: readonly string[];
  /** Known, but only used where an `include` entry asks for them. */
  readonly also: readonly string[];
  /** The axis has a value only in cells that match; the others get NOT_APPLICABLE. */
  readonly when: Match;
  /** For an axis of the file's own: what each value does. */
  readonly means: ReadonlyMap<string, ExtraParts>;
}

/** An entry of one of the file's lists; `at` is its place in the file, for messages. */
interface Entry {
  readonly at: string;
  readonly match: Match;
}

export interface Include extends Entry {
  /** A named entry is always a cell of its own. */
  readonly name: string | null;
  readonly extra: ExtraParts;
}

interface Row extends Entry {
  readonly row: string;
  readonly claim: string;
}

interface ExpectRule extends Entry {
  readonly expectation: Expectation;
}

/** A matrix file, checked: every name and value in it is known. */
export interface Matrix {
  readonly file: string;
  /** The axes that the harness knows by name. */
  readonly known: readonly BuiltInAxis[];
  readonly axes: readonly Axis[];
  readonly exclude: readonly Entry[];
  readonly include: readonly Include[];
  readonly rows: readonly Row[];
  readonly expect: readonly ExpectRule[];
  /** Path of a cell file, relative to this one, that is booted while the first kernel is compiled. */
  readonly preview: string | null;
}

/** The key under which a named `include` entry is matched, beside the axes. */
export const NAME = 'name';

/** `,` and `*` belong to `--only`; the rest of the printable characters may stand in a value. */
const VALUE = /^[!-)+\--~]+$/;
const AXIS_NAME = /^[a-z][a-z0-9_-]*$/;
const LONGEST_VALUE = 100;

const valueSchema = z
  .union([z.string(), z.number(), z.boolean()], { error: 'expected a value' })
  .transform(String)
  .refine((value) => VALUE.test(value) && value.length <= LONGEST_VALUE, {
    error: 'expected a value of printable characters without spaces, commas and asterisks',
  });
const valueListSchema = z.array(valueSchema, { error: 'expected a list of values' }).min(1);
const valuesSchema = z.preprocess(listed, valueListSchema);
const matchSchema = z.record(z.string(), valuesSchema, { error: 'expected a mapping of axes to values' });
type SpelledMatch = z.infer<typeof matchSchema>;

const extraShape = {
  cmdline: bootargsSchema.default([]),
  gates: gatesSchema.default([]),
  tree: treeSchema.default([]),
  watch: watchSchema.default([]),
  plan: planSchema.nullable().default(null),
};
const EXTRA_KEYS = Object.keys(extraShape);

/** A plain list of values, as most axes are, or a mapping. */
const axisSchema = z.preprocess(
  (axis) => (Array.isArray(axis) ? { values: axis } : axis),
  strictMap({
    values: valueListSchema,
    also: z.array(valueSchema, { error: 'expected a list of values' }).default([]),
    when: matchSchema.default({}),
    means: z.record(z.string(), strictMap(extraShape)).default({}),
  }),
);

function entries<S extends z.ZodType>(item: S) {
  return z.array(item, { error: 'expected a list' }).default([]);
}

const fileSchema = strictMap({
  axes: z.record(z.string().regex(AXIS_NAME, { error: 'expected a lower-case name' }), axisSchema, {
    error: 'expected a mapping of axes',
  }),
  exclude: entries(matchSchema),
  // Axes and conditions stand side by side in an entry, as CI matrices have it; checkInclude() sorts them.
  include: entries(z.record(z.string(), z.unknown(), { error: 'expected a mapping' })),
  rows: entries(
    strictMap({
      row: z
        .string({ error: 'expected the name of a row' })
        .regex(/^[A-Z]+\d+$/, { error: 'expected a name such as T8' }),
      claim: z.string({ error: 'expected the claim that the row checks' }),
      match: matchSchema,
    }),
  ),
  expect: entries(strictMap({ match: matchSchema, ...expectationShape })),
  preview: textSchema.nullable().default(null),
});

/**
 * Reads a matrix file.
 *
 * @param file name of the file as messages show it
 * @param known the axes that need no `means`
 * @throws InputError naming file, line and column, what was expected and what was found
 */
export function parseMatrix(text: string, file: string, known: readonly BuiltInAxis[] = AXES): Matrix {
  const located = parseYaml(text, file, fileSchema);
  const spelled = located.value;
  const boards = boardsOf(located, spelled.axes.board);
  const checker = new Checker(located, known, boards);
  const axes: Axis[] = [];
  for (const [name, axis] of Object.entries(spelled.axes)) {
    checker.checkAxis(name, axis, axes);
    axes.push({
      name,
      values: axis.values,
      also: axis.also,
      when: checker.match(axis.when, ['axes', name, 'when'], axes),
      means: new Map(Object.entries(axis.means)),
    });
  }
  for (const required of ['kernel', 'linkage']) {
    if (!axes.some((axis) => axis.name === required)) throw checker.error(['axes'], `the axis ${required} is missing`);
  }
  const include = spelled.include.map((entry, index) => checkInclude(located, checker, axes, entry, index));
  const names = include.flatMap((entry) => entry.name ?? []);
  return {
    file,
    known,
    preview: spelled.preview,
    axes,
    include,
    exclude: spelled.exclude.map((match, index) => ({
      at: located.at(['exclude', index]),
      match: checker.match(match, ['exclude', index], axes),
    })),
    rows: spelled.rows.map(({ row, claim, match }, index) => ({
      at: located.at(['rows', index]),
      match: checker.match(match, ['rows', index, 'match'], axes, names),
      row,
      claim,
    })),
    expect: spelled.expect.map(({ match, ...expectation }, index) => ({
      at: located.at(['expect', index]),
      match: checker.match(match, ['expect', index, 'match'], axes, names),
      expectation: toExpectation(expectation),
    })),
  };
}

type SpelledAxis = z.infer<typeof axisSchema>;

/** The boards that the axis `board` names, or the one of cells that name none. */
function boardsOf(located: Located<unknown>, axis: SpelledAxis | undefined): Board[] {
  const names = axis === undefined ? [DEFAULT_BOARD] : [...axis.values, ...axis.also];
  return names.map((name) => {
    try {
      return resolveBoard(name);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw new InputError(`${located.at(['axes', 'board'])}: ${error.message}`, error.hint, { cause: error });
    }
  });
}

type Path = readonly PropertyKey[];

/** Checks what zod cannot: names and values that stand elsewhere in the same file. */
class Checker {
  readonly #at: Located<unknown>['at'];
  readonly #known: readonly BuiltInAxis[];
  /** The boards that the file speaks of: their subjects decide what values there are. */
  readonly #boards: readonly Board[];

  constructor(located: Located<unknown>, known: readonly BuiltInAxis[], boards: readonly Board[]) {
    this.#at = located.at;
    this.#known = known;
    this.#boards = boards;
  }

  error(path: Path, what: string, part?: 'key'): InputError {
    return new InputError(`${this.#at(path, part)}: ${what}`);
  }

  checkAxis(name: string, axis: SpelledAxis, earlier: readonly Axis[]): void {
    const builtIn = this.#known.find((axis) => axis.name === name);
    const all = [...axis.values, ...axis.also];
    if (name === NAME) throw this.error(['axes', name], `an axis cannot be called ${NAME}`, 'key');
    if (builtIn === undefined && Object.keys(axis.means).length === 0) {
      const near = didYouMean(
        name,
        this.#known.map((axis) => axis.name),
      );
      throw this.error(
        ['axes', name],
        `unknown axis ${name}${near}; an axis of your own says under \`means\` what its values do`,
      );
    }
    if (builtIn !== undefined && Object.keys(axis.means).length > 0) {
      throw this.error(['axes', name, 'means'], `the axis ${name} has a fixed meaning`);
    }
    for (const value of Object.keys(axis.means)) {
      if (!all.includes(value)) throw this.error(['axes', name, 'means', value], unknownValue(name, value, all), 'key');
    }
    const ranges = builtIn === undefined ? [] : this.#boards.map((board) => builtIn.values(board));
    const [first] = ranges;
    const expected = [...new Set(ranges.map((range) => range.expected))].join('; or ');
    for (const [index, value] of all.entries()) {
      // A plain list has no `values` key; at() then falls back to the axis itself.
      const path = [
        'axes',
        name,
        ...(index < axis.values.length ? ['values', index] : ['also', index - axis.values.length]),
      ];
      if (value === NOT_APPLICABLE) throw this.error(path, `${value} stands for "no value" and cannot be one`);
      if (first !== undefined && !ranges.some((range) => range.accepts(value))) {
        throw this.error(path, `axis ${name}: ${complaint({ ...first, expected }, value)}`);
      }
      if (all.indexOf(value) !== index) throw this.error(path, `axis ${name}: value ${value} is there twice`);
    }
    if (earlier.length === 0 && Object.keys(axis.when).length > 0) {
      throw this.error(['axes', name, 'when'], 'the first axis cannot depend on another one');
    }
  }

  /** A match whose axes and values are all known; `names` are the cells that it may name. */
  match(spelled: SpelledMatch, path: Path, axes: readonly Axis[], names: readonly string[] = []): Match {
    for (const [name, values] of Object.entries(spelled)) {
      const axis = axes.find((other) => other.name === name);
      const known = name === NAME ? names : axis === undefined ? null : [...axis.values, ...axis.also, NOT_APPLICABLE];
      if (known === null) throw this.error([...path, name], this.#unknownAxis(name, path, axes), 'key');
      const wrong = values.find((value) => !known.includes(value));
      if (wrong !== undefined) throw this.error([...path, name], unknownValue(name, wrong, known));
    }
    return new Map(Object.entries(spelled));
  }

  #unknownAxis(name: string, path: Path, axes: readonly Axis[]): string {
    const inWhen = path.at(-1) === 'when';
    return `unknown axis ${name}${didYouMean(
      name,
      axes.map((axis) => axis.name),
    )}${inWhen ? ' (a `when` knows the axes above it)' : ''}`;
  }
}

function unknownValue(axis: string, value: string, known: readonly string[]): string {
  const list = known.filter((other) => other !== NOT_APPLICABLE).join(', ');
  return `${axis} has no value ${value}${didYouMean(value, known)} (known: ${list === '' ? 'none' : list})`;
}

function checkInclude(
  located: Located<unknown>,
  checker: Checker,
  axes: readonly Axis[],
  entry: Readonly<Record<string, unknown>>,
  index: number,
): Include {
  const path = ['include', index];
  const axisKeys = Object.entries(entry).filter(([key]) => axes.some((axis) => axis.name === key));
  const others = Object.entries(entry).filter(([key]) => !axes.some((axis) => axis.name === key));
  const unknown = others.find(([key]) => key !== NAME && !EXTRA_KEYS.includes(key));
  if (unknown !== undefined) {
    const near = didYouMean(unknown[0], [...axes.map((axis) => axis.name), NAME, ...EXTRA_KEYS]);
    throw checker.error([...path, unknown[0]], `unknown axis or key ${unknown[0]}${near}`, 'key');
  }
  const match = located.check(path, matchSchema, Object.fromEntries(axisKeys));
  const { name, ...extra } = located.check(
    path,
    strictMap({
      name: idSchema.exactOptional(),
      ...extraShape,
    }),
    Object.fromEntries(others),
  );
  return { at: located.at(path), name: name ?? null, match: checker.match(match, path, axes), extra };
}

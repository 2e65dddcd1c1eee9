import type { Board, Subject } from '../model/board.ts';
import { didYouMean } from '../suggest.ts';
import type { Draft } from './draft.ts';

/** What the values of an axis may be. */
export interface AxisValues {
  /** For error messages, as what follows "expected". */
  readonly expected: string;
  readonly accepts: (value: string) => boolean;
  /** Values that somebody may have meant who gave another one. */
  readonly usual: readonly string[];
}

/**
 * An axis that the harness knows by name. A new one is a file that gives one of these, and a line in registry.ts. (An
 * axis whose values are words of the command line, gates, edits or steps needs neither: a matrix file says so under
 * `means`.)
 */
export interface BuiltInAxis {
  /** As matrix files name it. */
  readonly name: string;
  /** What its values may be on a board; computed from the board's subjects where they speak of devices. */
  readonly values: (board: Board) => AxisValues;
  /**
   * Why a value changes nothing next to what the axes before it in the registry decided, as what follows "has no
   * meaning"; null where it does. A cell of such a value would only repeat another one's boot.
   */
  readonly meaningless: (draft: Draft, value: string) => string | null;
  /** What a value does to a cell. */
  readonly apply: (draft: Draft, value: string) => Draft;
}

/** For axes whose every value has a meaning in every cell. */
export function always(): null {
  return null;
}

/** What to say of a value that is not accepted. */
export function complaint({ expected, usual }: AxisValues, value: string): string {
  return `expected ${expected}${didYouMean(value, usual)}, found ${value}`;
}

export function choice(values: readonly string[]): AxisValues {
  return { expected: values.join(', '), accepts: (value) => values.includes(value), usual: values };
}

/** A whole number in decimal, without leading zeros. */
export function wholeNumber(unit: string, least: number, most: number): AxisValues {
  return {
    expected: `${unit} from ${least} to ${most}`,
    accepts: (value) => /^(0|[1-9]\d{0,9})$/.test(value) && Number(value) >= least && Number(value) <= most,
    usual: [],
  };
}

/** Names of a board's subjects, for error messages. */
export function namesOf({ subjects }: Pick<Board, 'subjects'>): string {
  return subjects.length === 0 ? 'the board names no subjects' : subjects.map(({ name }) => name).join(', ');
}

/** `smmu-scm` (or another separator) as subjects in that order; null where a part names none. */
export function subjectsIn(
  { subjects }: Pick<Board, 'subjects'>,
  text: string,
  separator: '-' | '+',
): Subject[] | null {
  const found = text.split(separator).map((name) => subjects.find((subject) => subject.name === name));
  return found.every((subject) => subject !== undefined) ? found : null;
}

export function hasRepeats(items: readonly unknown[]): boolean {
  return new Set(items).size < items.length;
}

import pc from 'picocolors';
import type { Verdict } from '../model/verdict.ts';
import type { CellRecord } from '../run/record.ts';
import { standingOf } from './standing.ts';

export type Colours = ReturnType<typeof pc.createColors>;

/** Colours that print escape sequences, or plain text. */
export function colours(on: boolean): Colours {
  return pc.createColors(on);
}

/** Whether a stream wants colours: a terminal, and no NO_COLOR (no-color.org); FORCE_COLOR asks for them anywhere. */
export function wantsColour(isTTY: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  if ((env.NO_COLOR ?? '') !== '') return false;
  const forced = env.FORCE_COLOR;
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false';
  return isTTY && env.TERM !== 'dumb';
}

/** The mark in front of a cell: readable without colours, too. */
export function mark(cell: Pick<CellRecord, 'verdict' | 'asExpected'>, paint: Colours): string {
  switch (standingOf(cell)) {
    case 'expected':
      return paint.green('✓');
    case 'unexpected':
      return paint.bold(paint.red('✗'));
    case 'no-verdict':
      return paint.bold(paint.magenta('?'));
  }
}

/** Green recovers or works, yellow does not, red crashes; what was not expected stands out. */
export function paintVerdict(cell: Pick<CellRecord, 'verdict' | 'asExpected'>, text: string, paint: Colours): string {
  const coloured = VERDICT_COLOUR[cell.verdict](paint)(text);
  return standingOf(cell) === 'expected' ? coloured : paint.bold(paint.inverse(coloured));
}

type Painter = (paint: Colours) => (text: string) => string;
const green: Painter = (paint) => paint.green;
const cyan: Painter = (paint) => paint.cyan;
const yellow: Painter = (paint) => paint.yellow;
const red: Painter = (paint) => paint.red;
const gray: Painter = (paint) => paint.gray;
const magenta: Painter = (paint) => paint.magenta;

const VERDICT_COLOUR: Readonly<Record<Verdict, Painter>> = {
  bound: green,
  'deferred-then-bound': cyan,
  'stuck-deferred': yellow,
  'probe-failed': yellow,
  'module-rejected': yellow,
  warning: yellow,
  hang: red,
  'retry-loop': red,
  oops: red,
  'null-deref': red,
  panic: red,
  unbuildable: gray,
  'infra-error': magenta,
};

import { printable } from '../printable.ts';
import { groupBy, wrap } from './text.ts';

/** Names that are listed where nothing else is said; the rest is counted. */
const LISTED = 20;

/** Longest line of a list, in characters. */
const WIDTH = 116;

/** The same after `head`; where they do not fit into a line those of a kind together, in lines of their own. */
export function wrapped(head: string, names: readonly string[]): string[] {
  const all = `${head}${listed(names)}`;
  if (all.length <= WIDTH) return [all];
  const ofKinds = [...groupBy(names, kindOf).values()].flat();
  return [head.trimEnd(), ...wrap(listed(ofKinds), WIDTH - 2).map((line) => `  ${line}`)];
}

/** A device's name without its address. */
function kindOf(name: string): string {
  return name.replace(/^[0-9a-f]{3,16}\./, '').replace(/@[0-9a-f]+$/, '');
}

/** Names for the console; of very many the first ones. */
export function listed(names: readonly string[], most = LISTED): string {
  const more = names.length > most ? [`and ${names.length - most} more`] : [];
  return [...names.slice(0, most).map(printable), ...more].join(', ');
}

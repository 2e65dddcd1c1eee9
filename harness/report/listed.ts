import { printable } from '../printable.ts';

/** Names that are listed where nothing else is said; the rest is counted. */
const LISTED = 20;

/** Names for the console; of very many the first ones. */
export function listed(names: readonly string[], most = LISTED): string {
  const more = names.length > most ? [`and ${names.length - most} more`] : [];
  return [...names.slice(0, most).map(printable), ...more].join(', ');
}

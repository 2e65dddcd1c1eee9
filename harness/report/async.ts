import { commandLine } from '../invocation.ts';
import { printable } from '../printable.ts';
import type { AsyncReport } from '../search/async.ts';
import { count } from './text.ts';

/**
 * Which drivers may probe asynchronously, for the console.
 * @param files cell file by what broke, in the order of the breaks
 */
export function formatAsync(found: AsyncReport, files: readonly string[]): string {
  const { drivers, safe, breaks, together, msBefore, msAfter, boots, lateMs, unasked } = found;
  const list = (names: readonly string[]) => (names.length === 0 ? 'none' : names.map(printable).join(', '));
  const lines = [
    `Asked about ${count(drivers.length, 'driver')}: each asynchronous alone, ` +
      `with its devices ${lateMs.toLocaleString('en')} ms late.`,
    `  no difference: ${list(safe)}`,
  ];
  for (const [place, { driver, other, what }] of breaks.entries()) {
    const pair = other === null ? printable(driver) : `${printable(driver)} and ${printable(other)}`;
    lines.push(`  breaks: ${pair}: ${printable(what)}`);
    const file = files[place];
    if (file !== undefined) lines.push(`      replay   ${printable(commandLine(['cell', file]))}`);
  }
  for (const { driver, why } of unasked) lines.push(`  not asked: ${printable(driver)}, as ${why}`);
  if (together.boots > 0)
    lines.push(
      `Together, ${together.drivers} of those without a difference: ${together.same} of ` +
        `${count(together.boots, 'interleaving')} with the same devices, drivers and names`,
    );
  if (msBefore !== null && msAfter !== null)
    lines.push(
      `Last device bound after ${msBefore.toLocaleString('en')} ms of virtual time as it is, ` +
        `${msAfter.toLocaleString('en')} ms with them asynchronous`,
    );
  lines.push(`${count(boots, 'boot')}. Seen in these boots only: a driver without a difference is not proven safe.`);
  return `${lines.join('\n')}\n`;
}

import { commandLine } from '../invocation.ts';
import { printable } from '../printable.ts';
import { type AsyncReport, PATIENT_S } from '../search/async.ts';
import { count, groupBy } from './text.ts';

/**
 * Which drivers may probe asynchronously, for the console.
 * @param files cell file by what broke, in the order of the breaks
 */
export function formatAsync(found: AsyncReport, files: readonly string[]): string {
  const { drivers, safe, synchronous, breaks, timedOut, together, msBefore, msAfter, boots, lateMs, unasked } = found;
  const list = (names: readonly string[]) => (names.length === 0 ? 'none' : names.map(printable).join(', '));
  const lines = [
    `Asked about ${count(drivers.length - unasked.length, 'driver')}: each asynchronous alone, ` +
      `with its devices ${lateMs.toLocaleString('en')} ms late.`,
    `  no difference: ${list(safe)}`,
  ];
  if (synchronous.length > 0)
    lines.push(`  probed synchronously all the same, so that nothing is shown: ${list(synchronous)}`);
  for (const [place, { driver, other, isOwn, what }] of breaks.entries()) {
    const link = isOwn ? 'in its own' : 'and';
    const pair = other === null ? printable(driver) : `${printable(driver)} ${link} ${printable(other)}`;
    lines.push(`  breaks: ${pair}: ${printable(what)}`);
    const file = files[place];
    if (file !== undefined) lines.push(`      replay   ${printable(commandLine(['cell', file]))}`);
  }
  for (const [what, some] of groupBy(timedOut, (one) => one.what))
    lines.push(
      `  only too late: ${list(some.map(({ driver }) => driver))}: ${printable(what)} when the deferred probe ` +
        `timeout is over, and with deferred_probe_timeout=${PATIENT_S} there is no difference`,
    );
  for (const [why, some] of groupBy(unasked, (one) => one.why))
    lines.push(`  no answer: ${list(some.map(({ driver }) => driver))}: ${printable(why)}`);
  if (together.boots > 0) {
    const alone = safe.slice(together.drivers);
    const rest = alone.length === 0 ? '' : ` (not ${list(alone)}: the kernel takes no more names)`;
    lines.push(
      `Together, ${together.drivers} of the ${safe.length} without a difference: ${together.same} of ` +
        `${count(together.boots, 'interleaving')} with the same devices, drivers and names${rest}`,
    );
  }
  if (msBefore !== null && msAfter !== null)
    lines.push(
      `Last device bound after ${msBefore.toLocaleString('en')} ms of virtual time as it is, ` +
        `${msAfter.toLocaleString('en')} ms with them asynchronous`,
    );
  lines.push(`${count(boots, 'boot')}. Seen in these boots only: a driver without a difference is not proven safe.`);
  return `${lines.join('\n')}\n`;
}

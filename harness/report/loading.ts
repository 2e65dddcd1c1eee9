import { commandLine } from '../invocation.ts';
import { printable } from '../printable.ts';
import type { LoadingReport } from '../search/loading.ts';
import { count } from './text.ts';

const LISTED = 12;
const WAYS = {
  order: 'order of loads',
  threads: 'interleaving of the threads',
  late: 'loading beside those after it, and late:',
  preemption: 'preemption at',
} as const;

/**
 * What came of loading modules in other orders, at once and with preemptions, for the console.
 * @param files cell file of each break, in their order
 */
export function formatLoading(found: LoadingReport, files: readonly string[]): string {
  const { modules, threads, breaks, orders, interleavings, parallel, sequential, points, rounds, boots, stoppedBy } =
    found;
  const lines = [
    `Compared with loading ${count(modules.length, 'module')} one after the other: ` +
      `${printable(modules.slice(0, LISTED).join(', '))}${modules.length > LISTED ? ', ...' : ''}`,
  ];
  for (const [place, one] of breaks.entries()) {
    const { found: way, how, what, verdict, times, withOneThread } = one;
    lines.push(`  ${verdict}: ${printable(what)}  (${count(times, 'boot')})`);
    lines.push(`      first by ${WAYS[way]} ${printable(how)}`);
    if (withOneThread !== null)
      lines.push(
        withOneThread
          ? '      one loader alone shows it as well'
          : `      not with one loader: it takes two loads at once`,
      );
    const file = files[place];
    if (file !== undefined) lines.push(`      replay   ${printable(commandLine(['cell', file]))}`);
  }
  if (breaks.length === 0) lines.push('  no difference in any boot');
  lines.push(`Orders of any two loads: ${orders.same} of ${count(orders.boots, 'boot')} came to the same`);
  if (threads > 1)
    lines.push(
      `By ${threads} threads: ${interleavings.same} of ${count(interleavings.boots, 'interleaving')} came to the same`,
    );
  if (parallel.length > 0) lines.push(`May load beside those after them: ${printable(parallel.join(', '))}`);
  for (const { module, other } of sequential)
    lines.push(`  must be loaded before the next: ${printable(other === null ? module : `${module}, for ${other}`)}`);
  if (points.length > 0) {
    const passed = points.filter(({ calls }) => calls > 0);
    const calls = passed.reduce((sum, point) => sum + point.calls, 0);
    lines.push(
      `Preemption points: ${count(calls, 'call')} of ${passed.length} places while the modules load ` +
        `(${points.length} places asked for)`,
    );
    for (const { size, sets, booted, hit } of rounds)
      lines.push(
        `  ${count(size, 'preemption')} a boot: ${hit} of ${sets.toLocaleString('en')} ` +
          `${size === 1 ? 'calls' : `sets of ${size} calls`} preempted, in ${count(booted, 'boot')}`,
      );
  }
  const why = stoppedBy === 'complete' ? 'every stage is done' : 'the budget is used up';
  lines.push(`${count(boots, 'boot')}; stopped because ${why}`);
  return `${lines.join('\n')}\n`;
}

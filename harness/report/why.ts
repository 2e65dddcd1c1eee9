import { printable } from '../printable.ts';
import type { LeastTimeout } from '../search/timeout.ts';
import type { Root, RootCause, Why } from '../verdict/why.ts';
import type { TreeGuesses } from '../verdict/why-tree.ts';
import { count, groupBy } from './text.ts';

/** Devices that are listed below a root; the rest is counted. */
const LISTED = 20;

/** Likely roots that are named. */
const LIKELY = 5;

/** drivers/base/dd.c, deferred_devs_show() and, since 6.8, deferred_probe_timeout_work_func(). */
const WHERE_THE_REASON_IS =
  '/sys/kernel/debug/devices_deferred has the reasons that drivers gave; a kernel before 6.8 does not print them';

/** What `why` found, for the console: the roots first, each with who waits for it, then what the tree lets guess. */
export function formatWhy(found: Why, byTree: TreeGuesses | null, timeout: LeastTimeout | null): string {
  const lines: string[] = [];
  const shared = [...groupBy(found.roots, sharedCause).values()];
  if (found.unbound === 0 && found.unexplained.length > 0)
    lines.push('No device is said to be deferred or failed, but suppliers wait in sync_state() for some.');
  else if (found.unbound === 0) lines.push('Nothing is deferred or failed.');
  else if (found.roots.length === 0) lines.push(`${devicesNotBound(found.unbound)}, and the log gives no reason.`);
  else lines.push(`${devicesNotBound(found.unbound)}, for ${count(shared.length, 'reason')}:`);
  for (const roots of shared) lines.push('', ...rootLines(roots));
  if (found.unexplained.length > 0) {
    lines.push('', `Not bound, and the log does not say why: ${listed(found.unexplained)}`);
    if (found.likely.length > 0)
      lines.push(
        `  by their names others may wait for these, which is a guess: ` +
          found.likely.slice(0, LIKELY).map(printable).join(', '),
      );
    lines.push(`  ${WHERE_THE_REASON_IS}`);
  }
  if (byTree !== null && byTree.open > 0) lines.push('', ...guessLines(byTree));
  if (timeout !== null) {
    const late = timeout.late === null ? '' : `; late is ${printable(timeout.late)}`;
    lines.push(
      '',
      `Least deferred_probe_timeout: ${timeout.seconds} (${timeout.ms.toLocaleString('en')} ms of virtual time ` +
        `are needed, ${timeout.tooShort} s are too short)${late}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

function devicesNotBound(number: number): string {
  return number === 1 ? '1 device is not bound' : `${number} devices are not bound`;
}

/** Roots that nobody waits for and of which the same is known, in the same words, are told together. */
function sharedCause({ name, cause, evidence, waiting }: Root): string {
  return waiting.length === 0 ? `${causeText(cause)}\n${evidence ?? ''}` : name;
}

function rootLines(roots: readonly Root[]): string[] {
  const [first] = roots;
  if (first === undefined) return [];
  const { name, cause, evidence, waiting } = first;
  const lines = [`${listed(roots.map((root) => root.name))}: ${printable(causeText(cause))}`];
  if (evidence !== null) lines.push(`  the log: ${printable(evidence)}`);
  const via = waiting.map((one) => (one.for === name ? one.device : `${one.device} (for ${one.for})`));
  if (waiting.length > 0) lines.push(`  waiting: ${listed(via)}`);
  return lines;
}

function guessLines({ guesses, more, open, skipped, links, followed }: TreeGuesses): string[] {
  const lines = guesses.map(({ node, device, compatible, unbound, waiting, consumers, open: waits }) => {
    const what = compatible[0] === undefined ? '' : ` (${printable(compatible[0])})`;
    const name = printable(device ?? node);
    const why = unbound
      ? 'not bound itself'
      : `${waits} of the ${consumers} devices that need it wait for what the log does not name, ` +
        'and it is not among them';
    return `  ${name}${what}: ${why}; waiting: ${listed(waiting)}`;
  });
  if (lines.length === 0) lines.push('The device tree has no supplier that explains what the log leaves open.');
  else lines.unshift('By the device tree, which is a guess, these are waited for:');
  if (more) lines.push('  and others');
  if (skipped > 0)
    lines.push(`${skipped} of the ${open} devices that the log leaves open were not looked up in the tree.`);
  if (followed < links)
    lines.push(
      `The tree has ${links} links between devices; the search stopped at ${followed} of them from each device, ` +
        `and at ${followed} suppliers.`,
    );
  return lines;
}

function listed(names: readonly string[]): string {
  const more = names.length > LISTED ? [`and ${names.length - LISTED} more`] : [];
  return [...names.slice(0, LISTED).map(printable), ...more].join(', ');
}

/** Why a root is not there, and what to do about it where that is known. */
function causeText(cause: RootCause): string {
  switch (cause.cause) {
    case 'never-probed':
      return 'no driver has probed it: the kernel has none, or its module is not loaded';
    case 'no-driver':
      return `the kernel has no driver for it (compatible ${cause.compatible.join(', ')})`;
    case 'module-not-loaded':
      return `its driver is a module that is not loaded: load ${cause.modules.join(' or ')}`;
    case 'half-merged-tree':
      return `the device tree is incomplete: ${cause.what}`;
    case 'node-disabled':
      return 'its node is disabled in the device tree';
    case 'silent':
      return 'it is deferred itself, and the log does not say why';
    case 'own-deferral':
      return `${cause.driver ?? 'its driver'} defers it${cause.call === null ? '' : `: ${cause.call}`}`;
    case 'failed':
      if (cause.error === null) return `the probe of ${cause.driver ?? 'its driver'} failed`;
      return `the probe of ${cause.driver ?? 'its driver'} failed with error ${-cause.error}`;
    case 'timed-out':
      return 'the deferred probe timeout ended the wait for a supplier';
    case 'cycle':
      return `they wait for each other: ${cause.members.join(', ')}`;
    case 'retry-loop':
      return `deferred ${cause.times} times: its own probe binds ${cause.rebound} again, which starts the next retry`;
    case 'not-returned':
      return `the probe of ${cause.driver ?? 'its driver'} has not returned`;
  }
}

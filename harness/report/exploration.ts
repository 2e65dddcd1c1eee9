import { passes } from '../search/boot.ts';
import type { Coverage } from '../search/coverage.ts';
import type { Exploration } from '../search/explore.ts';
import { colours } from './paint.ts';
import { count, groupBy, printable } from './text.ts';

/** Stages that ask for orders; the later ones look for what orders alone do not show. */
const ORDERING: readonly string[] = ['baseline', 'pairs', 'blame', 'orders'];
/** Impossible and unrealised orders that are listed one by one; the rest is counted. */
const LISTED = 12;

/**
 * What an exploration found, for the console: each distinct outcome with the file that replays it, then the coverage reached.
 * @param files cell file by the outcome's key
 */
export function formatExploration(found: Exploration, files: ReadonlyMap<string, string>, colour: boolean): string {
  const paint = colours(colour);
  const lines: string[] = [paint.bold('Outcomes')];
  for (const outcome of found.outcomes) {
    const { key, verdict, title, reason, stage, boot, times } = outcome;
    const what = passes(outcome) ? verdict : `${verdict}: ${printable(title ?? reason)}`;
    const painted = passes(outcome) ? what : paint.red(what);
    lines.push(`  ${painted}  ${paint.dim(`first in boot ${boot} (${stage}), ${count(times, 'boot')}`)}`);
    const file = files.get(key);
    if (file !== undefined) {
      lines.push(`      replay   npm run -s bootrace -- cell ${printable(file)}`);
      lines.push(`      explain  npm run -s bootrace -- bisect order ${printable(file)}`);
    }
  }
  lines.push('', paint.bold('Coverage, as recorded'));
  if (found.pairs.strength !== found.coverage.strength) lines.push(formatCoverage('orders of 2 probes', found.pairs));
  const used = found.stages.filter(({ stage }) => ORDERING.includes(stage)).reduce((sum, { boots }) => sum + boots, 0);
  lines.push(formatCoverage(`orders of ${found.coverage.strength} probes`, found.coverage, used));
  lines.push(`  orders of ${found.coverage.strength} bindings: ${found.bound.covered} of ${found.bound.total}`);
  if (found.loadOrders !== null) lines.push(formatCoverage('orders of module loads', found.loadOrders));
  lines.push(...formatList('impossible, or cut short by a crash', byReason(found.coverage)));
  lines.push(
    ...formatList(
      'not seen',
      found.coverage.missing.map((order) => order.join(' < ')),
    ),
  );
  lines.push(
    ...formatList(
      'asked for and not realised',
      found.unrealised.map(({ cell, why }) => `${cell}: ${why}`),
    ),
  );
  for (const { device, suppliers } of found.waits)
    lines.push(
      suppliers.length === 0
        ? `  ${printable(device)} defers, for none of these devices that could be told`
        : `  ${printable(device)} defers until ${suppliers.map(printable).join(' or ')} is bound`,
    );
  const stages = found.stages.map(({ stage, boots }) => `${stage} ${boots}`).join(', ');
  const why = { complete: 'every stage is done', budget: 'the budget is used up', crash: 'a crash was found' }[
    found.stoppedBy
  ];
  lines.push('', `${count(found.boots, 'boot')} (${stages}); stopped because ${why}`);
  return `${lines.join('\n')}\n`;
}

/** One reason rules out many orders of three: each reason once, with its number of orders and the first of them. */
function byReason({ impossible }: Coverage): string[] {
  const groups = groupBy(impossible, ({ reason }) => reason);
  return [...groups].map(([reason, [first, ...more]]) => {
    const others = more.length === 0 ? '' : ` and ${count(more.length, 'other')}`;
    return `${first?.order.join(' < ')}${others}: ${reason}`;
  });
}

/** @param boots those that were used to see the orders, where they are known */
function formatCoverage(what: string, coverage: Coverage, boots: number | null = null): string {
  const possible = coverage.total - coverage.impossible.length;
  const used = boots === null ? '' : ` in ${count(boots, 'boot')}`;
  return `  ${what}: ${coverage.covered} of ${possible} possible (${coverage.total} in all)${used}; at least ${count(coverage.lowerBound, 'boot')} needed, ${coverage.naive.toLocaleString('en')} to try every order`;
}

function formatList(title: string, entries: readonly string[]): string[] {
  if (entries.length === 0) return [];
  const more = entries.length > LISTED ? [`      and ${entries.length - LISTED} more (--json lists them)`] : [];
  return [`  ${title}:`, ...entries.slice(0, LISTED).map((entry) => `      ${printable(entry)}`), ...more];
}

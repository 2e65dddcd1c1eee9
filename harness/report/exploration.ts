import { commandLine, shellQuote } from '../invocation.ts';
import { printable } from '../printable.ts';
import type { Coverage } from '../search/coverage.ts';
import type { Exploration, Stranger } from '../search/exploration.ts';
import type { DriverWait } from '../search/knowledge.ts';
import { passes } from '../search/outcome.ts';
import { colours } from './paint.ts';
import { count, groupBy } from './text.ts';

/** Stages that ask for orders; the later ones look for what orders alone do not show. */
const ORDERING: readonly string[] = ['baseline', 'pairs', 'blame', 'dependencies', 'orders'];
/** Impossible and unrealised orders that are listed one by one; the rest is counted. */
const LISTED = 12;

/**
 * What an exploration found, for the console: each distinct outcome with the file that replays it, then the coverage
 * reached.
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
    // There is no order to explain.
    const isUsual = boot === 1 && verdict === 'warning';
    if (isUsual)
      lines.push(
        '      nothing was put into an order yet: the other boots are judged without the warnings of this one',
      );
    const file = files.get(key);
    if (file !== undefined) lines.push(`      replay   ${printable(commandLine(['cell', file]))}`);
    if (file !== undefined && !isUsual)
      lines.push(`      explain  ${printable(commandLine(['bisect', 'order', file]))}`);
  }
  if (found.stoppedBy === 'baseline') return `${[...lines, ...brokenBase(found)].join('\n')}\n`;
  lines.push(...formatList('Not searched, but in the way', found.strangers.map(strangerText)));
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
      'requested but never observed',
      [...groupBy(found.unrealised, ({ why }) => why)].map(([why, boots]) => {
        const more = boots.length === 1 ? '' : ` and ${count(boots.length - 1, 'other')}`;
        return `${boots[0]?.cell}${more}: ${why}`;
      }),
    ),
  );
  lines.push(...found.waits.flatMap(waitTexts).map((text) => `  ${printable(text)}`));
  const stages = found.stages.map(({ stage, boots }) => `${stage} ${boots}`).join(', ');
  const why = {
    complete: 'every stage is done',
    baseline: 'the first boot failed',
    budget: 'the budget is used up',
    crash: 'a crash was found',
  }[found.stoppedBy];
  lines.push('', `${count(found.boots, 'boot')} (${stages}); stopped because ${why}`);
  return `${lines.join('\n')}\n`;
}

/** The first boot, which asks for nothing, went wrong: what, and where. */
function brokenBase({ outcomes, atFault }: Exploration): string[] {
  const [first] = outcomes;
  const place = first === undefined || first.place.length === 0 ? '' : ` in ${first.place.map(printable).join(' < ')}`;
  return [
    '',
    `The first boot, in which nothing is put into an order, ends in ${first?.verdict ?? 'a failure'}${place}.`,
    `Every other boot would as well, so no order was searched: ${takeOut(atFault)}, or search with --anyway.`,
  ];
}

function takeOut(atFault: Exploration['atFault']): string {
  if (atFault === null) return 'take out what is at fault (--disable NODE)';
  const { device, node } = atFault;
  return node === null
    ? `take out what makes ${printable(device)} (--disable NODE)`
    : `take out ${printable(device)} (--disable ${printable(shellQuote(node))})`;
}

function strangerText({ device, signature, disabled, kept, warns }: Stranger): string {
  if (warns) return `${device} warns (${signature}); left in, as a warning hides nothing, and not told again`;
  const fate =
    disabled === null ? `left in, as ${kept}` : `taken out (node ${disabled} disabled) for the rest of the search`;
  return `${device} crashes (${signature}); ${fate}`;
}

function waitTexts({ device, suppliers, guesses }: DriverWait): string[] {
  if (suppliers.length === 0 && guesses.length === 0)
    return [`${device} defers, but no searched device could be identified as the cause`];
  return [
    ...suppliers.map((other) => `${device} defers until ${other} is bound`),
    ...guesses.map(
      (other) => `${device} may defer until ${other} is bound: a guess, as no boot kept only ${other} from binding`,
    ),
  ];
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
  const needed = `at least ${count(coverage.lowerBound, 'boot')} needed`;
  const all = `${coverage.naive.toLocaleString('en')} to try every order`;
  return `  ${what}: ${coverage.covered} of ${possible} possible (${coverage.total} in all)${used}; ${needed}, ${all}`;
}

function formatList(title: string, entries: readonly string[]): string[] {
  if (entries.length === 0) return [];
  const more = entries.length > LISTED ? [`      and ${entries.length - LISTED} more (--json lists them)`] : [];
  return [`  ${title}:`, ...entries.slice(0, LISTED).map((entry) => `      ${printable(entry)}`), ...more];
}

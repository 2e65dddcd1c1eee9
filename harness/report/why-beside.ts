import { isSameMachine } from '../board/likely-cause.ts';
import { printable } from '../printable.ts';
import type { BesideLog } from '../session/why-log.ts';
import type { NodeFact } from '../session/why-node.ts';
import type { Root, Why } from '../verdict/why-roots.ts';
import type { NamedSupplier, SupplierState } from '../verdict/why-suppliers.ts';
import { listed } from './listed.ts';

/** What a board's device tree and a kernel's drivers add to the roots of a log. */

const STATES: Readonly<Record<SupplierState, string>> = {
  unbound: 'not bound either',
  untold: 'the log has no word of it',
  disabled: 'its node is disabled there',
  bound: 'bound by the log',
  spoken: 'its driver speaks of it in the log',
  needed: 'what works needs it',
  early: 'there before all devices',
};

/** From where the rest is known, and how well the tree fits the log. */
export function besideLines({ tree, model, machine, kernel, devices, inTree }: BesideLog): string[] {
  const isOther = model !== null && machine !== null && !isSameMachine(machine, model);
  const whose = isOther ? ` ("${printable(model)}", and the log is of "${printable(machine)}")` : '';
  const count = devices === 0 ? '' : `; it has ${inTree} of the ${devices} devices with an address that the log names`;
  const drivers =
    kernel === null ? '' : ` Drivers are those of ${printable(kernel)}, which need not be the log's kernel.`;
  return [`Looked up beside the log: the device tree ${printable(tree)}${whose}${count}.${drivers}`];
}

/** What a driver's words name: a node's path, or a device with an address. */
export const NAMES_IT = /(?:^|\s)\/[\w.,@-]+\/[\w.,@/-]+|\b[0-9a-f]{4,16}\.[a-z][\w-]*/;

/** Whether a device tree may tell more: a device waits, and the log does not name for what. */
export function leavesOpen({ roots, unexplained }: Why): boolean {
  return unexplained.length > 0 || roots.some((root) => isOpen(root));
}

function isOpen({ cause }: Root): boolean {
  switch (cause.cause) {
    case 'own-deferral':
      return cause.wants !== null && cause.below === null && !NAMES_IT.test(cause.call ?? '');
    case 'never-probed':
    case 'no-bus':
    case 'silent':
    case 'timed-out':
    case 'unnamed-supplier':
      return true;
    default:
      return false;
  }
}

/** What to call for more; whether Debian has the tree was not looked up. */
export function moreLine(machine: string): string {
  return (
    `more: \`--kernel debian-stock:6.12\` looks for the device tree of "${printable(machine)}" in that kernel's ` +
    'package, which need not be the one of this log, and for the drivers of what is named above'
  );
}

interface OfRoots {
  readonly lines: readonly string[];
  /** What to do next; null where the log's own words say it better. */
  readonly next: string | null;
}
const NOTHING: OfRoots = { lines: [], next: null };

/** What is known beside the log of roots that are told together. */
export function besideRoots(roots: readonly Root[], beside: BesideLog | null): OfRoots {
  if (beside === null) return NOTHING;
  const own = roots.flatMap(({ name }): OfRoots[] => {
    const fact = beside.facts.get(name);
    return fact === undefined ? [] : [ofNode(roots.length > 1 ? name : null, fact, beside)];
  });
  const names = new Set(roots.map(({ name }) => name));
  const named = beside.named.filter(({ root }) => names.has(root));
  const missing = gathered(named.map(({ root, missing: those }) => ({ root, those })));
  const there = gathered(named.map(({ root, there: those }) => ({ root, those })));
  const lines = missing.slice(0, LINES).map((one) => `  by the tree ${supplierText(one, roots.length, beside)}`);
  const more = missing.slice(LINES).map(({ name }) => name);
  if (more.length > 0) lines.push(`  by the tree also for ${listed(more, MOST)}`);
  if (there.length > 0) {
    const intro = missing.length > 0 ? 'the tree also names' : 'the tree names only what is there by the log:';
    lines.push(
      `  ${intro} ${listed(
        there.map((one) => `${one.name} (${STATES[one.state]})`),
        MOST,
      )}`,
    );
  }
  // What the kernel has as a module, or not at all, is likelier missing than what it has built in.
  const known = [
    ...own.flatMap(({ next }) => next ?? []),
    ...missing.flatMap(({ name, state }) =>
      state === 'untold' ? (nextOfFact(beside.facts.get(name), beside) ?? []) : [],
    ),
  ];
  const [next = null] = [...known, ...missing.flatMap((one) => nextOf(one, beside) ?? [])];
  return { lines: [...own.flatMap((one) => one.lines), ...lines], next };
}

/** So many suppliers have a line of their own. */
const LINES = 4;
/** So many names are listed. */
const MOST = 8;

interface Gathered extends NamedSupplier {
  readonly roots: readonly string[];
}

/** Suppliers with all roots that wait for them. */
function gathered(named: readonly { readonly root: string; readonly those: readonly NamedSupplier[] }[]): Gathered[] {
  const found = new Map<string, { readonly one: NamedSupplier; readonly roots: string[] }>();
  for (const { root, those } of named)
    for (const one of those) {
      const known = found.get(one.node) ?? { one, roots: [] };
      known.roots.push(root);
      found.set(one.node, known);
    }
  return [...found.values()].map(({ one, roots }) => ({ ...one, roots }));
}

/** @param roots how many are told together */
function supplierText(one: Gathered, roots: number, beside: BesideLog): string {
  const all = roots === 1 ? 'it' : 'they';
  const who = one.roots.length === roots ? all : listed(one.roots, MOST);
  const waits = one.roots.length === 1 ? 'waits' : 'wait';
  const what = one.compatible[0] === undefined ? '' : ` (${one.compatible[0]})`;
  const by = one.properties.map((property) => `\`${property}\``).join(', ');
  const driver = driverText(beside.facts.get(one.name), beside);
  return printable(`${who} ${waits} for ${one.name}${what}, by ${by}: ${STATES[one.state]}${driver}`);
}

function ofNode(name: string | null, fact: NodeFact, beside: BesideLog): OfRoots {
  const who = name === null ? '' : `${printable(name)}: `;
  switch (fact.fact) {
    case 'no-node':
      return { lines: [`  ${who}the tree has no node for it`], next: null };
    case 'disabled':
      return { lines: [`  ${who}its node ${printable(fact.path)} is disabled in the tree`], next: null };
    case 'no-compatible':
      return {
        lines: [`  ${who}no device is made of its node, ${printable(fact.path)}, which has no compatible in the tree`],
        next: null,
      };
    case 'device': {
      const what = printable(`${fact.path} (${fact.compatible[0] ?? ''})`);
      return {
        lines: [`  ${who}in the tree it is ${what}${driverText(fact, beside)}`],
        next: nextOfFact(fact, beside),
      };
    }
  }
}

/** What the kernel has for it; nothing where that is not known. */
function driverText(fact: NodeFact | undefined, { kernel }: BesideLog): string {
  if (fact?.fact !== 'device' || fact.match === null || kernel === null) return '';
  switch (fact.match.kind) {
    case 'builtin':
      return `; ${printable(kernel)} has its driver built in`;
    case 'modules':
      return `; ${printable(kernel)} has its driver as a module, ${listed(fact.match.modules, MOST)}`;
    case 'none':
      return `; ${printable(kernel)} has no driver for it`;
    case 'unknown':
      return '';
  }
}

function nextOf(one: NamedSupplier, beside: BesideLog): string | null {
  if (one.state === 'unbound') return `find out first why ${printable(one.name)} is not bound`;
  if (one.state === 'disabled') return `set \`status\` of ${printable(one.node)} to "okay", where the board has it`;
  const what = one.compatible[0];
  return what === undefined || !beside.facts.has(one.name)
    ? null
    : `enable the driver for ${printable(what)} in the kernel, or load its module`;
}

function nextOfFact(fact: NodeFact | undefined, { kernel }: BesideLog): string | null {
  if (fact?.fact !== 'device' || fact.match === null || kernel === null) return null;
  const what = printable(fact.compatible[0] ?? fact.path);
  if (fact.match.kind === 'modules')
    return `load ${fact.match.modules.map(printable).join(' or ')}, which drives ${what}, or build it if need be`;
  if (fact.match.kind === 'none') return `use a kernel that has a driver for ${what}, or add one`;
  return null;
}

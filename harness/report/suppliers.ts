import type { Link, Suppliers } from '../board/suppliers.ts';
import type { Transplant } from '../board/transplant.ts';
import { FW_DEVLINK, type Waits } from '../board/waits.ts';
import { diffTrees, formatDifference, type TreeDifference } from '../devicetree/diff.ts';
import type { DeviceTree } from '../devicetree/tree.ts';
import { printable } from '../printable.ts';

/** What a tree says of its board without a boot. */
export interface BoardTree extends Suppliers {
  readonly waits: Waits;
  /** Whose drivers it was held against; null where none was named. */
  readonly release: string | null;
  /** What a boot changes in the tree; null where the board cannot be booted. */
  readonly changes: readonly TreeChangeLine[] | null;
  /** Why it cannot. */
  readonly refusal: string | null;
}

/** One line of the difference between a tree and what the guest gets, and why it is so. */
interface TreeChangeLine {
  readonly change: string;
  readonly why: string;
}

/** Differences whose values depend on the kernel that is booted. */
const OF_KERNEL: ReadonlySet<string> = new Set(['linux,initrd-start', 'linux,initrd-end']);

export function treeChanges(tree: DeviceTree, laid: Pick<Transplant, 'tree' | 'changes'>): TreeChangeLine[] {
  const pathOf = (difference: TreeDifference) => ('path' in difference ? difference.path : '/');
  return diffTrees(tree, laid.tree).map((difference) => {
    const path = pathOf(difference);
    const why = laid.changes.find((change) => path === change.path || path.startsWith(`${change.path}/`))?.why ?? '';
    const isOfKernel = 'property' in difference && OF_KERNEL.has(difference.property);
    const change = isOfKernel
      ? `${path}: ${difference.property}: where the kernel leaves room`
      : formatDifference(difference);
    return { change, why };
  });
}

/** Suppliers of a tree as text: sums, changes, waits, cycles, disabled suppliers, then who needs whom. */
export function formatSuppliers(board: BoardTree, name: string): string {
  const { links, cycles, disabled } = board;
  const consumers = new Map<string, Link[]>();
  for (const link of links) consumers.set(link.consumer, [...(consumers.get(link.consumer) ?? []), link]);
  const lines = [
    `${name}: ${links.length} links of ${consumers.size} devices to suppliers, ` +
      `${cycles.length} cycles, ${disabled.length} links to disabled suppliers`,
    ...changedLines(board),
    ...waitLines(board),
    ...(cycles.length === 0 ? [] : ['', 'cycles (fw_devlink does not enforce the links in them):']),
    ...cycles.map((cycle) => `  ${cycle.join(', ')}`),
    ...(disabled.length === 0 ? [] : ['', 'disabled suppliers:']),
    ...disabled.map(({ consumer, supplier, properties }) => `  ${consumer}: ${supplier} (${properties.join(', ')})`),
    ...(consumers.size === 0 ? [] : ['', 'suppliers:']),
    ...[...consumers].map(
      ([consumer, its]) =>
        `  ${consumer}: ${its.map(({ supplier, properties }) => `${supplier} (${properties.join(', ')})`).join(', ')}`,
    ),
  ];
  return `${lines.map(printable).join('\n')}\n`;
}

function changedLines({ changes, refusal }: BoardTree): string[] {
  if (changes === null) return ['', `it cannot be booted: ${refusal ?? ''}`];
  return [
    '',
    'changed in the tree for a boot, beside the kernel command line:',
    ...changes.map(({ change, why }) => `  ${change}${why === '' ? '' : `  # ${why}`}`),
  ];
}

function waitLines({ waits, release }: BoardTree): string[] {
  const known = release === null ? 'every device is taken to have a driver' : `with the drivers of ${release}`;
  const groups = new Map<string, string[]>();
  for (const value of FW_DEVLINK) {
    const forced = waits[value].filter(({ guess }) => !guess);
    const text = forced.map(({ consumer, supplier, why }) => `    ${consumer}: ${supplier}: ${why}`).join('\n');
    groups.set(text, [...(groups.get(text) ?? []), value]);
  }
  const guesses = waits.off.filter(({ guess }) => guess);
  const consumers = new Set(guesses.map(({ consumer }) => consumer)).size;
  return [
    '',
    `would wait for ever (${known}):`,
    ...[...groups].flatMap(([text, values]) =>
      text === ''
        ? [`  fw_devlink=${values.join(', ')}: no device, for a link`]
        : [`  fw_devlink=${values.join(', ')}:`, ...text.split('\n')],
    ),
    `  whatever it is, a guess: ${consumers} devices, where their drivers insist on a supplier that is disabled, ` +
      'or that needs them itself',
  ];
}

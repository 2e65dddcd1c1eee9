import { formatValue } from './dts.ts';
import { type DeviceTree, joinPath, parentPath, type TreeNode, walk } from './tree.ts';
import { phandleOf } from './values.ts';

/**
 * One difference between a tree and a changed one. Paths of `removed` and `from` are the old tree's, all others the new
 * tree's.
 */
export type TreeDifference =
  | { readonly kind: 'node-added'; readonly path: string }
  | { readonly kind: 'node-removed'; readonly path: string }
  /** Under another parent. */
  | { readonly kind: 'node-moved'; readonly from: string; readonly path: string }
  /** At another place among its siblings; `after` is the name of the sibling before it, null for the first place. */
  | { readonly kind: 'node-reordered'; readonly path: string; readonly after: string | null; readonly last: boolean }
  | { readonly kind: 'property-added'; readonly path: string; readonly property: string; readonly value: Uint8Array }
  | { readonly kind: 'property-removed'; readonly path: string; readonly property: string; readonly value: Uint8Array }
  | {
      readonly kind: 'property-changed';
      readonly path: string;
      readonly property: string;
      readonly before: Uint8Array;
      readonly value: Uint8Array;
    }
  | {
      readonly kind: 'header-changed';
      readonly what: 'boot cpu' | 'reservations';
      readonly before: string;
      readonly after: string;
    };

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** Positions of a longest increasing run of `numbers`: those that can stay where they are when the rest moves. */
function longestIncreasing(numbers: readonly number[]): Set<number> {
  const ends: number[] = []; // ends[n]: position of the smallest number that ends a run of n + 1
  const before: number[] = [];
  for (const [position, number] of numbers.entries()) {
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((numbers[ends[middle] ?? 0] ?? 0) < number) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    before[position] = low === 0 ? -1 : (ends[low - 1] ?? -1);
    ends[low] = position;
  }
  const stay = new Set<number>();
  for (let position = ends.at(-1) ?? -1; position >= 0; position = before[position] ?? -1) {
    stay.add(position);
  }
  return stay;
}

/** What tells a node apart when its path has changed: its name and phandle, or its name and all its own properties. */
function identity(node: TreeNode): string {
  const phandle = phandleOf(node);
  const own =
    phandle ?? [...node.properties].map(([name, value]) => `${name}=${Buffer.from(value).toString('hex')}`).join(' ');
  return `${node.name} ${own}`;
}

/**
 * Nodes of `a` that `b` has at another path: each identity that is gone once and new once. Subtrees move as a whole.
 */
function findMoves(a: DeviceTree, b: DeviceTree): Map<string, string> {
  const oldNodes = new Map([...walk(a.root)].map(({ path, node }) => [path, node]));
  const newNodes = new Map([...walk(b.root)].map(({ path, node }) => [path, node]));
  const collect = (nodes: Map<string, TreeNode>, others: Map<string, TreeNode>): Map<string, string | null> => {
    const byIdentity = new Map<string, string | null>();
    for (const [path, node] of nodes) {
      if (!others.has(path)) {
        const key = identity(node);
        byIdentity.set(key, byIdentity.has(key) ? null : path);
      }
    }
    return byIdentity;
  };
  const gone = collect(oldNodes, newNodes);
  const moves = new Map<string, string>();
  for (const [key, path] of collect(newNodes, oldNodes)) {
    const from = gone.get(key);
    if (path !== null && from !== undefined && from !== null) {
      moves.set(path, from);
    }
  }
  return moves;
}

function diffProperties(before: TreeNode, after: TreeNode, path: string): TreeDifference[] {
  const differences: TreeDifference[] = [];
  for (const [property, value] of before.properties) {
    const now = after.properties.get(property);
    if (now === undefined) {
      differences.push({ kind: 'property-removed', path, property, value });
    } else if (!equalBytes(value, now)) {
      differences.push({ kind: 'property-changed', path, property, before: value, value: now });
    }
  }
  for (const [property, value] of after.properties) {
    if (!before.properties.has(property)) {
      differences.push({ kind: 'property-added', path, property, value });
    }
  }
  return differences;
}

/** The fewest siblings, of those that both have, that changed their place. */
function diffOrder(before: TreeNode, after: TreeNode, path: string): TreeDifference[] {
  const places = new Map(before.children.map((child, index) => [child.name, index]));
  const common = after.children.filter((child) => places.has(child.name));
  const stay = longestIncreasing(common.map((child) => places.get(child.name) ?? 0));
  return common.flatMap((child, index) =>
    stay.has(index)
      ? []
      : [
          {
            kind: 'node-reordered' as const,
            path: joinPath(path, child.name),
            after: after.children[after.children.indexOf(child) - 1]?.name ?? null,
            last: after.children.at(-1) === child,
          },
        ],
  );
}

function reservations(tree: DeviceTree): string {
  return tree.reservations.map(({ address, size }) => `0x${address.toString(16)}+0x${size.toString(16)}`).join(' ');
}

/**
 * What changed from `a` to `b`, in the order of `b`. A node under another parent is recognised by its name and phandle,
 * or by its name and properties, where that is clear; the order of properties says nothing and is not compared.
 */
export function diffTrees(a: DeviceTree, b: DeviceTree): TreeDifference[] {
  const differences: TreeDifference[] = [];
  if (a.bootCpu !== b.bootCpu) {
    differences.push({ kind: 'header-changed', what: 'boot cpu', before: `${a.bootCpu}`, after: `${b.bootCpu}` });
  }
  const [oldReservations, newReservations] = [reservations(a), reservations(b)];
  if (oldReservations !== newReservations) {
    differences.push({ kind: 'header-changed', what: 'reservations', before: oldReservations, after: newReservations });
  }
  const moves = findMoves(a, b);
  const movedFrom = new Set(moves.values());
  const oldNodes = new Map([...walk(a.root)].map(({ path, node }) => [path, node]));

  /** `oldPath` is where the node was in `a`. */
  const compare = (before: TreeNode, after: TreeNode, oldPath: string, path: string): void => {
    differences.push(...diffProperties(before, after, path));
    const remaining = new Set(after.children.map((child) => child.name));
    for (const child of before.children) {
      const childPath = joinPath(oldPath, child.name);
      if (!remaining.has(child.name) && !movedFrom.has(childPath)) {
        differences.push({ kind: 'node-removed', path: childPath });
      }
    }
    const old = new Map(before.children.map((child) => [child.name, child]));
    for (const child of after.children) {
      const childPath = joinPath(path, child.name);
      const same = old.get(child.name);
      const from = moves.get(childPath);
      const moved = from === undefined ? undefined : oldNodes.get(from);
      if (same !== undefined) {
        compare(same, child, joinPath(oldPath, child.name), childPath);
      } else if (moved !== undefined && from !== undefined) {
        differences.push({ kind: 'node-moved', from, path: childPath });
        compare(moved, child, from, childPath);
      } else {
        differences.push({ kind: 'node-added', path: childPath });
        for (const { path: inside } of walk(child, childPath)) {
          const origin = moves.get(inside);
          if (origin !== undefined && !moves.has(parentPath(inside))) {
            differences.push({ kind: 'node-moved', from: origin, path: inside });
          }
        }
      }
    }
    differences.push(...diffOrder(before, after, path));
  };
  compare(a.root, b.root, '/', '/');
  return differences;
}

function formatPropertyValue(value: Uint8Array): string {
  return value.length === 0 ? 'present' : formatValue(value);
}

/** One line, as a person would say it: `moved /firmware/scm to /scm`. */
export function formatDifference(difference: TreeDifference): string {
  switch (difference.kind) {
    case 'node-added':
      return `added ${difference.path}`;
    case 'node-removed':
      return `removed ${difference.path}`;
    case 'node-moved':
      return `moved ${difference.from} to ${difference.path}`;
    case 'node-reordered': {
      const place = difference.after === null ? 'first among its siblings' : `after ${difference.after}`;
      return `placed ${difference.path} ${difference.last ? 'last among its siblings' : place}`;
    }
    case 'property-added':
      return `${difference.path}: ${difference.property} added: ${formatPropertyValue(difference.value)}`;
    case 'property-removed':
      return `${difference.path}: ${difference.property} removed (was ${formatPropertyValue(difference.value)})`;
    case 'property-changed': {
      const [before, after] = [difference.before, difference.value].map(formatPropertyValue);
      return `${difference.path}: ${difference.property} ${before} -> ${after}`;
    }
    case 'header-changed':
      return `${difference.what}: ${difference.before || 'none'} -> ${difference.after || 'none'}`;
  }
}

import { InputError } from '../errors.ts';
import {
  checkedPhandle,
  highestPhandle,
  OVERLAY_REMEDY,
  raisePhandles,
  renamePhandles,
  resolveLabels,
} from './fixups.ts';
import { findNode, labelsOf, phandlesOf } from './lookup.ts';
import {
  childNamed,
  type DeviceTree,
  emptyNode,
  joinPath,
  nodeAt,
  splitPath,
  type TreeNode,
  updateNode,
  walk,
  withProperty,
} from './tree.ts';
import {
  cellProperty,
  encodeCells,
  encodeStrings,
  PHANDLE_PROPERTIES,
  phandleOf,
  readString,
  stringProperty,
} from './values.ts';

/**
 * Overlays as libfdt applies them (fdt_overlay.c; dtc's Documentation/dt-object-internal.txt), with one difference: what an overlay
 * adds comes last in its node, in the overlay's order, as when dtc compiles it all from one source. libfdt puts it first, in reverse.
 * The order of nodes is what this project is about, so it follows the source.
 */

const CONTENT = '__overlay__';
const SYMBOLS = '__symbols__';
/** LABEL of dtc's grammar (dtc-lexer.l, 1.6.1). */
const LABEL = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** `content` laid over `node`: its properties win but for a phandle, its nodes are merged by name, new ones come last. */
function mergeNode(node: TreeNode, content: TreeNode): TreeNode {
  const properties = new Map(node.properties);
  const hasPhandle = phandleOf(node) !== null;
  for (const [name, value] of content.properties) {
    if (!(hasPhandle && PHANDLE_PROPERTIES.includes(name))) {
      properties.set(name, value);
    }
  }
  const children = new Map(node.children.map((child) => [child.name, child]));
  for (const child of content.children) {
    children.set(child.name, mergeNode(children.get(child.name) ?? emptyNode(child.name), child));
  }
  return { ...node, properties, children: [...children.values()] };
}

/** Where a fragment goes: `target`, a phandle, or else `target-path`. */
function targetOf(tree: DeviceTree, phandles: ReadonlyMap<number, string>, fragment: TreeNode): string {
  const target = cellProperty(fragment, 'target');
  if (target !== null) {
    const path = phandles.get(target);
    if (path === undefined) {
      throw new InputError(
        `${fragment.name} of the overlay has the target 0x${target.toString(16)}, and no node has this phandle`,
        OVERLAY_REMEDY,
      );
    }
    return path;
  }
  const path = stringProperty(fragment, 'target-path');
  if (path === null) {
    throw new InputError(`${fragment.name} of the overlay has neither a target nor a target-path`, OVERLAY_REMEDY);
  }
  return findNode(tree, path);
}

/** Phandles of `content` that give way: its own, and the one that is there. */
function* shadowedPhandles(node: TreeNode, content: TreeNode): Generator<[given: number, kept: number]> {
  const [kept, given] = [phandleOf(node), phandleOf(content)];
  if (kept !== null && given !== null && kept !== given) {
    yield [given, kept];
  }
  for (const child of content.children) {
    const same = childNamed(node, child.name);
    if (same !== undefined) {
      yield* shadowedPhandles(same, child);
    }
  }
}

interface Merged {
  readonly root: TreeNode;
  /** Full path of each fragment's target, by the fragment's name. */
  readonly targets: ReadonlyMap<string, string>;
  readonly shadowed: ReadonlyMap<number, number>;
}

/** Fragments in order; one may have a target that an earlier one brought. */
function mergeFragments(base: DeviceTree, overlay: TreeNode): Merged {
  const phandles = phandlesOf(base.root);
  const targets = new Map<string, string>();
  const shadowed = new Map<number, number>();
  let tree = base;
  for (const fragment of overlay.children) {
    const content = childNamed(fragment, CONTENT);
    if (content === undefined) {
      continue;
    }
    const target = targetOf(tree, phandles, fragment);
    targets.set(fragment.name, target);
    const node = nodeAt(tree.root, target) ?? emptyNode('');
    for (const [given, kept] of shadowedPhandles(node, content)) {
      shadowed.set(given, kept);
    }
    for (const placed of walk(content, target)) {
      const phandle = phandleOf(placed.node);
      if (phandle !== null) {
        phandles.set(phandle, placed.path);
      }
    }
    tree = { ...tree, root: updateNode(tree.root, target, (old) => mergeNode(old, content)) };
  }
  if (targets.size === 0) {
    throw new InputError('the overlay has no fragment, so it would change nothing', OVERLAY_REMEDY);
  }
  return { root: tree.root, targets, shadowed };
}

function addSymbols(root: TreeNode, symbols: ReadonlyMap<string, Uint8Array>): TreeNode {
  return symbols.size === 0
    ? root
    : mergeNode(root, { ...emptyNode(''), children: [{ ...emptyNode(SYMBOLS), properties: symbols }] });
}

/** The overlay's own labels as labels of the merged tree. Paths that are in no fragment are left out, as in libfdt. */
function overlaySymbols(overlay: TreeNode, targets: ReadonlyMap<string, string>): Map<string, Uint8Array> {
  const symbols = new Map<string, Uint8Array>();
  for (const [label, value] of childNamed(overlay, SYMBOLS)?.properties ?? []) {
    const path = readString(value);
    if (path === null || !path.startsWith('/')) {
      throw new InputError(`the label ${label} of the overlay has no path`, OVERLAY_REMEDY);
    }
    const [fragment = '', content, ...rest] = splitPath(path);
    const target = targets.get(fragment);
    if (target !== undefined && content === CONTENT) {
      symbols.set(label, encodeStrings([rest.reduce(joinPath, target)]));
    }
  }
  return symbols;
}

/**
 * The base with an overlay (a tree compiled by `dtc -@` from a source with /plugin/) applied to it. Phandles of the base stay, those of
 * the overlay are raised above them; a node that has one in both keeps the base's, as in libfdt since dtc 1.7.1.
 * @throws InputError for a label or a target that the base does not have, and for fixups that do not fit the overlay.
 */
export function applyOverlay(base: DeviceTree, overlay: DeviceTree): DeviceTree {
  let resolved = resolveLabels(base, raisePhandles(overlay.root, highestPhandle(base.root)));
  let merged = mergeFragments(base, resolved);
  if (merged.shadowed.size > 0) {
    resolved = renamePhandles(resolved, merged.shadowed);
    merged = mergeFragments(base, resolved);
  }
  return { ...base, root: addSymbols(merged.root, overlaySymbols(resolved, merged.targets)) };
}

/**
 * The tree with labels (/__symbols__) for nodes named by path, `{ gic: '/intc@8000000' }`, and phandles for those that have none: for a
 * base without labels, such as QEMU's own.
 * @throws InputError where a node does not exist, or a label stands for another node already.
 */
export function withLabels(tree: DeviceTree, labels: Readonly<Record<string, string>>): DeviceTree {
  const known = labelsOf(tree);
  const symbols = new Map<string, Uint8Array>();
  let root = tree.root;
  let highest = highestPhandle(root);
  for (const [label, reference] of Object.entries(labels)) {
    if (!LABEL.test(label)) {
      throw new InputError(`${JSON.stringify(label)} is no label of a device tree`, 'use letters, digits and _');
    }
    const path = findNode(tree, reference);
    const other = known.get(label);
    if (other !== undefined && other !== path) {
      throw new InputError(`the label &${label} stands for ${other} already and cannot stand for ${path}`);
    }
    const node = nodeAt(root, path);
    if (node !== undefined && phandleOf(node) === null) {
      highest = checkedPhandle(highest + 1);
      const phandle = encodeCells([highest]);
      root = updateNode(root, path, (target) => withProperty(target, 'phandle', phandle));
    }
    symbols.set(label, encodeStrings([path]));
  }
  return { ...tree, root: addSymbols(root, symbols) };
}

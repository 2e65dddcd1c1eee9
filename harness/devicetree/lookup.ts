import { InputError } from '../errors.ts';
import { editDistance } from '../suggest.ts';
import { childNamed, type DeviceTree, joinPath, nodeAt, splitPath, type TreeNode, walk } from './tree.ts';
import { phandleOf, stringProperty } from './values.ts';

/** Finding nodes by what people and blobs call them: a path, an alias, or a label of a tree compiled with `dtc -@`. */

const MAX_SUGGESTIONS = 3;
/** A typing error more than a third of the word away is another word. */
const SUGGESTION_SHARE = 3;

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** "did you mean" hint: spelled alike, or the same node name elsewhere, with or without its unit address. */
function suggestion(wanted: string, candidates: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(wanted.length / SUGGESTION_SHARE));
  const [wantedName = ''] = lastPart(wanted).split('@');
  const near = candidates
    .map((candidate) => {
      const sameName = wantedName !== '' && lastPart(candidate).split('@')[0] === wantedName;
      return { candidate, far: sameName ? 1 : editDistance(wanted, candidate) };
    })
    .filter(({ far }) => far <= limit)
    .sort((a, b) => a.far - b.far)
    .slice(0, MAX_SUGGESTIONS)
    .map(({ candidate }) => candidate);
  return near.length === 0 ? undefined : `did you mean ${near.join(' or ')}?`;
}

/**
 * Full path of the node at `path`, where a part without unit address may stand for the only node of that name, as in
 * the paths of /aliases (Devicetree Specification v0.4, section 2.2.3). Null where there is none or more than one.
 */
export function completePath(root: TreeNode, path: string): string | null {
  let node = root;
  let full = '/';
  for (const part of splitPath(path)) {
    const exact = childNamed(node, part);
    const alike = exact === undefined ? node.children.filter((child) => child.name.split('@')[0] === part) : [exact];
    const [next] = alike;
    if (next === undefined || alike.length > 1) {
      return null;
    }
    node = next;
    full = joinPath(full, next.name);
  }
  return full;
}

/** Labels of the tree and the full paths that they name: the properties of /__symbols__. */
export function labelsOf(tree: DeviceTree): Map<string, string> {
  const labels = new Map<string, string>();
  const symbols = nodeAt(tree.root, '/__symbols__');
  for (const label of symbols?.properties.keys() ?? []) {
    const path = symbols === undefined ? null : stringProperty(symbols, label);
    if (path !== null) {
      labels.set(label, path);
    }
  }
  return labels;
}

function findLabel(tree: DeviceTree, label: string): string {
  const labels = labelsOf(tree);
  const path = labels.get(label);
  if (path === undefined) {
    throw new InputError(
      `the device tree has no label &${label}`,
      labels.size === 0
        ? 'it has no labels at all: compile it with dtc -@, or give the full path'
        : (suggestion(label, [...labels.keys()]) ?? 'give the full path of the node'),
    );
  }
  if (nodeAt(tree.root, path) === undefined) {
    throw new InputError(`the label &${label} stands for ${path}, which is not in the device tree`);
  }
  return path;
}

/**
 * Full path of the node that `reference` names: `/full/path`, `&label`, or an alias with or without a path after it.
 * @throws InputError with near matches where there is no such node.
 */
export function findNode(tree: DeviceTree, reference: string): string {
  if (reference.startsWith('&')) {
    return findLabel(tree, reference.slice(1));
  }
  let path = reference;
  if (!reference.startsWith('/')) {
    const [alias = '', ...rest] = reference.split('/');
    const aliases = nodeAt(tree.root, '/aliases');
    const target = aliases === undefined ? null : stringProperty(aliases, alias);
    path = target === null ? path : [target, ...rest].join('/');
  }
  const full = path.startsWith('/') ? completePath(tree.root, path) : null;
  if (full === null) {
    const paths = [...walk(tree.root)].map((placed) => placed.path);
    throw new InputError(
      `the device tree has no node ${reference}`,
      suggestion(reference, paths) ?? 'give a full path, /soc/serial@0, or a label, &uart0',
    );
  }
  return full;
}

/** Full paths by phandle; where a broken tree has one twice, the first node. */
export function phandlesOf(root: TreeNode): Map<number, string> {
  const phandles = new Map<number, string>();
  for (const { path, node } of walk(root)) {
    const phandle = phandleOf(node);
    if (phandle !== null && !phandles.has(phandle)) {
      phandles.set(phandle, path);
    }
  }
  return phandles;
}

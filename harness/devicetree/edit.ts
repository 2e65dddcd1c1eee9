import { InputError } from '../errors.ts';
import type { TreeEdit } from '../model/tree-edit.ts';
import { isPropertyName } from './format.ts';
import { findNode } from './lookup.ts';
import { chosenPaths, mapPaths, referencesInto } from './references.ts';
import {
  childNamed,
  type DeviceTree,
  isWithin,
  joinPath,
  nodeAt,
  parentPath,
  removeNode,
  type TreeNode,
  updateNode,
  withoutProperty,
  withProperty,
} from './tree.ts';
import { cellProperty, encodeStrings, encodeValue, PHANDLE_PROPERTIES } from './values.ts';

type Edit<Kind extends TreeEdit['edit']> = Extract<TreeEdit, { readonly edit: Kind }>;

/** Devicetree Specification v0.4, section 2.3.5: what a parent without these properties has. */
const DEFAULT_ADDRESS_CELLS = 2;
const DEFAULT_SIZE_CELLS = 1;
const MAX_NAMED = 3;

function existing(tree: DeviceTree, path: string): TreeNode {
  const node = nodeAt(tree.root, path);
  if (node === undefined) {
    throw new Error(`no node ${path}: findNode() gave a path that is not in the tree`);
  }
  return node;
}

function notTheRoot(path: string, verb: string): void {
  if (path === '/') {
    throw new InputError(`the root node of the device tree cannot be ${verb}`, 'name a node below it');
  }
}

/** `reg` is read with the parent's cell counts: under another parent the same bytes must not mean something else. */
function checkReg(tree: DeviceTree, path: string, newParent: string): void {
  if (!existing(tree, path).properties.has('reg')) {
    return;
  }
  const counts = (parent: string): string => {
    const node = existing(tree, parent);
    const address = cellProperty(node, '#address-cells') ?? DEFAULT_ADDRESS_CELLS;
    const size = cellProperty(node, '#size-cells') ?? DEFAULT_SIZE_CELLS;
    return `${address} address and ${size} size cells`;
  };
  const [before, after] = [counts(parentPath(path)), counts(newParent)];
  if (before !== after) {
    throw new InputError(
      `cannot move ${path} to ${newParent}: an entry of its reg has ${before}, and the children there have ${after}`,
      'unset reg before the move, and set it after it',
    );
  }
}

function move(tree: DeviceTree, edit: Edit<'move'>): DeviceTree {
  const path = findNode(tree, edit.node);
  notTheRoot(path, 'moved');
  const parent = edit.parent === undefined ? parentPath(path) : findNode(tree, edit.parent);
  if (isWithin(parent, path)) {
    throw new InputError(`cannot move ${path} into ${parent}, which is inside of it`, 'name another parent');
  }
  const node = existing(tree, path);
  const newPath = joinPath(parent, node.name);
  if (parent !== parentPath(path)) {
    if (childNamed(existing(tree, parent), node.name) !== undefined) {
      throw new InputError(
        `cannot move ${path} to ${parent}: there is a node ${newPath} already`,
        'delete that one first',
      );
    }
    checkReg(tree, path, parent);
  }
  const moved = updateNode(removeNode(tree.root, path), parent, (target) => ({
    ...target,
    children: edit.to === 'first' ? [node, ...target.children] : [...target.children, node],
  }));
  const root =
    newPath === path
      ? moved
      : mapPaths(moved, tree.root, (old) => (isWithin(old, path) ? newPath + old.slice(path.length) : old));
  return { ...tree, root };
}

function remove(tree: DeviceTree, edit: Edit<'delete'>): DeviceTree {
  const path = findNode(tree, edit.node);
  notTheRoot(path, 'deleted');
  const references = referencesInto(tree, path);
  const [first] = references;
  if (first !== undefined) {
    const users = references.slice(0, MAX_NAMED).map(({ from, property }) => `${from} (${property})`);
    const more = references.length > MAX_NAMED ? ` and ${references.length - MAX_NAMED} more` : '';
    throw new InputError(
      `cannot delete ${path}: ${users.join(', ')}${more} refers to ${first.to}`,
      'delete the users first or unset the property, or disable the node instead',
    );
  }
  const console = chosenPaths(tree).find((chosen) => isWithin(chosen.path, path));
  if (console !== undefined) {
    throw new InputError(
      `cannot delete ${path}: ${console.property} of /chosen names ${console.path}`,
      `set or unset ${console.property} of /chosen first`,
    );
  }
  const root = mapPaths(removeNode(tree.root, path), tree.root, (old) => (isWithin(old, path) ? null : old));
  return { ...tree, root };
}

function propertyOf(path: string, property: string): string {
  const what = `the property ${JSON.stringify(property)} of ${path}`;
  if (PHANDLE_PROPERTIES.includes(property)) {
    throw new InputError(`${what} cannot be edited: other nodes refer to it`, 'phandles are kept by every edit');
  }
  if (!isPropertyName(property)) {
    throw new InputError(`${what} is no valid property name`, 'a name has letters, digits and any of , . _ + * # ? -');
  }
  return what;
}

function set(tree: DeviceTree, edit: Edit<'set'>): DeviceTree {
  const path = findNode(tree, edit.node);
  const value = encodeValue(edit.value, propertyOf(path, edit.property));
  return { ...tree, root: updateNode(tree.root, path, (node) => withProperty(node, edit.property, value)) };
}

function unset(tree: DeviceTree, edit: Edit<'unset'>): DeviceTree {
  const path = findNode(tree, edit.node);
  const what = propertyOf(path, edit.property);
  const node = existing(tree, path);
  if (!node.properties.has(edit.property)) {
    const names = [...node.properties.keys()].join(', ');
    throw new InputError(`${what} is not there to be unset`, names === '' ? 'it has no properties' : `it has ${names}`);
  }
  return { ...tree, root: updateNode(tree.root, path, (target) => withoutProperty(target, edit.property)) };
}

function disable(tree: DeviceTree, edit: Edit<'disable'>): DeviceTree {
  const path = findNode(tree, edit.node);
  notTheRoot(path, 'disabled');
  const value = encodeStrings(['disabled']); // Devicetree Specification v0.4, section 2.3.4.
  return { ...tree, root: updateNode(tree.root, path, (node) => withProperty(node, 'status', value)) };
}

function applyEdit(tree: DeviceTree, edit: TreeEdit): DeviceTree {
  switch (edit.edit) {
    case 'move':
      return move(tree, edit);
    case 'delete':
      return remove(tree, edit);
    case 'disable':
      return disable(tree, edit);
    case 'set':
      return set(tree, edit);
    case 'unset':
      return unset(tree, edit);
  }
}

/**
 * The tree after all edits, one after the other: a later edit finds a moved node at its new path. Phandles stay as they
 * are. Labels (/__symbols__), /aliases, the console paths of /chosen and an overlay's fixups follow a node that moves;
 * labels and aliases of a deleted node go with it. A node that known properties still refer to by phandle, or that is
 * the console, is not deleted.
 * @throws InputError that names the node, with near matches where it does not exist.
 */
export function editTree(tree: DeviceTree, edits: readonly TreeEdit[]): DeviceTree {
  return edits.reduce(applyEdit, tree);
}

import { InputError } from '../errors.ts';
import { CELL_SIZE, isPropertyName } from './format.ts';
import { labelsOf } from './lookup.ts';
import { childNamed, type DeviceTree, mapNodes, nodeAt, type TreeNode, walk } from './tree.ts';
import {
  cellProperty,
  encodeCells,
  isPhandle,
  PHANDLE_PROPERTIES,
  phandleOf,
  readCells,
  readStrings,
} from './values.ts';

/**
 * Phandles of an overlay. Its blob says where they stand: /__local_fixups__ for those of its own nodes, /__fixups__ for those of
 * labels of the base (dtc's Documentation/dt-object-internal.txt). Every pass here goes through the overlay once.
 */

export const OVERLAY_REMEDY = 'compile the overlay again: dtc -@ -O dtb, with /plugin/ in its source';
const FIXUPS = '__fixups__';
const LOCAL_FIXUPS = '__local_fixups__';

type CellChange = (cell: number) => number;
/** What to change: by path, by property, by byte offset, which need not be a multiple of four. */
type CellChanges = Map<string, Map<string, Map<number, CellChange>>>;

function addChange(changes: CellChanges, path: string, property: string, offset: number, change: CellChange): void {
  const node = changes.get(path) ?? new Map<string, Map<number, CellChange>>();
  const places = node.get(property) ?? new Map<number, CellChange>();
  changes.set(path, node.set(property, places.set(offset, change)));
}

function misplaced(path: string, property: string, offset: number): InputError {
  return new InputError(
    `the overlay has a fixup for byte ${offset} of ${property} of ${path}, which is not in it`,
    OVERLAY_REMEDY,
  );
}

function changeCells(root: TreeNode, changes: CellChanges): TreeNode {
  for (const [path, properties] of changes) {
    const node = nodeAt(root, path);
    for (const [property, places] of properties) {
      const length = node?.properties.get(property)?.length ?? 0;
      for (const offset of places.keys()) {
        if (offset + CELL_SIZE > length) {
          throw misplaced(path, property, offset);
        }
      }
    }
  }
  return mapNodes(root, (node, path) => {
    const changed = changes.get(path);
    if (changed === undefined) {
      return node;
    }
    const properties = new Map(node.properties);
    for (const [property, places] of changed) {
      const value = (properties.get(property) ?? new Uint8Array()).slice();
      const view = new DataView(value.buffer);
      for (const [offset, change] of places) {
        view.setUint32(offset, change(view.getUint32(offset)));
      }
      properties.set(property, value);
    }
    return { ...node, properties };
  });
}

/** Every phandle of the overlay's own nodes, and every reference to one, through `change`. */
function changeOwnPhandles(root: TreeNode, change: CellChange): TreeNode {
  const changes: CellChanges = new Map();
  const fixups = childNamed(root, LOCAL_FIXUPS);
  for (const { path, node } of fixups === undefined ? [] : walk(fixups)) {
    for (const [property, value] of node.properties) {
      const offsets = readCells(value);
      if (offsets === null) {
        throw new InputError(`the overlay's local fixups of ${property} of ${path} are not cells`, OVERLAY_REMEDY);
      }
      for (const offset of offsets) {
        addChange(changes, path, property, offset, change);
      }
    }
  }
  const withReferences = changeCells(root, changes);
  return mapNodes(withReferences, (node) => {
    const properties = new Map(node.properties);
    for (const name of PHANDLE_PROPERTIES) {
      const phandle = cellProperty(node, name);
      if (phandle !== null) {
        properties.set(name, encodeCells([change(phandle)]));
      }
    }
    return { ...node, properties };
  });
}

export function highestPhandle(root: TreeNode): number {
  let highest = 0;
  for (const { node } of walk(root)) {
    for (const name of PHANDLE_PROPERTIES) {
      const phandle = cellProperty(node, name) ?? 0;
      highest = isPhandle(phandle) ? Math.max(highest, phandle) : highest;
    }
  }
  return highest;
}

/** @throws InputError where a phandle made for a merged tree is none. */
export function checkedPhandle(phandle: number): number {
  if (!isPhandle(phandle)) {
    throw new InputError(
      `there are no phandles left above those of the device tree (0x${phandle.toString(16)} would be the next)`,
      'give the nodes of both trees smaller phandles',
    );
  }
  return phandle;
}

/** The overlay with its phandles raised by `delta`, so that none is one of the base. */
export function raisePhandles(overlay: TreeNode, delta: number): TreeNode {
  return changeOwnPhandles(overlay, (phandle) => checkedPhandle(phandle + delta));
}

/** The overlay with some of its phandles replaced by others. */
export function renamePhandles(overlay: TreeNode, renamed: ReadonlyMap<number, number>): TreeNode {
  return changeOwnPhandles(overlay, (phandle) => renamed.get(phandle) ?? phandle);
}

/** `path:property:offset` of /__fixups__. */
function parseFixup(text: string): { path: string; property: string; offset: number } {
  const [path = '', property = '', offset = '', ...rest] = text.split(':');
  if (!path.startsWith('/') || !isPropertyName(property) || !/^[0-9]{1,10}$/.test(offset) || rest.length > 0) {
    throw new InputError(`${JSON.stringify(text)} is no fixup of an overlay (path:property:offset)`, OVERLAY_REMEDY);
  }
  return { path, property, offset: Number(offset) };
}

/**
 * The overlay with its references to labels of the base made phandles.
 * @throws InputError for a label that the base does not have.
 */
export function resolveLabels(base: DeviceTree, overlay: TreeNode): TreeNode {
  const labels = labelsOf(base);
  const changes: CellChanges = new Map();
  for (const [label, value] of childNamed(overlay, FIXUPS)?.properties ?? []) {
    const places = readStrings(value);
    if (places === null) {
      throw new InputError(`the overlay's fixups of &${label} are no strings`, OVERLAY_REMEDY);
    }
    const path = labels.get(label);
    if (path === undefined) {
      const known =
        labels.size === 0 ? 'it has no labels at all: compile it with dtc -@' : [...labels.keys()].join(', ');
      throw new InputError(
        `the overlay needs the label &${label} (${places[0] ?? 'unused'}), which the device tree does not have`,
        labels.size === 0 ? known : `it has ${known}`,
      );
    }
    const target = nodeAt(base.root, path);
    const phandle = target === undefined ? null : phandleOf(target);
    if (phandle === null) {
      throw new InputError(
        `the overlay refers to &${label}, and ${path} ${target === undefined ? 'does not exist' : 'has no phandle'}`,
        'compile the base again: dtc -@',
      );
    }
    for (const place of places) {
      const { path: at, property, offset } = parseFixup(place);
      addChange(changes, at, property, offset, () => phandle);
    }
  }
  return changeCells(overlay, changes);
}

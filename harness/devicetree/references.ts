import { completePath, phandlesOf } from './lookup.ts';
import { type DeviceTree, emptyNode, joinPath, nodeAt, type TreeNode, updateNode, walk } from './tree.ts';
import { cellProperty, encodeStrings, phandleOf, readCells, readString, readStrings } from './values.ts';

/**
 * What in a tree names other nodes: by path (/aliases, /chosen, and what `dtc -@` adds) and by phandle. Paths are kept
 * in step when nodes move; phandles stay as they are, but nothing may be left pointing at a deleted node.
 */

/** Full path of a node after an edit; null where it is gone. */
export type PathMap = (path: string) => string | null;

/**
 * Properties of /chosen that hold a path or an alias, options after a colon
 * (Documentation/devicetree/bindings/chosen.txt).
 */
const CHOSEN_PATHS: readonly string[] = ['stdout-path', 'linux,stdout-path', 'stdin-path'];

/** The subtree at `path`, if it is there, with `update` applied; without it where `update` gives null. */
function updateIfPresent(root: TreeNode, name: string, update: (node: TreeNode) => TreeNode | null): TreeNode {
  const children = root.children.flatMap((child) => (child.name === name ? (update(child) ?? []) : [child]));
  return { ...root, children };
}

/** Each string value that is a path, through the map; properties whose node is gone are dropped. */
function mapPathProperties(node: TreeNode, oldRoot: TreeNode, map: PathMap): TreeNode {
  const properties = new Map<string, Uint8Array>();
  for (const [name, value] of node.properties) {
    const path = readString(value);
    const full = path?.startsWith('/') ? completePath(oldRoot, path) : null;
    const mapped = full === null ? full : map(full);
    if (full === null || mapped === full) {
      properties.set(name, value);
    } else if (mapped !== null) {
      properties.set(name, encodeStrings([mapped]));
    }
  }
  return { ...node, properties };
}

function mapChosen(node: TreeNode, oldRoot: TreeNode, map: PathMap): TreeNode {
  const properties = new Map(node.properties);
  for (const name of CHOSEN_PATHS) {
    const value = properties.get(name);
    const [path = '', ...options] = (value === undefined ? null : readString(value))?.split(':') ?? [];
    const full = path.startsWith('/') ? completePath(oldRoot, path) : null;
    const mapped = full === null ? null : map(full);
    if (mapped !== null && mapped !== full) {
      properties.set(name, encodeStrings([[mapped, ...options].join(':')]));
    }
  }
  return { ...node, properties };
}

/** /__fixups__ of an overlay: per label a list of `path:property:offset` (dtc 1.6.1, livetree.c). */
function mapFixups(node: TreeNode, map: PathMap): TreeNode {
  const properties = new Map<string, Uint8Array>();
  for (const [label, value] of node.properties) {
    const places = readStrings(value)?.flatMap((place) => {
      const [path = '', ...rest] = place.split(':');
      const mapped = map(path);
      return mapped === null ? [] : [[mapped, ...rest].join(':')];
    });
    if (places === undefined) {
      properties.set(label, value);
    } else if (places.length > 0) {
      properties.set(label, encodeStrings(places));
    }
  }
  return { ...node, properties };
}

function nodeWithPath(root: TreeNode, path: string): TreeNode {
  let result = root;
  let at = '/';
  for (const part of path.split('/').filter((name) => name !== '')) {
    const next = joinPath(at, part);
    if (nodeAt(result, next) === undefined) {
      result = updateNode(result, at, (node) => ({ ...node, children: [...node.children, emptyNode(part)] }));
    }
    at = next;
  }
  return result;
}

/**
 * /__local_fixups__ repeats the tree's shape below itself: each of its nodes goes where the node that it speaks of
 * goes.
 */
function mapLocalFixups(fixups: TreeNode, map: PathMap): TreeNode | null {
  let result = emptyNode('');
  let kept = false;
  for (const { path, node } of walk({ ...fixups, name: '' })) {
    const mapped = map(path);
    if (mapped !== null && node.properties.size > 0) {
      result = updateNode(nodeWithPath(result, mapped), mapped, (place) => ({ ...place, properties: node.properties }));
      kept = true;
    }
  }
  return kept ? { ...result, name: fixups.name } : null;
}

/** `root` is the tree after an edit; every path in it that was right in `oldRoot` is made right again by `map`. */
export function mapPaths(root: TreeNode, oldRoot: TreeNode, map: PathMap): TreeNode {
  let result = updateIfPresent(root, '__symbols__', (node) => mapPathProperties(node, oldRoot, map));
  result = updateIfPresent(result, 'aliases', (node) => mapPathProperties(node, oldRoot, map));
  result = updateIfPresent(result, 'chosen', (node) => mapChosen(node, oldRoot, map));
  result = updateIfPresent(result, '__fixups__', (node) => mapFixups(node, map));
  return updateIfPresent(result, '__local_fixups__', (node) => mapLocalFixups(node, map));
}

/** Where /chosen puts the console, `{ property, path }`, alias resolved. */
export function chosenPaths(tree: DeviceTree): { property: string; path: string }[] {
  const chosen = nodeAt(tree.root, '/chosen');
  const aliases = nodeAt(tree.root, '/aliases');
  return CHOSEN_PATHS.flatMap((property) => {
    const value = chosen?.properties.get(property);
    const [target = ''] = (value === undefined ? null : readString(value))?.split(':') ?? [];
    const alias = aliases?.properties.get(target);
    const path = alias === undefined ? target : (readString(alias) ?? '');
    const full = path.startsWith('/') ? completePath(tree.root, path) : null;
    return full === null ? [] : [{ property, path: full }];
  });
}

/**
 * Properties whose cells are phandles, each followed by as many cells as the named property of the node that it points
 * to says (null: none). From Documentation/devicetree/bindings; most are also the supplier bindings of
 * drivers/of/property.c, Linux 6.1.
 */
const REFERENCES: ReadonlyMap<string, string | null> = new Map([
  ['access-controllers', '#access-controller-cells'],
  ['backlight', null],
  ['clocks', '#clock-cells'],
  ['assigned-clocks', '#clock-cells'],
  ['assigned-clock-parents', '#clock-cells'],
  ['cpu', null],
  ['cpu-idle-states', null],
  ['dmas', '#dma-cells'],
  ['extcon', null],
  ['hwlocks', '#hwlock-cells'],
  ['interconnects', '#interconnect-cells'],
  ['interrupt-affinity', null],
  ['interrupt-parent', null],
  ['interrupts-extended', '#interrupt-cells'],
  ['io-channels', '#io-channel-cells'],
  ['iommus', '#iommu-cells'],
  ['leds', null],
  ['mboxes', '#mbox-cells'],
  ['memory-region', null],
  ['msi-parent', '#msi-cells'],
  ['next-level-cache', null],
  ['nvmem-cells', '#nvmem-cell-cells'],
  ['operating-points-v2', null],
  ['panel', null],
  ['phys', '#phy-cells'],
  ['power-domains', '#power-domain-cells'],
  ['pwms', '#pwm-cells'],
  ['remote-endpoint', null],
  ['required-opps', null],
  ['resets', '#reset-cells'],
  ['wakeup-parent', null],
]);
const PLAIN_REFERENCES = /^pinctrl-[0-9]+$|-supply$/;
const GPIO_REFERENCES = /(?:^|-)gpios?$/;
/** `ngpios` by another name: a number. parse_gpios() of drivers/of/property.c leaves it out too. */
const GPIO_COUNT = /nr-gpios$/;
/** `<id phandle id-there length>` each (pci-iommu.txt and pci-msi.txt of the bindings). */
const ID_MAPS: readonly string[] = ['iommu-map', 'msi-map'];
const ID_MAP_CELLS = 4;

/**
 * The same of properties that drivers follow and no supplier binding; a deleted node may be named in them, as the
 * kernel does not mind.
 */
export const FOLLOWED_BY_DRIVERS: ReadonlyMap<string, string | null> = new Map([
  ['io-backends', '#io-backend-cells'],
  ['mux-controls', '#mux-control-cells'],
  ['power-supplies', null],
  ['qcom,smem-states', '#qcom,smem-state-cells'],
  ['sound-dai', '#sound-dai-cells'],
  ['thermal-sensors', '#thermal-sensor-cells'],
]);
const NO_OTHERS: ReadonlyMap<string, string | null> = new Map();

function phandlesIn(
  name: string,
  value: Uint8Array,
  node: TreeNode,
  cellsAt: (phandle: number, of: string) => number,
  others: ReadonlyMap<string, string | null>,
) {
  const cells = readCells(value) ?? [];
  if (ID_MAPS.includes(name)) {
    return cells.filter((_, index) => index % ID_MAP_CELLS === 1);
  }
  let follow = REFERENCES.has(name) ? REFERENCES.get(name) : others.get(name);
  if (follow === undefined && PLAIN_REFERENCES.test(name)) {
    follow = null;
  } else if (
    follow === undefined &&
    GPIO_REFERENCES.test(name) &&
    !GPIO_COUNT.test(name) &&
    !node.properties.has('gpio-hog')
  ) {
    follow = '#gpio-cells'; // With gpio-hog the node has its parent's GPIO numbers and no phandle.
  }
  if (follow === undefined) {
    return [];
  }
  const found: number[] = [];
  for (let index = 0; index < cells.length; index++) {
    const phandle = cells[index] ?? 0;
    found.push(phandle);
    if (follow !== null) {
      index += cellsAt(phandle, follow);
    }
  }
  return found;
}

/** A property outside of `path` that points at a node within it. */
export interface Reference {
  readonly from: string;
  readonly property: string;
  readonly to: string;
  /** Which of the entries of the property it is, from 0. */
  readonly entry: number;
}

/**
 * References by phandle into the subtree at `path`, from outside of it. A phandle is only a number in the blob, so this
 * knows the properties of the common bindings ({@link REFERENCES}) and no others.
 */
export function referencesInto(tree: DeviceTree, path: string): Reference[] {
  const top = nodeAt(tree.root, path);
  const inside = new Map<number, string>();
  if (top !== undefined) {
    for (const placed of walk(top, path)) {
      const phandle = phandleOf(placed.node);
      if (phandle !== null) {
        inside.set(phandle, placed.path);
      }
    }
  }
  if (inside.size === 0) {
    return [];
  }
  return referencesTo(tree, inside).filter(({ from }) => from !== path && !from.startsWith(`${path}/`));
}

/**
 * All references by phandle of the common bindings ({@link REFERENCES}) to the nodes of these phandles, and those of
 * the properties in `others`.
 */
export function referencesTo(
  tree: DeviceTree,
  inside: ReadonlyMap<number, string>,
  others: ReadonlyMap<string, string | null> = NO_OTHERS,
): Reference[] {
  const paths = phandlesOf(tree.root);
  const cellsAt = (phandle: number, property: string): number => {
    const target = nodeAt(tree.root, paths.get(phandle) ?? '');
    return target === undefined || !paths.has(phandle) ? 0 : (cellProperty(target, property) ?? 0);
  };
  const found: Reference[] = [];
  for (const placed of walk(tree.root)) {
    for (const [property, value] of placed.node.properties) {
      for (const [entry, phandle] of phandlesIn(property, value, placed.node, cellsAt, others).entries()) {
        const to = inside.get(phandle);
        if (to !== undefined) {
          found.push({ from: placed.path, property, to, entry });
        }
      }
    }
  }
  return found;
}

import type { DeviceNodes } from '../board/device-nodes.ts';
import { interruptLinks } from '../board/suppliers.ts';
import { EITHER_WAY, isEarly, OPTIONAL } from '../board/waits.ts';
import { isEnabled } from '../devicetree/addresses.ts';
import { phandlesOf } from '../devicetree/lookup.ts';
import { FOLLOWED_BY_DRIVERS, referencesTo } from '../devicetree/references.ts';
import { type DeviceTree, nodeAt, parentPath, walk } from '../devicetree/tree.ts';
import { readCells, stringsOf } from '../devicetree/values.ts';
import type { LogSummary } from '../dmesg/summary.ts';
import { oneOf } from '../regex.ts';
import { compatiblesByPath, reach, supplierGraph } from './why-graph.ts';
import { mayBeBound, type Root, type RootCause, type Waiting, type Why } from './why-roots.ts';
import { isUnbound } from './why-settled.ts';
import { isEndedByTimeout, wantOf } from './why-wants.ts';

/**
 * Names, by a board's device tree, what a driver lacks that says only of which kind it is: the property of the device's
 * node for such a thing. The tree may be of another version than the log's. Pure.
 */

/** What the log says of a supplier. */
export type SupplierState =
  /** It is not bound either. */
  | 'unbound'
  /** The log has no word of it. */
  | 'untold'
  /** Its node is disabled, in the tree. */
  | 'disabled'
  | 'bound'
  /** Its driver speaks of it, and of no error last. */
  | 'spoken'
  /** A device that needs it is bound, or its driver speaks of it. */
  | 'needed'
  /** Every kernel sets it up before there are devices. */
  | 'early';

const IS_THERE: ReadonlySet<SupplierState> = new Set<SupplierState>(['bound', 'spoken', 'needed', 'early']);

export interface NamedSupplier {
  readonly node: string;
  /** Its device's name in the log, or else in the tree; the path of the node where no device is made of it. */
  readonly name: string;
  readonly compatible: readonly string[];
  /** Properties that name it, with the entry's own name where the tree has one: `clocks (core)`. */
  readonly properties: readonly string[];
  readonly state: SupplierState;
}

/** What a root waits for by the tree. */
export interface NamedRoot {
  readonly root: string;
  /** What is not there as far as the log tells. */
  readonly missing: readonly NamedSupplier[];
  /** What is. */
  readonly there: readonly NamedSupplier[];
}

/** With roots that several others wait for by the tree. */
export interface WithSuppliers {
  readonly found: Why;
  readonly named: readonly NamedRoot[];
}

/** A log may come from anywhere, and these are more than a board has. */
const MOST_ROOTS = 500;
/** So many suppliers of one root are told. */
const MOST_SUPPLIERS = 8;

/** Looks up what roots lack by the words of their drivers, and puts those below it that lack the same. */
export function withSuppliers(found: Why, summary: LogSummary, tree: DeviceTree, nodes: DeviceNodes): WithSuppliers {
  const known = new Suppliers(tree, nodes, summary);
  const named = found.roots.slice(0, MOST_ROOTS).flatMap((root): NamedRoot[] => {
    const wanted = wantedBy(root.cause);
    const suppliers = wanted === null ? [] : known.of(root.name, wanted).slice(0, MOST_SUPPLIERS);
    if (suppliers.length === 0) return [];
    const there = suppliers.filter(({ state }) => IS_THERE.has(state));
    return [{ root: root.name, missing: suppliers.filter((one) => !there.includes(one)), there }];
  });
  return { found: regrouped(found, named), named };
}

/** What is asked of the node of a root: which properties count, and the words that may name one of their entries. */
interface Wanted {
  readonly isMeant: (property: string) => boolean;
  readonly words: string | null;
}

function wantedBy(cause: RootCause): Wanted | null {
  if (cause.cause === 'unnamed-supplier') return { isMeant: () => true, words: null };
  if (cause.cause === 'timed-out') return { isMeant: isEndedByTimeout, words: null };
  if (cause.cause !== 'own-deferral') return null;
  const pattern = wantOf(cause.call)?.property ?? null;
  return pattern === null ? null : { isMeant: (property) => pattern.test(property), words: cause.call };
}

/** Without what only these properties name a device may work. */
function isNeeded([, properties]: readonly [string, readonly string[]]): boolean {
  return properties.length === 0 || properties.some((property) => !OPTIONAL.has(property) && property !== EITHER_WAY);
}

interface Entry {
  readonly property: string;
  /** What the entry is called, by the property for names beside it or by the property's own name. */
  readonly name: string | null;
  readonly to: string;
}

/** What the devices of a tree are supplied by, and what the log says of that. */
class Suppliers {
  readonly #tree: DeviceTree;
  readonly #nodes: DeviceNodes;
  readonly #compatible: ReadonlyMap<string, readonly string[]>;
  readonly #phandles: ReadonlyMap<number, string>;
  readonly #entries = new Map<string, Entry[]>();
  /** What the log calls a device, by the path of its node. */
  readonly #devices = new Map<string, string>();
  readonly #unbound = new Set<string>();
  readonly #bound = new Set<string>();
  readonly #spoken = new Set<string>();
  readonly #needed: ReadonlySet<string>;
  readonly #cpus: readonly string[];

  constructor(tree: DeviceTree, nodes: DeviceNodes, { devices, heard, complaints }: LogSummary) {
    this.#tree = tree;
    this.#nodes = nodes;
    this.#compatible = compatiblesByPath(tree);
    this.#phandles = phandlesOf(tree.root);
    const cpus = nodeAt(tree.root, CPUS)?.children ?? [];
    this.#cpus = cpus.map(({ name }) => `${CPUS}/${name}`);
    for (const { from, property, to, entry } of referencesTo(tree, this.#phandles, FOLLOWED_BY_DRIVERS))
      this.#add(from, { property, to, name: this.#nameOf(from, property, entry) });
    for (const { consumer, supplier, properties } of interruptLinks(tree))
      for (const property of properties) this.#add(consumer, { property, to: supplier, name: null });
    for (const { device, line } of heard.values()) {
      const path = nodes.pathOf(device);
      if (path === null || (complaints.get(device)?.line ?? 0) > line) continue;
      this.#devices.set(path, device);
      this.#spoken.add(path);
    }
    for (const life of devices.values()) {
      const path = nodes.pathOf(life.device);
      if (path === null) continue;
      this.#devices.set(path, life.device);
      if (life.state === 'bound') this.#bound.add(path);
      if (isUnbound(life)) this.#unbound.add(path);
    }
    const working = [...this.#bound, ...this.#spoken].filter((path) => !this.#unbound.has(path));
    const { suppliers } = supplierGraph(tree, this.#compatible);
    const needed = new Map([...suppliers].map(([path, edges]) => [path, edges.filter(isNeeded)] as const));
    this.#needed = new Set(reach(working, needed).keys());
  }

  /** What the node of a device names for what is wanted; only the entries that the words name, where they do. */
  of(device: string, { isMeant, words }: Wanted): NamedSupplier[] {
    const path = this.#nodes.pathOf(device);
    if (path === null) return [];
    const own = this.#meantBy(path, isMeant);
    // What a CPU needs stands in its own node (dev_pm_opp_of_find_icc_paths(), drivers/opp/of.c).
    const meant =
      own.length > 0 || !/cpufreq/.test(device) ? own : this.#cpus.flatMap((cpu) => this.#meantBy(cpu, isMeant));
    const called = meant.filter(({ name }) => name !== null && isSpokenOf(name, words));
    const bySupplier = new Map<string, Map<string, Set<string>>>();
    for (const { to, property, name } of called.length > 0 ? called : meant) {
      const properties = bySupplier.get(to) ?? new Map<string, Set<string>>();
      const names = properties.get(property) ?? new Set();
      if (name !== null && !property.startsWith(name)) names.add(name);
      bySupplier.set(to, properties.set(property, names));
    }
    // What stands above a device is there before it.
    return [...bySupplier].flatMap(([node, properties]) =>
      node === path || path.startsWith(`${node}/`) ? [] : [this.#supplier(node, [...properties].map(entriesText))],
    );
  }

  #meantBy(path: string, isMeant: Wanted['isMeant']): Entry[] {
    const all = [...(this.#entries.get(path) ?? []), ...this.#others(path)];
    return all.filter(({ property }) => isMeant(property));
  }

  #supplier(node: string, properties: readonly string[]): NamedSupplier {
    return {
      node,
      name: this.#devices.get(node) ?? this.#nodes.nameOf(node),
      compatible: this.#compatible.get(node) ?? [],
      properties,
      state: this.#stateOf(node),
    };
  }

  #stateOf(node: string): SupplierState {
    if (this.#unbound.has(node)) return 'unbound';
    if (this.#bound.has(node)) return 'bound';
    if (!this.#isEnabled(node)) return 'disabled';
    if (isEarly(this.#compatible.get(node) ?? [])) return 'early';
    if (this.#spoken.has(node)) return 'spoken';
    return this.#needed.has(node) ? 'needed' : 'untold';
  }

  #isEnabled(path: string): boolean {
    for (let at = path; at !== '/' && at !== ''; at = parentPath(at)) {
      const node = nodeAt(this.#tree.root, at);
      if (node !== undefined && !isEnabled(node)) return false;
    }
    return true;
  }

  #add(from: string, { to, ...entry }: Entry): void {
    const [consumer, supplier] = [this.#deviceAt(from), this.#deviceAt(to)];
    if (consumer === null || supplier === null) return;
    const known = this.#entries.get(consumer) ?? [];
    this.#entries.set(consumer, known);
    known.push({ ...entry, to: supplier });
  }

  /** The node itself, or the nearest above it, of which a device is made. */
  #deviceAt(path: string): string | null {
    for (let at = path; at !== '/' && at !== ''; at = parentPath(at))
      if ((this.#compatible.get(at) ?? []).length > 0) return at;
    return null;
  }

  /** Properties of no common binding that begin with a phandle, as drivers' own do (`qcom,qmp`, `mmc-pwrseq`). */
  #others(path: string): Entry[] {
    const node = nodeAt(this.#tree.root, path);
    if (node === undefined) return [];
    return [...walk(node, path)].flatMap((placed) =>
      this.#deviceAt(placed.path) !== path
        ? []
        : [...placed.node.properties].flatMap(([property, value]): Entry[] => {
            const [first] = readCells(value) ?? [];
            const to = first === undefined ? undefined : this.#phandles.get(first);
            const supplier = to === undefined ? null : this.#deviceAt(to);
            return supplier === null || !DRIVERS_OWN.test(property) ? [] : [{ property, name: null, to: supplier }];
          }),
    );
  }

  #nameOf(from: string, property: string, entry: number): string | null {
    const [, own] = /^(.+)-(?:supply|gpios?)$/.exec(property) ?? [];
    if (own !== undefined) return own;
    const names = stringsOf(
      nodeAt(this.#tree.root, from),
      `${NAMES.get(property) ?? property.replace(/s$/, '')}-names`,
    );
    // Both ends of a path: Documentation/devicetree/bindings/interconnect/interconnect.txt.
    return names[property === 'interconnects' ? Math.floor(entry / 2) : entry] ?? null;
  }
}

const CPUS = '/cpus';
/** So many names of entries are told. */
const FEW_NAMES = 3;

/** A property, with the names of its entries where there are few. */
function entriesText([property, names]: readonly [string, ReadonlySet<string>]): string {
  return names.size === 0 || names.size > FEW_NAMES ? property : `${property} (${[...names].join(', ')})`;
}

/** Where it is not the property without its last letter. */
const NAMES: ReadonlyMap<string, string> = new Map([['mboxes', 'mbox']]);
/** Documentation/devicetree/bindings: what names one node and has no cells. */
const DRIVERS_OWN = new RegExp(
  oneOf(
    /^(?:mmc-pwrseq|qcom,qmp|qcom,ice|firmware|ethernet|phy-handle|usb-phy|sram|memory-region|ddc-i2c-bus|i2c-bus)$/,
    /^(?:i2c-parent|mdio-parent-bus|usb-role-switch)$/,
    /codec$|syscon|regmap|grf$|syscfg|[,-](?:scp|scm|sci|rproc)$/,
  ),
);

/** An entry's name stands among the words as a word of its own. */
function isSpokenOf(name: string, words: string | null): boolean {
  if (words === null) return false;
  const at = words.toLowerCase().indexOf(name.toLowerCase());
  const isWord = (character: string | undefined) => character !== undefined && /[\w-]/.test(character);
  return at !== -1 && !isWord(words[at - 1]) && !isWord(words[at + name.length]);
}

/** Puts roots that lack the same one thing, or a thing that is not bound for a reason of its own, below it. */
function regrouped(found: Why, named: readonly NamedRoot[]): Why {
  const roots = new Map(found.roots.map((root) => [root.name, { ...root, waiting: [...root.waiting] }]));
  const lacking = new Map<string, Lacking[]>();
  for (const { root, missing } of named) {
    const [first, ...others] = missing;
    if (first === undefined || others.length > 0 || isGone(roots.get(root))) continue;
    lacking.set(first.name, [...(lacking.get(first.name) ?? []), { root, properties: first.properties }]);
  }
  const front = new Map<string, OpenRoot>();
  for (const [name, those] of lacking) {
    const target = roots.get(name) ?? holderOf(name, roots.values());
    if (target === undefined && those.length === 1 && !found.unexplained.includes(name)) continue;
    const into = target ?? newRoot(name, found, roots.get(those[0]?.root ?? ''));
    const before = into.waiting.length;
    for (const { root: device, properties } of those) {
      const root = roots.get(device);
      // What waits for the device itself is not what it waits for.
      if (root === undefined || root.name === into.name || root.waiting.some((one) => one.device === name)) continue;
      roots.delete(device);
      into.waiting.push({ device, for: name, known: 'tree', properties }, ...root.waiting);
    }
    if (into.waiting.length === before) continue;
    roots.set(into.name, into);
    front.set(into.name, into);
  }
  const first = [...front.values()].filter(({ name }) => roots.has(name));
  const others = [...roots.values()].filter(({ name }) => !front.has(name));
  const isOpen = (device: string) => !front.has(device);
  return {
    ...found,
    roots: [...first.sort((a, b) => b.waiting.length - a.waiting.length), ...others],
    unexplained: found.unexplained.filter(isOpen),
    likely: found.likely.filter(isOpen),
  };
}

/** A root that lacks one thing alone. */
interface Lacking {
  readonly root: string;
  readonly properties: readonly string[];
}

/** It has gone on without, so that it waits no more. */
function isGone(root: Root | undefined): boolean {
  return root !== undefined && mayBeBound(root);
}

type OpenRoot = Root & { readonly waiting: Waiting[] };

/** The root that a device waits for which is none itself. */
function holderOf(device: string, roots: Iterable<OpenRoot>): OpenRoot | undefined {
  return [...roots].find(({ waiting }) => waiting.some((one) => one.device === device));
}

function newRoot(name: string, { unexplained }: Why, waiter: Root | undefined): OpenRoot {
  const isUnbound = unexplained.includes(name);
  return {
    name,
    cause: isUnbound ? { cause: 'silent', perhaps: [] } : { cause: 'never-probed', alike: null },
    evidence: waiter?.evidence ?? null,
    line: waiter?.line ?? null,
    waiting: [],
  };
}

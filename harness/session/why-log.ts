import { DeviceNodes } from '../board/device-nodes.ts';
import { isSameMachine } from '../board/likely-cause.ts';
import type { DeviceTree } from '../devicetree/tree.ts';
import { stringProperty } from '../devicetree/values.ts';
import type { LogSummary } from '../dmesg/summary.ts';
import { InputError } from '../errors.ts';
import type { Drivers } from '../kernel/matches.ts';
import type { Root, Why } from '../verdict/why-roots.ts';
import { type NamedRoot, withSuppliers } from '../verdict/why-suppliers.ts';
import { guessByTree, type TreeGuesses } from '../verdict/why-tree.ts';
import { factOf, type NodeFact } from './why-node.ts';

/** What a board's device tree and a kernel's drivers add to a log, of which neither needs to be that of the log. */
export interface BesideLog {
  /** The tree's file, as it was asked for or found. */
  readonly tree: string;
  /** What the tree and the log call the machine. */
  readonly model: string | null;
  readonly machine: string | null;
  /** The kernel whose drivers were looked up. */
  readonly kernel: string | null;
  /** Devices of the log that have an address, and those of them that the tree has. */
  readonly devices: number;
  readonly inTree: number;
  readonly named: readonly NamedRoot[];
  /** What the tree and the kernel know of roots that nothing probed, and of what the tree names, by name. */
  readonly facts: ReadonlyMap<string, NodeFact>;
}

export interface WhyBeside {
  readonly found: Why;
  readonly byTree: TreeGuesses;
  readonly beside: BesideLog;
}

interface Beside {
  readonly name: string;
  readonly tree: DeviceTree;
  /** Null where no kernel was asked for. */
  readonly kernel: { readonly recipe: string; readonly drivers: Drivers } | null;
}

/**
 * Adds to what a log says what a tree and a kernel do. Throws {@link InputError} for a tree that plainly is another
 * board's.
 */
export function whyBeside(said: Why, summary: LogSummary, { name, tree, kernel }: Beside): WhyBeside {
  const nodes = new DeviceNodes(tree);
  const model = stringProperty(tree.root, 'model');
  const { devices, inTree } = countIn(nodes, summary);
  const { machine } = summary;
  const isOther = model !== null && machine !== null && !isSameMachine(machine.model, model);
  if (devices >= TELLING && inTree < devices * (isOther ? LEAST_OF_OTHER : LEAST_PART))
    throw new InputError(
      `${name} is of another board: of the log's ${devices} devices with an address it has ${inTree}` +
        (model === null || summary.machine === null
          ? ''
          : `; it is of "${model}", the log of "${summary.machine.model}"`),
      "give the tree of the log's machine",
    );
  const { found, named } = withSuppliers(said, summary, tree, nodes);
  const missing = named.flatMap((root) => root.missing);
  const facts = new Map(missing.map((one) => [one.name, factOf(one.node, tree, kernel?.drivers ?? null)]));
  for (const root of found.roots)
    if (isUnseen(root) || nodes.pathOf(root.name) === null)
      facts.set(root.name, factOf(nodes.pathOf(root.name), tree, kernel?.drivers ?? null));
  const told = new Set(named.filter((root) => root.missing.length > 0).map(({ root }) => root));
  return {
    found,
    byTree: guessByTree(found, summary, tree, told),
    beside: {
      tree: name,
      model,
      machine: summary.machine?.model ?? null,
      kernel: kernel?.recipe ?? null,
      devices,
      inTree,
      named,
      facts,
    },
  };
}

/** Fewer devices say nothing. */
const TELLING = 5;
/**
 * Of 30 public logs the trees of their boards, of other versions, have nine tenths or more; those of other SoCs of the
 * same vendor up to six tenths (of an SM8250's log SDM845's, of an LX2160A's LS1028A's).
 */
const LEAST_PART = 0.5;
/** Where the models differ as well. */
const LEAST_OF_OTHER = 0.75;
const HAS_ADDRESS = /^[0-9a-f]{4,16}\.[a-z][\w-]*$/;

/** How many devices a log speaks of, and how many of these the tree has: of those with an address of the CPU's. */
function countIn(nodes: DeviceNodes, { devices, heard, complaints }: LogSummary) {
  const all = new Set([...devices.keys(), ...heard.keys(), ...complaints.keys()]);
  const named = [...all].filter((device) => HAS_ADDRESS.test(device));
  return { devices: named.length, inTree: named.filter((device) => nodes.pathOf(device) !== null).length };
}

/** Nothing in the log says what its driver did, so that the kernel may have none. */
function isUnseen({ cause }: Root): boolean {
  return cause.cause === 'never-probed' || cause.cause === 'no-bus' || cause.cause === 'part-of';
}

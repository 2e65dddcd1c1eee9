import { relative } from 'node:path';
import { plainCell } from '../axes/plain-cell.ts';
import { resolveBoard } from '../board/boards.ts';
import { devicesOf } from '../devicetree/devices.ts';
import { referencesInto } from '../devicetree/references.ts';
import { type DeviceTree, isWithin, walk } from '../devicetree/tree.ts';
import { EXIT, InputError } from '../errors.ts';
import type { KernelResult } from '../kernel/artefact.ts';
import type { Cell } from '../model/cell.ts';
import { formatExploration } from '../report/exploration.ts';
import { wantsColour } from '../report/paint.ts';
import { renderProgress } from '../report/progress.ts';
import { searchInLab } from '../run/expedition.ts';
import { hasVerdict, type Outcome, passes } from '../search/boot.ts';
import { explore as searchOrders } from '../search/explore.ts';
import type { Precedence } from '../search/precedence.ts';
import { didYouMean } from '../suggest.ts';
import { requireTools } from '../terminal/tools.ts';
import type { ExploreOptions } from './explore.options.ts';

/** `bootrace explore`: searches the orders of probes; returns the exit code, 1 when a boot crashed, hung or left a device unbound. */
export async function explore(options: ExploreOptions, signal: AbortSignal): Promise<number> {
  await requireTools();
  const progress = renderProgress(process.stderr);
  try {
    const { found, files } = await searchInLab(
      'explore',
      {
        signal,
        listen: progress.listen,
        results: options.results,
        workers: options.workers ?? null,
        budget: options.budget,
      },
      async ({ lab, boot, keepCell }) => {
        const tree = await lab.board(options.board);
        const nodes = devicesOf(tree);
        const devices = options.devices ?? subjectsOf(options.board);
        for (const device of devices) {
          if (!nodes.has(device))
            throw new InputError(
              `there is no device ${device} on the ${options.board} board${didYouMean(device, nodes.keys())}`,
              `its devices are ${[...nodes.keys()].join(', ')}`,
            );
        }
        const base = baseCell(options, devices);
        const kernel = await lab.kernel(base);
        if (kernel.kind === 'unbuildable')
          throw new InputError(`kernel ${options.kernel} ${options.linkage}: ${kernel.reason}`);
        const result = await searchOrders({
          base,
          targets: devices.map((device) => {
            const path = nodes.get(device) ?? '/';
            return { device, nodes: nodeNames(tree, path), suppliers: suppliersOf(tree, path, devices, nodes) };
          }),
          strength: options.strength,
          budget: options.budget,
          seed: options.seed,
          constraints: [],
          loadConstraints: symbolDependencies(base, kernel),
          boot,
          nodeOf: (device) => nodes.get(device) ?? null,
          stopAtFirstCrash: options.stopAtFirstCrash === true,
          anyway: options.anyway === true,
          onProgress: ({ stage, boots, budget, outcome, isNew }) => {
            if (isNew) progress.note(`${stage}: boot ${boots} of ${budget}: ${outcome.signature ?? outcome.verdict}`);
          },
        });
        const kept = new Map<string, string>();
        for (const outcome of result.outcomes) {
          if (!isFailure(outcome)) continue;
          const id = `${outcome.signature === null ? outcome.verdict : 'crash'}-${kept.size + 1}`;
          const path = await keepCell(`${id}.yaml`, { ...outcome.cell, id, expect: outcome.expect });
          kept.set(outcome.key, relative(process.cwd(), path));
        }
        return { found: result, files: kept };
      },
    );
    progress.close();
    process.stdout.write(
      options.json === true
        ? `${JSON.stringify({ ...found, cells: Object.fromEntries(files) }, null, 1)}\n`
        : formatExploration(found, files, wantsColour(process.stdout.isTTY, process.env)),
    );
    return found.outcomes.some(isFailure) ? EXIT.unexpected : EXIT.expected;
  } finally {
    progress.close();
  }
}

/** The devices of a search that names none. */
function subjectsOf(board: string): string[] {
  const devices = resolveBoard(board).subjects.map(({ device }) => device);
  if (devices.length === 0) throw new InputError(`the board ${board} names no subjects`, 'name devices with --devices');
  return devices;
}

/** A boot without a verdict is no failure: most are orders that could not be had. */
function isFailure(outcome: Pick<Outcome, 'verdict'>): boolean {
  return hasVerdict(outcome) && !passes(outcome);
}

/** Names of a device's node and of the nodes below it, by which the driver core names suppliers. */
function nodeNames(tree: DeviceTree, path: string): string[] {
  return [...walk(tree.root)].filter((placed) => isWithin(placed.path, path)).map(({ node }) => node.name);
}

/** Those of `devices` whose nodes the node at `path`, or one below it, refers to. */
function suppliersOf(
  tree: DeviceTree,
  path: string,
  devices: readonly string[],
  nodes: ReadonlyMap<string, string>,
): string[] {
  return devices.filter((device) => {
    const supplier = nodes.get(device);
    if (supplier === undefined || supplier === path) return false;
    return referencesInto(tree, supplier).some((reference) => isWithin(reference.from, path));
  });
}

/** The cell that every boot is a variation of: nothing asked for, modules in the order that their symbols need. */
function baseCell({ kernel, linkage, board, append, force }: ExploreOptions, devices: readonly string[]): Cell {
  const plain = plainCell(`explore-${kernel.replaceAll(/[^A-Za-z0-9._+=-]/g, '_')}`, kernel, { linkage, board });
  return { ...plain, bootargs: append, gates: force ?? [], watch: devices };
}

/** Orders of loading that the modules' symbols force. */
function symbolDependencies(base: Cell, kernel: Extract<KernelResult, { kind: 'ready' }>): Precedence[] {
  const loaded = base.plan.flatMap((step) => (step.step === 'load' ? [step.module] : []));
  return loaded.flatMap((after) =>
    (kernel.modules.get(after)?.depends ?? [])
      .filter((before) => loaded.includes(before))
      .map((before) => ({ before, after, reason: `${after} uses symbols of ${before}` })),
  );
}

import { relative } from 'node:path';
import { DeviceNodes } from '../board/device-nodes.ts';
import { EXIT, InputError } from '../errors.ts';
import type { KernelArtefact } from '../kernel/artefact.ts';
import { withEyes } from '../kernel/recipe.ts';
import { formatAsync } from '../report/async.ts';
import { formatExploration } from '../report/exploration.ts';
import { wantsColour } from '../report/paint.ts';
import { withProgress } from '../report/progress.ts';
import type { Runner } from '../run/runner.ts';
import { asyncReport } from '../search/async.ts';
import { SUSPEND_TEST } from '../search/disturbances.ts';
import { explore as searchOrders } from '../search/explore.ts';
import { briefly, hasVerdict, type Outcome, passes } from '../search/outcome.ts';
import { runSearch } from '../session/search.ts';
import { symbolDependencies, targetsOf } from '../session/targets.ts';
import { requireTools } from '../terminal/install-tools.ts';
import { print, printJson } from '../terminal/output.ts';
import type { ExploreOptions } from './explore.options.ts';
import { exploreLoading } from './explore-loading.ts';
import { askedOf } from './explore-request.ts';

/**
 * `bootrace explore`: searches the orders of probes; returns the exit code, 1 when a boot crashed, hung or left a
 * device unbound.
 */
export async function explore(given: ExploreOptions, signal: AbortSignal): Promise<number> {
  const options = given.eyes === true ? { ...given, kernel: withEyes(given.kernel) } : given;
  if (options.async !== undefined) return exploreAsync(options, options.async, signal);
  const { threads, preempt, preemptions } = options;
  if (threads !== undefined || preempt !== undefined || preemptions !== undefined)
    return exploreLoading(options, signal);
  await requireTools();
  const { found, files } = await withProgress((progress) =>
    runSearch(
      'explore',
      {
        signal,
        listen: progress.listen,
        results: options.results,
        workers: options.workers ?? null,
        budget: options.budget,
      },
      async ({ runner, boot, pause, folder, keepCell }) => {
        const asked = await askedOf(options, runner, folder.shared);
        const { devices, loads } = asked;
        const nodes = new DeviceNodes(asked.tree);
        if (options.suspend !== undefined) await refuseSuspend(runner, asked.kernel);
        const result = await searchOrders({
          base: asked.base,
          targets: targetsOf(asked.tree, devices),
          strength: options.strength,
          budget: options.budget,
          seed: options.seed,
          constraints: [],
          loads,
          loadConstraints: symbolDependencies(asked.base, asked.kernel),
          boot,
          pause,
          nodeOf: (device) => nodes.pathOf(device),
          stopAtFirstCrash: options.stopAtFirstCrash === true,
          anyway: options.anyway === true,
          rebind: options.rebind === true,
          atTheEnd: {
            suspend: options.suspend ?? null,
            rescan: options.rescan ?? null,
            end: options.end ?? null,
          },
          onProgress: ({ stage, boots, budget, outcome, isNew }) => {
            if (isNew) progress.note(`${stage}: boot ${boots} of ${budget}: ${briefly(outcome)}`);
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
    ),
  );
  if (options.json === true) printJson({ ...found, cells: Object.fromEntries(files) });
  else print(formatExploration(found, files, wantsColour(process.stdout.isTTY, process.env)));
  return found.outcomes.some(isFailure) ? EXIT.unexpected : EXIT.expected;
}

/** @throws InputError for a kernel that would suspend and stay so */
async function refuseSuspend(runner: Runner, kernel: KernelArtefact): Promise<void> {
  if ((await runner.gateable(kernel, [SUSPEND_TEST])).length > 0) return;
  throw new InputError(
    `the kernel ${kernel.recipe} has no symbol of /sys/power/pm_test, without which a guest would not resume`,
    'use one with CONFIG_PM_DEBUG, and with symbols (CONFIG_KALLSYMS, or map=)',
  );
}

/** A boot without a verdict is no failure: most are orders that could not be had. */
function isFailure(outcome: Pick<Outcome, 'verdict'>): boolean {
  return hasVerdict(outcome) && !passes(outcome);
}

/** `bootrace explore --async`: which drivers may probe asynchronously; exit code 1 when one may not. */
async function exploreAsync(options: ExploreOptions, drivers: readonly string[], signal: AbortSignal): Promise<number> {
  await requireTools();
  const { results, budget, seed, workers = null } = options;
  const { found, files } = await withProgress((progress) =>
    runSearch(
      'async',
      { signal, listen: progress.listen, results, workers, budget },
      async ({ runner, boot, folder, keepCells }) => {
        const { base } = await askedOf(options, runner, folder.shared);
        const report = await asyncReport({
          base: { ...base, plan: [...base.plan, { step: 'names' }] },
          drivers: drivers.length === 1 && drivers[0] === 'all' ? 'all' : drivers,
          boot,
          budget,
          seed,
          onProgress: (what, boots) => progress.note(`boot ${boots} of ${budget}: ${what}`),
        });
        const cells = report.breaks.map(({ cell }) => cell);
        return { found: report, files: await keepCells('async', cells) };
      },
    ),
  );
  if (options.json === true) printJson({ ...found, files });
  else print(formatAsync(found, files));
  return found.breaks.length > 0 ? EXIT.unexpected : EXIT.expected;
}

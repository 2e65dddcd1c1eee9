import { EXIT, InputError } from '../errors.ts';
import type { KernelArtefact } from '../kernel/artefact.ts';
import { cacheRoot } from '../kernel/cache.ts';
import { moduleIndex } from '../kernel/modalias.ts';
import { moduleFunctions } from '../kernel/modules.ts';
import type { FunctionPlace } from '../model/gate.ts';
import { formatLoading } from '../report/loading.ts';
import { withProgress } from '../report/progress.ts';
import type { Runner } from '../run/runner.ts';
import { symbolsOf } from '../run/symbols.ts';
import { searchLoading } from '../search/loading.ts';
import type { Precedence } from '../search/precedence.ts';
import { runSearch } from '../session/search.ts';
import { requireTools } from '../terminal/install-tools.ts';
import { print, printJson } from '../terminal/output.ts';
import type { ExploreOptions } from './explore.options.ts';
import { askedOf } from './explore-request.ts';

/**
 * Where the driver core hands a device on from one state to the next, so that a task that stands aside there shows it
 * half done to all others: drivers/base/core.c, bus.c, dd.c of Linux 5.10 to 6.15. What a kernel has inlined is left
 * out.
 */
const DRIVER_CORE: readonly FunctionPlace[] = [
  { return: 'bus_add_device' },
  { entry: 'bus_probe_device' },
  { return: 'bus_add_driver' },
  { entry: 'driver_attach' },
  { entry: 'device_links_check_suppliers' },
  { entry: 'device_links_driver_bound' },
  { entry: 'driver_deferred_probe_add' },
  { return: 'driver_deferred_probe_add' },
  { entry: 'driver_deferred_probe_del' },
  { entry: 'device_pm_add' },
  { entry: 'fwnode_link_add' },
];

/** What stands in a module only while it is loaded or unloaded, or is made by the compiler. */
const NOT_GATED = /(_init|_exit)$|^(init|cleanup)_module$|[.$]|^__/;

/** Orders that symbols and softdeps force on loads. */
async function forced(kernel: KernelArtefact, modules: readonly string[]): Promise<Precedence[]> {
  const infos = new Map((await moduleIndex(cacheRoot(), kernel)).modules.map((info) => [info.name, info]));
  const loaded = new Set(modules);
  return modules
    .flatMap((after) => [
      ...(kernel.modules.get(after)?.depends ?? []).map((before) => ({ before, after, reason: 'symbols' })),
      ...(infos.get(after)?.before ?? []).map((before) => ({ before, after, reason: 'softdep' })),
    ])
    .filter(({ before, after }) => loaded.has(before) && before !== after);
}

/**
 * The places that `--preempt` names: functions, `FUNCTION:return`, `core`, or `modules` for all functions of theirs.
 */
async function placesAsked(
  runner: Runner,
  kernel: KernelArtefact,
  words: readonly string[],
  modules: readonly string[],
): Promise<FunctionPlace[]> {
  const places = await Promise.all(
    words.map(async (word): Promise<readonly FunctionPlace[]> => {
      if (word === 'core') return DRIVER_CORE;
      if (word === 'modules') return functionsOf(kernel, modules);
      const name = word.replace(/:return$/, '');
      return [word === name ? { entry: name } : { return: name }];
    }),
  );
  const all = places.flat();
  const nameOf = (place: FunctionPlace) => ('entry' in place ? place.entry : place.return);
  const inImage = all.map(nameOf).filter((name) => !name.includes(':'));
  const known = new Set(await runner.gateable(kernel, inImage));
  const optional = new Set(words.includes('core') ? DRIVER_CORE.map(nameOf) : []);
  const needed = inImage.filter((name) => !optional.has(name));
  await symbolsOf({ gates: needed.map((entry) => ({ gate: 'delay', at: { entry }, ms: 0 })) }, kernel);
  return all.filter((place) => nameOf(place).includes(':') || known.has(nameOf(place)));
}

async function functionsOf(kernel: KernelArtefact, modules: readonly string[]): Promise<FunctionPlace[]> {
  const functions = await moduleFunctions(new Set(modules), kernel.modules);
  return modules.flatMap((module) =>
    [...(functions(module) ?? [])].flatMap(([name, times]) =>
      times === 1 && !NOT_GATED.test(name) ? [{ entry: `${module}:${name}` }] : [],
    ),
  );
}

/** `bootrace explore --modules`: the orders and interleavings of module loads; exit code 1 where one differs. */
export async function exploreLoading(options: ExploreOptions, signal: AbortSignal): Promise<number> {
  await requireTools();
  const { results, budget, seed, workers = null, threads = 1, preempt = ['core'], preemptions = 1 } = options;
  const { found, files } = await withProgress((progress) =>
    runSearch(
      'loading',
      { signal, listen: progress.listen, results, workers, budget },
      async ({ runner, boot, pause, keepCells, folder }) => {
        const { base, kernel } = await askedOf(options, runner, folder.shared);
        const modules = base.plan.flatMap((step) => (step.step === 'load' ? [step.module] : []));
        if (modules.length === 0)
          throw new InputError('the search loads no module', 'name modules with --modules, or load them in a plan');
        const report = await searchLoading({
          base: { ...base, plan: [...base.plan.filter(({ step }) => step !== 'load'), { step: 'names' }] },
          modules,
          constraints: await forced(kernel, modules),
          threads,
          places: preemptions === 0 ? [] : await placesAsked(runner, kernel, preempt, modules),
          bound: preemptions,
          boot,
          pause,
          budget,
          seed,
          onProgress: (what, boots) => progress.note(`boot ${boots} of ${budget}: ${what}`),
        });
        const cells = report.breaks.map(({ cell, expect }) => ({ ...cell, expect }));
        return { found: report, files: await keepCells('loading', cells) };
      },
    ),
  );
  if (options.json === true) printJson({ ...found, files });
  else print(formatLoading(found, files));
  return found.breaks.length > 0 ? EXIT.unexpected : EXIT.expected;
}

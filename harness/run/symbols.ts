import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { plainCell } from '../axes/plain-cell.ts';
import { InfraError, InputError } from '../errors.ts';
import { gateSymbols } from '../firmware/gates.ts';
import { gatedBy } from '../firmware/spots.ts';
import type { KernelArtefact } from '../kernel/artefact.ts';
import { bestEffort, ensureFolder, readIfPresent, writeAtomic } from '../kernel/cache.ts';
import { moduleFunctions } from '../kernel/modules.ts';
import { parseSymbols } from '../kernel/symbols.ts';
import type { Cell } from '../model/cell.ts';
import { didYouMean } from '../suggest.ts';
import { boot } from './boot.ts';
import type { CommonFiles } from './common-files.ts';
import { prepareCell } from './prepare.ts';

/** Addresses by name, hexadecimal; null for a name that the kernel does not have, or has more than once. */
const cacheSchema = z.record(z.string(), z.string().nullable());
type KnownSymbols = z.infer<typeof cacheSchema>;

/**
 * What it takes to boot a kernel for its symbols: the common files, a folder for its own, and the cache for what it
 * finds.
 */
export interface SymbolBoot {
  readonly common: CommonFiles;
  readonly folder: string;
  readonly cache: string;
  readonly signal: AbortSignal;
}

const booting = new Map<string, Promise<KnownSymbols>>();

/**
 * The symbols that a cell boots with. A kernel that came without its System.map is not booted for the console's
 * alone, which is only faster with it. Throws as {@link findSymbols}.
 */
export async function symbolsOf(
  cell: Pick<Cell, 'gates'>,
  kernel: KernelArtefact,
  files: SymbolBoot,
): Promise<ReadonlyMap<string, bigint>> {
  const isNeeded = kernel.systemMap !== null || cell.gates.length > 0;
  const found = await findSymbols(kernel, isNeeded ? gateSymbols(cell.gates) : new Set(), files);
  for (const name of gatedBy(cell.gates).functions) {
    if (!found.has(name)) throw await withoutAddress(name, kernel);
  }
  return found;
}

/** Why a gate cannot stand at a function, and what to name instead. */
async function withoutAddress(name: string, kernel: KernelArtefact): Promise<InputError> {
  const what = `a gate cannot stand at ${name}()`;
  const holders: string[] = [];
  for (const [module, { path }] of kernel.modules) {
    const functions = await moduleFunctions(new Set([module]), new Map([[module, { path }]]));
    if (functions(module)?.has(name)) holders.push(module);
    if (holders.length > 0) break;
  }
  if (holders[0] !== undefined)
    return new InputError(
      `${what} of the kernel image: it is in module ${holders[0]}`,
      `name it ${holders[0]}:${name}`,
    );
  if (kernel.systemMap === null)
    return new InputError(
      `${what}: /proc/kallsyms has no such name, or has it more than once`,
      'it may have been inlined: name a function that calls it',
    );
  const names = functionNames(await readFile(kernel.systemMap, 'utf8'));
  const count = names.filter((other) => other === name).length;
  if (count > 1)
    return new InputError(`${what}: the kernel image has ${count} functions of that name`, 'name one that calls it');
  const parts = names.filter((other) => other.startsWith(`${name}.`));
  if (parts.length > 0)
    return new InputError(
      `${what}: the compiler has made ${parts.join(', ')} of it`,
      'name that, or a function that calls it',
    );
  return new InputError(
    `${what}: the kernel image has no such function, or it was inlined${didYouMean(name, names)}`,
    'name a function that calls it',
  );
}

/** Names of functions, in `ADDRESS TYPE NAME` lines: types t, T and W (nm(1)). */
function functionNames(text: string): string[] {
  return [...text.matchAll(/^[0-9a-f]+ [tTwW] (\S+)$/gm)].flatMap(([, name]) => name ?? []);
}

/**
 * Virtual addresses of kernel symbols by name: from System.map, or where the kernel came without one, from
 * /proc/kallsyms in a boot of the same Image; what it finds stays in the cache. A name that is missing or not
 * unique has no entry. Throws {@link InfraError} when that boot does not finish.
 */
export async function findSymbols(
  kernel: KernelArtefact,
  names: ReadonlySet<string>,
  files: SymbolBoot,
): Promise<ReadonlyMap<string, bigint>> {
  if (names.size === 0) return new Map();
  if (kernel.systemMap !== null) return mappedSymbols(kernel.systemMap, names);
  const folder = join(files.cache, 'symbols');
  await bestEffort(() => ensureFolder(folder));
  const file = join(folder, `${kernel.imageHash}.json`);
  const text = await readIfPresent(file);
  let known = text === null ? {} : cacheSchema.parse(JSON.parse(text));
  const missing = [...names].filter((name) => !(name in known)).sort();
  if (missing.length > 0) {
    const task = `${kernel.imageHash} ${missing.join(' ')}`;
    const found = booting.get(task) ?? bootForSymbols(kernel, missing, files).finally(() => booting.delete(task));
    booting.set(task, found);
    known = { ...known, ...(await found) };
    await bestEffort(() => writeAtomic(file, JSON.stringify(known)));
  }
  return new Map(
    [...names].flatMap((name) => {
      const address = known[name];
      return address === undefined || address === null ? [] : [[name, BigInt(`0x${address}`)]];
    }),
  );
}

const mapped = new Map<string, Promise<ReadonlyMap<string, bigint>>>();

/** Symbols from a System.map, which all gated cells of a kernel ask for the same few names. */
function mappedSymbols(path: string, names: ReadonlySet<string>): Promise<ReadonlyMap<string, bigint>> {
  const task = `${path} ${[...names].sort().join(' ')}`;
  const known = mapped.get(task) ?? readFile(path, 'utf8').then((text) => parseSymbols(text, names));
  mapped.set(task, known);
  return known;
}

async function bootForSymbols(
  kernel: KernelArtefact,
  names: readonly string[],
  files: SymbolBoot,
): Promise<KnownSymbols> {
  // Symbols are the Image's own, whatever it boots on.
  const plain = plainCell('symbols', kernel.recipe, { linkage: kernel.linkage });
  const cell: Cell = { ...plain, plan: [{ step: 'symbols', names }], watch: [] };
  const folder = join(files.folder, `symbols-${kernel.imageHash.slice(0, 16)}`);
  const { events, summary } = await boot(await prepareCell(cell, kernel, new Map(), files.common, folder), {
    signal: files.signal,
  });
  if (summary.plan !== 'done')
    throw new InfraError(
      `kernel ${kernel.recipe} has no System.map, and the boot that was to read its symbols did not finish; ` +
        `its last line: ${summary.lastLine || 'none'}`,
      'check that the image boots, or give its System.map or vmlinux with map=',
    );
  const lines = events.flatMap((event) =>
    event.event === 'agent' && event.verb === 'symbol' ? [`${event.words[1]} ${event.words[2]} ${event.words[0]}`] : [],
  );
  const found = parseSymbols(lines.join('\n'), new Set(names));
  return Object.fromEntries(names.map((name) => [name, found.get(name)?.toString(16) ?? null]));
}

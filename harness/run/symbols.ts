import { readFile } from 'node:fs/promises';
import { InputError } from '../errors.ts';
import { gateSymbols, namedModules } from '../firmware/gates.ts';
import { gatedBy } from '../firmware/spots.ts';
import type { KernelArtefact } from '../kernel/artefact.ts';
import { readKallsyms } from '../kernel/kallsyms.ts';
import { moduleFunctions } from '../kernel/modules.ts';
import { parseSymbols } from '../kernel/symbols.ts';
import type { Cell } from '../model/cell.ts';
import { didYouMean } from '../suggest.ts';

/** What a kernel's symbols are read from. */
type WithSymbols = Pick<KernelArtefact, 'systemMap' | 'image' | 'imageHash'>;

/** The symbols that a cell boots with. Throws {@link InputError} for a gate at a function that the image lacks. */
export async function symbolsOf(
  cell: Pick<Cell, 'gates'>,
  kernel: KernelArtefact,
): Promise<ReadonlyMap<string, bigint>> {
  const found = await findSymbols(kernel, gateSymbols(cell.gates));
  const functions = [...gatedBy(cell.gates).functions];
  const text = functions.length === 0 ? null : await symbolText(kernel);
  const missing = functions.filter((name) => !found.has(name) || !hasFunction(text ?? '', name));
  const errors = await Promise.all(missing.map((name) => withoutAddress(name, kernel)));
  const [first, ...others] = errors;
  if (first === undefined) return found;
  if (others.length === 0) throw first;
  throw new InputError(errors.map(({ message }) => message).join('; '), first.hint ?? undefined);
}

/** Throws {@link InputError} for a gate about a module that the kernel lacks while it has one of nearly that name. */
export function refuseMisspelt(
  cell: Pick<Cell, 'gates'>,
  { modules }: { readonly modules: ReadonlyMap<string, unknown> },
): void {
  for (const name of namedModules(cell.gates)) {
    const near = modules.has(name) ? '' : didYouMean(name, modules.keys());
    if (near !== '')
      throw new InputError(`a gate is about module ${name}, and the kernel has none of that name${near}`);
  }
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
  const text = await symbolText(kernel);
  if (text === null)
    return new InputError(
      `${what}: the kernel image has no symbols of its own (CONFIG_KALLSYMS)`,
      'give its System.map or vmlinux with map=',
    );
  const names = functionNames(text);
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

/** Whether a name is that of a function: what stands over data would be taken for data. */
function hasFunction(text: string, name: string): boolean {
  return ['t', 'T', 'w', 'W'].some((type) => text.includes(` ${type} ${name}\n`));
}

/** Names of functions, in `ADDRESS TYPE NAME` lines: types t, T and W (nm(1)). */
function functionNames(text: string): string[] {
  return [...text.matchAll(/^[0-9a-f]+ [tTwW] (\S+)$/gm)].flatMap(([, name]) => name ?? []);
}

/**
 * Virtual addresses of kernel symbols by name, from its System.map or from the Image itself. A name that is missing or
 * not unique has no entry; a kernel without either has none at all.
 */
export async function findSymbols(
  kernel: KernelArtefact,
  names: ReadonlySet<string>,
): Promise<ReadonlyMap<string, bigint>> {
  // All gated cells of a kernel ask for the same few names.
  const task = `${kernel.systemMap ?? kernel.imageHash} ${[...names].sort().join(' ')}`;
  const found = known.get(task) ?? symbolText(kernel).then((text) => parseSymbols(text ?? '', names));
  known.set(task, found);
  return found;
}

/** `function+0x10` of an address in the kernel image; the address itself where no function is known there. */
export async function placeIn(kernel: WithSymbols, address: bigint): Promise<string> {
  const text = (await symbolText(kernel)) ?? '';
  let function_ = '';
  let start = 0n;
  let end: bigint | null = null;
  for (const [, digits, type = '', name = ''] of text.matchAll(/^([0-9a-f]+) (\w) (\S+)$/gm)) {
    const at = BigInt(`0x${digits}`);
    if (name === '_end') end = at;
    if (/[tTwW]/.test(type) && !name.startsWith('$') && at <= address && at >= start) [function_, start] = [name, at];
  }
  const isInImage = function_ !== '' && (end === null ? address - start < MOST_BYTES_OF_FUNCTION : address < end);
  return isInImage ? `${function_}+0x${(address - start).toString(16)}` : `0x${address.toString(16)}`;
}

/** Without CONFIG_KALLSYMS_ALL the image's end is not known. */
const MOST_BYTES_OF_FUNCTION = 0x1_0000n;

const known = new Map<string, Promise<ReadonlyMap<string, bigint>>>();

/** Of each Image: a distribution's takes a second to read. */
const texts = new Map<string, Promise<string | null>>();

/** `ADDRESS TYPE NAME` a line, or null where a kernel has neither System.map nor symbols of its own. */
function symbolText({ systemMap, image, imageHash }: WithSymbols): Promise<string | null> {
  if (systemMap !== null) return readFile(systemMap, 'utf8');
  const text = texts.get(imageHash) ?? readFile(image).then(readKallsyms);
  texts.set(imageHash, text);
  return text;
}

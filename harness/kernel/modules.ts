import { basename } from 'node:path';
import { InputError } from '../errors.ts';
import type { ModuleFile } from './artefact.ts';
import { type ReadAt, readElf, readSection, symbolLines, withFile } from './elf.ts';

/** File name to module name: without `.ko` and compression, dashes folded to underscores (modprobe(8)). */
export function moduleName(file: string): string {
  return basename(file)
    .replace(/\.ko(\.(xz|gz|zst))?$/, '')
    .replaceAll('-', '_');
}

/**
 * A module's `.modinfo` section as key and value pairs (include/linux/moduleparam.h, __MODULE_INFO). Null when the file
 * is no ELF file with such a section.
 */
export async function readModinfo(read: ReadAt): Promise<[key: string, value: string][] | null> {
  const section = (await readElf(read))?.sections.find(({ name }) => name === '.modinfo');
  if (section === undefined) return null;
  return Buffer.from(await readSection(read, section))
    .toString('latin1')
    .split('\0')
    .flatMap((entry): [string, string][] => {
      const equals = entry.indexOf('=');
      return equals < 0 ? [] : [[entry.slice(0, equals), entry.slice(equals + 1)]];
    });
}

/** Direct dependencies of a module file, from its own modinfo. Throws {@link InputError} when it is not a module. */
export async function readDepends(path: string): Promise<string[]> {
  const info = await withFile(path, readModinfo);
  if (info === null) throw new InputError(`${path} is not an ELF kernel module`);
  const depends = info.find(([key]) => key === 'depends')?.[1] ?? '';
  return depends
    .split(',')
    .filter((name) => name !== '')
    .map(moduleName);
}

/**
 * Completes direct dependencies to all that a module needs, in the order of modules.dep: loaded from the last to the
 * first. Names that have no file are built in and left out.
 */
export function indexModules(
  files: readonly { readonly path: string; readonly depends: readonly string[] }[],
): Map<string, ModuleFile> {
  const direct = new Map(files.map(({ path, depends }) => [moduleName(path), { path, depends }]));
  const loadOrder = (name: string, seen: Set<string>): string[] => {
    const module = direct.get(name);
    if (module === undefined || seen.has(name)) return [];
    seen.add(name);
    return [...module.depends.flatMap((dependency) => loadOrder(dependency, seen)), name];
  };
  return new Map(
    [...direct].map(([name, { path }]) => {
      const depends = loadOrder(name, new Set())
        .filter((other) => other !== name)
        .reverse();
      return [name, { name, path, depends }];
    }),
  );
}

const read = new Map<string, Promise<ReadonlyMap<string, number>>>();

/**
 * How often each function's name stands in the symbol tables of these modules, by module; what the kernel has no file
 * of is left out. A name of two static functions counts twice. Throws what reading the files throws.
 */
export async function moduleFunctions(
  names: ReadonlySet<string>,
  files: ReadonlyMap<string, Pick<ModuleFile, 'path'>>,
): Promise<(module: string) => ReadonlyMap<string, number> | null> {
  const found = new Map<string, ReadonlyMap<string, number>>();
  for (const name of names) {
    const path = files.get(name)?.path;
    if (path === undefined) continue;
    const counts = read.get(path) ?? withFile(path, countFunctions);
    read.set(path, counts);
    found.set(name, await counts);
  }
  return (module) => found.get(module) ?? null;
}

/**
 * Those of these modules in whose constants one of `texts` stands as a text of its own. A match table without
 * MODULE_DEVICE_TABLE(), as those of the parts of vc4 (drivers/gpu/drm/vc4/vc4_hvs.c, 6.12), is in no alias.
 */
export async function modulesWithText(
  names: readonly string[],
  files: ReadonlyMap<string, Pick<ModuleFile, 'path'>>,
  texts: readonly string[],
): Promise<string[]> {
  const found: string[] = [];
  for (const name of names) {
    const path = files.get(name)?.path;
    if (path !== undefined && (await withFile(path, (read) => hasText(read, texts)))) found.push(name);
  }
  return found;
}

async function hasText(read: ReadAt, texts: readonly string[]): Promise<boolean> {
  for (const section of (await readElf(read))?.sections ?? []) {
    if (!section.name.startsWith('.rodata')) continue;
    const constants = Buffer.from(await readSection(read, section));
    if (texts.some((text) => constants.includes(`\0${text}\0`, 0, 'latin1'))) return true;
  }
  return false;
}

async function countFunctions(read: ReadAt): Promise<ReadonlyMap<string, number>> {
  const elf = await readElf(read);
  const lines = elf === null ? null : await symbolLines(read, elf);
  const counts = new Map<string, number>();
  for (const line of lines?.split('\n') ?? []) {
    const [, letter, name] = line.split(' ');
    if (letter === 'T' && name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { InputError } from '../errors.ts';
import type { ModuleFile } from './artefact.ts';

/** File name to module name: without `.ko` and compression, dashes folded to underscores (modprobe(8)). */
export function moduleName(file: string): string {
  return basename(file)
    .replace(/\.ko(\.(xz|gz|zst))?$/, '')
    .replaceAll('-', '_');
}

/**
 * Text of an ELF64 little-endian file's `.modinfo` section as key and value pairs (ELF-64 Object File Format 1.5, tables 1 and 8;
 * include/linux/moduleparam.h, __MODULE_INFO). Null when the file is not such a file.
 */
export function readModinfo(file: Uint8Array): [key: string, value: string][] | null {
  const ELF_HEADER_SIZE = 64;
  const SECTION_HEADER_SIZE = 64;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const CLASS_64_LITTLE_ENDIAN = 0x7f454c46;
  if (file.length < ELF_HEADER_SIZE || view.getUint32(0) !== CLASS_64_LITTLE_ENDIAN || view.getUint16(4) !== 0x0201)
    return null;
  const tableOffset = Number(view.getBigUint64(0x28, true));
  const count = view.getUint16(0x3c, true);
  const namesIndex = view.getUint16(0x3e, true);
  if (tableOffset + count * SECTION_HEADER_SIZE > file.length || namesIndex >= count) return null;
  const section = (index: number): { name: number; bytes: Uint8Array } => {
    const header = tableOffset + index * SECTION_HEADER_SIZE;
    const offset = Number(view.getBigUint64(header + 0x18, true));
    const size = Number(view.getBigUint64(header + 0x20, true));
    return { name: view.getUint32(header, true), bytes: file.subarray(offset, offset + size) };
  };
  const names = section(namesIndex).bytes;
  for (let index = 0; index < count; index++) {
    const { name, bytes } = section(index);
    if (zeroTerminated(names, name) !== '.modinfo') continue;
    return Buffer.from(bytes)
      .toString('latin1')
      .split('\0')
      .flatMap((entry): [string, string][] => {
        const equals = entry.indexOf('=');
        return equals < 0 ? [] : [[entry.slice(0, equals), entry.slice(equals + 1)]];
      });
  }
  return null;
}

function zeroTerminated(bytes: Uint8Array, start: number): string {
  const end = bytes.indexOf(0, start);
  return Buffer.from(bytes.subarray(start, end < 0 ? undefined : end)).toString('latin1');
}

/** Direct dependencies of a module file, from its own modinfo. Throws {@link InputError} when it is not a module. */
export async function readDepends(path: string): Promise<string[]> {
  const info = readModinfo(await readFile(path));
  if (info === null) throw new InputError(`${path} is not an ELF kernel module`);
  const depends = info.find(([key]) => key === 'depends')?.[1] ?? '';
  return depends
    .split(',')
    .filter((name) => name !== '')
    .map(moduleName);
}

/**
 * Completes direct dependencies to all that a module needs, in the order of modules.dep: loaded from the last to the first.
 * Names that have no file are built in and left out.
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

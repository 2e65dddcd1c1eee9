import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { KernelArtefact } from './artefact.ts';
import { keepJson, readJson } from './cache.ts';
import { withFile } from './elf.ts';
import { moduleName, readModinfo } from './modules.ts';

/**
 * Which modules udev would load for a device, decided on the host as depmod and modprobe do (depmod(8), modprobe.d(5)).
 */

/** What a module says of itself in its .modinfo. */
const moduleInfoSchema = z.object({
  name: z.string(),
  /** Patterns of modaliases. */
  aliases: z.array(z.string()).readonly(),
  /** `softdep`: modules to load before it and after it, where they exist. */
  before: z.array(z.string()).readonly(),
  after: z.array(z.string()).readonly(),
});
export type ModuleInfo = z.infer<typeof moduleInfoSchema>;

const recordSchema = z.object({
  modules: z.array(moduleInfoSchema).readonly(),
  /** Patterns of modaliases of drivers that are built in. */
  builtin: z.array(z.string()).readonly(),
});
export type ModuleIndex = z.infer<typeof recordSchema>;

/** Raise it when what is read of a module changes. */
const INDEX_VERSION = 1;

/** The index of a kernel's modules: from the cache, or read from every module file. */
export async function moduleIndex(root: string, kernel: KernelArtefact): Promise<ModuleIndex> {
  const path = join(root, 'aliases', `${kernel.key}-${INDEX_VERSION}.json`);
  const known = recordSchema.safeParse(await readJson(path));
  if (known.success) return known.data;
  const modules: ModuleInfo[] = [];
  for (const { name, path: file } of kernel.modules.values())
    modules.push(moduleInfo(name, (await withFile(file, readModinfo)) ?? []));
  modules.sort((a, b) => (a.name < b.name ? -1 : 1));
  const builtin = kernel.builtinInfo === null ? [] : builtinAliases(await readFile(kernel.builtinInfo));
  const index: ModuleIndex = { modules, builtin };
  await keepJson(path, index);
  return index;
}

/** A softdep's value is `pre: a b post: c` (kmod, libkmod-config.c). */
export function moduleInfo(name: string, info: readonly (readonly [key: string, value: string])[]): ModuleInfo {
  const values = (key: string) => info.flatMap(([one, value]) => (one === key ? [value] : []));
  const before: string[] = [];
  const after: string[] = [];
  for (const softdep of values('softdep')) {
    let list: string[] | null = null;
    for (const word of softdep.split(/\s+/)) {
      if (word === 'pre:') list = before;
      else if (word === 'post:') list = after;
      else if (word !== '') list?.push(moduleName(word));
    }
  }
  return { name, aliases: values('alias'), before, after };
}

/** `modules.builtin.modinfo`: `module.key=value` entries that end in NUL. */
export function builtinAliases(file: Uint8Array): string[] {
  return Buffer.from(file)
    .toString('latin1')
    .split('\0')
    .flatMap((entry) => /^[^=.]+\.alias=(.*)$/s.exec(entry)?.[1] ?? []);
}

/** Characters of a modalias that a pattern matches; `[` begins a set, as in fnmatch(3), which kmod uses. */
function patternOf(alias: string): RegExp | null {
  let source = '';
  for (let at = 0; at < alias.length; at++) {
    const char = alias[at] ?? '';
    if (char === '*') source += '.*';
    else if (char === '?') source += '.';
    else if (char === '[') {
      const end = alias.indexOf(']', at + 1);
      if (end < 0) return null;
      source += `[${alias
        .slice(at + 1, end)
        .replaceAll(/[\\[\]]/g, '\\$&')
        .replace(/^!/, '^')}]`;
      at = end;
    } else source += char.replace(/[.+^${}()|\\/\]]/, '\\$&');
  }
  try {
    return new RegExp(`^${source}$`, 's');
  } catch {
    return null; // A set such as [z-a].
  }
}

/**
 * `of:N*T*Cacme,uart` and `of:N*T*Cacme,uartC*`: what MODULE_DEVICE_TABLE(of) makes of a compatible
 * (scripts/mod/file2alias.c, do_of_entry()).
 */
const OF_PATTERN = /^of:N\*T\*C([^*?[\]]+?)(?:C\*)?$/;

interface Pattern {
  readonly pattern: RegExp;
  readonly module: string;
}

/** Answers which modules match a modalias, and whether a driver that is built in does. */
export class ModuleMatcher {
  readonly #byCompatible = new Map<string, Set<string>>();
  readonly #byBus = new Map<string, Pattern[]>();
  readonly #builtinCompatible = new Set<string>();
  readonly #builtin: RegExp[] = [];
  readonly #known = new Map<string, readonly string[]>();

  constructor(index: ModuleIndex) {
    for (const { name, aliases } of index.modules)
      for (const alias of aliases) {
        const compatible = OF_PATTERN.exec(alias)?.[1];
        if (compatible === undefined) this.#add(alias, name);
        else this.#byCompatible.set(compatible, (this.#byCompatible.get(compatible) ?? new Set()).add(name));
      }
    for (const alias of index.builtin) {
      const compatible = OF_PATTERN.exec(alias)?.[1];
      const pattern = compatible === undefined ? patternOf(alias) : null;
      if (compatible !== undefined) this.#builtinCompatible.add(compatible);
      if (pattern !== null) this.#builtin.push(pattern);
    }
  }

  #add(alias: string, module: string): void {
    const pattern = patternOf(alias);
    if (pattern === null) return;
    const bus = busOf(alias);
    this.#byBus.set(bus, [...(this.#byBus.get(bus) ?? []), { pattern, module }]);
  }

  /** Modules that have this compatible in their table, by name. */
  forCompatible(compatible: string): readonly string[] {
    return [...(this.#byCompatible.get(compatible) ?? [])].sort();
  }

  /** Modules that `modprobe MODALIAS` would load, by name. */
  forModalias(modalias: string): readonly string[] {
    const known = this.#known.get(modalias);
    if (known !== undefined) return known;
    const found = new Set<string>();
    for (const compatible of compatiblesIn(modalias))
      for (const name of this.#byCompatible.get(compatible) ?? []) found.add(name);
    for (const { pattern, module } of this.#byBus.get(busOf(modalias)) ?? [])
      if (pattern.test(modalias)) found.add(module);
    const names = [...found].sort();
    this.#known.set(modalias, names);
    return names;
  }

  /** Whether a driver that is built in has the device in its table; as far as the kernel's build says so. */
  isBuiltin(modalias: string): boolean {
    return (
      compatiblesIn(modalias).some((compatible) => this.#builtinCompatible.has(compatible)) ||
      this.#builtin.some((pattern) => pattern.test(modalias))
    );
  }
}

function busOf(alias: string): string {
  return alias.slice(0, alias.indexOf(':') + 1);
}

/**
 * `of:NnameTtypeCfirstCsecond` (of_modalias() of drivers/of/module.c): names have no upper-case C that begins one, as
 * far as bindings go.
 */
function compatiblesIn(modalias: string): string[] {
  const [, list] = /^of:N[^T]*T[^C]*C(.*)$/.exec(modalias) ?? [];
  if (list === undefined) return [];
  // A compatible may itself have a C in it: each part may be one, and so may what several parts make.
  const parts = list.split('C');
  return parts.flatMap((_, from) =>
    parts.slice(from).map((__, length) => parts.slice(from, from + length + 1).join('C')),
  );
}

/**
 * Modules in the order in which they are loaded: each one after what it needs and what its softdeps name. Names without
 * a module file are left out: they are built in, or not there.
 */
export function loadOrder(
  wanted: Iterable<string>,
  kernel: Pick<KernelArtefact, 'modules'>,
  index: ModuleIndex,
): string[] {
  const infos = new Map(index.modules.map((info) => [info.name, info]));
  const order: string[] = [];
  const seen = new Set<string>();
  const add = (name: string): void => {
    const module = kernel.modules.get(name);
    if (module === undefined || seen.has(name)) return;
    seen.add(name);
    const info = infos.get(name);
    for (const other of info?.before ?? []) add(other);
    // As in modules.dep: what is needed first comes last.
    for (const other of module.depends.toReversed()) add(other);
    order.push(name);
    for (const other of info?.after ?? []) add(other);
  };
  for (const name of wanted) add(name);
  return order;
}

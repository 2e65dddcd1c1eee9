import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { InfraError } from '../errors.ts';
import { commandLine } from '../invocation.ts';
import { NOT_FOUND, withDescendants } from '../launch.ts';
import {
  bestEffort,
  ensureFolder,
  errorCode,
  fileSystemError,
  readIfPresent,
  withScratch,
  writeAtomic,
} from './cache.ts';
import { CROSS_COMPILE } from './make.ts';

const GCC = `${CROSS_COMPILE}gcc`;
const OBJCOPY = `${CROSS_COMPILE}objcopy`;

/** A freestanding program for arm64. Paths are absolute. */
export interface CrossProgram {
  /** Name of the result in the cache. */
  readonly name: string;
  /** C and assembly files, in link order. */
  readonly sources: readonly string[];
  /** Read by the sources, so part of the content key. */
  readonly headers: readonly string[];
  /** Headers that are made when it is compiled, by name: the text is part of the content key. */
  readonly generated: Readonly<Record<string, string>>;
  /** The linker script, or null for the linker's own. */
  readonly script: string | null;
  /** The largest pages that it can be mapped with. */
  readonly pageSize: number;
  /** Macros with a number each. */
  readonly defines: Readonly<Record<string, number>>;
  /** Symbols that the linker script uses. */
  readonly symbols: Readonly<Record<string, number>>;
  /** `elf`: a stripped executable; `binary`: the bytes from the lowest loaded address on (objcopy -O binary). */
  readonly output: 'elf' | 'binary';
}

/**
 * Freestanding, position-dependent, without the C library's start-up files. Unwind tables, build-id and section
 * alignment beyond a page would be bytes that the guest has to unpack. `-mgeneral-regs-only`: no floating-point
 * registers, so that they need neither be enabled at EL2 nor saved for PID 1. `-fno-tree-loop-distribute-patterns`: GCC
 * would turn the loop inside memcpy() into a call of memcpy(). `-mstrict-align`: with the MMU off, EL2's memory is
 * Device memory, which faults on unaligned access (DDI 0487, B2.5.2).
 */
const FLAGS = [
  '-std=gnu11',
  '-Os',
  '-Wall',
  '-Wextra',
  '-static',
  '-nostdlib',
  '-ffreestanding',
  '-fno-pie',
  '-no-pie',
  '-fno-stack-protector',
  '-fno-asynchronous-unwind-tables',
  '-fno-tree-loop-distribute-patterns',
  '-mgeneral-regs-only',
  '-mstrict-align',
  '-Wl,--build-id=none',
  '-Wl,-z,noexecstack',
] as const;

/**
 * Compiles and links a freestanding arm64 program, or takes it from the cache folder `root`. The key is the content of
 * all its files, its flags and the compiler's version. Throws {@link InfraError} where the compiler is missing or
 * refuses.
 */
export async function crossCompile(program: CrossProgram, root: string): Promise<Uint8Array> {
  const flags = [
    ...FLAGS,
    `-Wl,-z,max-page-size=${program.pageSize}`,
    ...Object.entries(program.defines).map(([name, value]) => `-D${name}=0x${value.toString(16)}`),
    ...Object.entries(program.symbols).map(([name, value]) => `-Wl,--defsym=${name}=0x${value.toString(16)}`),
  ];
  const folder = join(root, 'cross', await contentKey(program, flags));
  await bestEffort(() => ensureFolder(folder));
  const target = join(folder, program.name);
  const known = await readWhole(target);
  if (known !== null) return known;
  const make = async (temporary: string) => {
    const elf = join(temporary, 'elf');
    const script = program.script === null ? [] : ['-T', program.script];
    for (const [name, text] of Object.entries(program.generated)) await writeFile(join(temporary, name), text);
    const include = Object.keys(program.generated).length === 0 ? [] : [`-I${temporary}`];
    await run(GCC, [...flags, ...include, '-s', ...script, '-o', elf, ...program.sources], program.name, temporary);
    const finished = program.output === 'elf' ? elf : join(temporary, 'binary');
    if (program.output === 'binary') await run(OBJCOPY, ['-O', 'binary', elf, finished], program.name, temporary);
    return readFile(finished);
  };
  const made = await withScratch(root, make);
  await bestEffort(async () => {
    await writeAtomic(target, made);
    await writeAtomic(`${target}.sha256`, sha256(made));
  });
  return made;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** What the cache has at `path`, or null where it is not there as it was written. */
async function readWhole(path: string): Promise<Uint8Array | null> {
  try {
    const bytes = await readFile(path);
    return sha256(bytes) === (await readIfPresent(`${path}.sha256`)) ? bytes : null;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw fileSystemError(error, path, 1);
  }
}

/** Asked once a run. */
let compilerVersion: Promise<string> | undefined;

async function contentKey(program: CrossProgram, flags: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  const add = (text: string | Uint8Array) => hash.update(`${text.length}:`).update(text);
  compilerVersion ??= run(GCC, ['--version'], program.name);
  add(await compilerVersion);
  add(program.output);
  for (const flag of flags) add(flag);
  for (const part of Object.entries(program.generated).flat()) add(part);
  const script = program.script === null ? [] : [program.script];
  for (const path of [...program.sources, ...program.headers, ...script]) {
    add(basename(path));
    add(await readFile(path));
  }
  return hash.digest('hex');
}

/**
 * Runs a tool of the cross compiler and returns its standard output.
 * @param temporary where it puts what it leaves behind when it is killed
 */
async function run(tool: string, words: readonly string[], purpose: string, temporary?: string): Promise<string> {
  const env = { LC_ALL: 'C', ...(temporary === undefined ? {} : { TMPDIR: temporary }) };
  const result = await execa(...withDescendants(tool, words), { reject: false, env });
  if (result.exitCode === NOT_FOUND) {
    throw new InfraError(
      `${tool} is not installed, and it is needed for ${purpose}`,
      `run \`${commandLine(['doctor'])}\`, which lists the packages to install`,
    );
  }
  if (result.failed) {
    const said = result.stderr.trim().split('\n').slice(0, 10).join('\n');
    throw new InfraError(`${tool} failed on ${purpose}: ${said === '' ? result.shortMessage : said}`);
  }
  return result.stdout;
}

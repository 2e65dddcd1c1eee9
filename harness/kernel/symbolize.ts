import { execa } from 'execa';
import type { CodeSource } from '../dmesg/frame.ts';
import { InfraError, InputError } from '../errors.ts';
import { oneOf } from '../regex.ts';

/** A place in the kernel's own code: `qcom_smmu500_reset+0x40`. */
export interface CodePlace {
  readonly function: string;
  readonly offset: number;
}

/** Tried in turn: the cross binutils that also build the kernel, the host's own, LLVM's. */
const TOOLS = [
  { nm: 'aarch64-linux-gnu-nm', addr2line: 'aarch64-linux-gnu-addr2line' },
  { nm: 'nm', addr2line: 'addr2line' },
  { nm: 'llvm-nm', addr2line: 'llvm-addr2line' },
] as const;

const MAX_SYMBOLS_OUTPUT = 256 * 1024 * 1024;
/** A command line that long is accepted everywhere (Linux MAX_ARG_STRLEN is 128 KiB a word, ARG_MAX 2 MiB). */
const ADDRESSES_AT_ONCE = 1000;

/**
 * File and line of code places, by the debug information of a vmlinux: `drivers/iommu/arm/arm-smmu/arm-smmu.c:1620`,
 * and the file of the function itself where that line is of one that was inlined into it.
 * A place that the file does not know is missing from the result. Keys are `function+0xoffset`.
 *
 * @throws InputError when the file is not readable as an ELF object, InfraError when binutils are not installed
 */
export async function symbolize(vmlinux: string, places: readonly CodePlace[]): Promise<Map<string, CodeSource>> {
  const found = new Map<string, CodeSource>();
  if (places.length === 0) return found;
  const tools = await workingTools(vmlinux);
  const wanted = new Set(places.map((place) => place.function));
  const starts = new Map<string, bigint>();
  for (const line of tools.symbols.split('\n')) {
    const [address, type, name] = line.split(' ');
    if (address === undefined || name === undefined || !/^[tTwW]$/.test(type ?? '') || !wanted.has(name)) continue;
    if (!starts.has(name)) starts.set(name, BigInt(`0x${address}`));
  }
  const known = [...new Map(places.map((place) => [placeKey(place), place])).values()].flatMap((place) => {
    const start = starts.get(place.function);
    return start === undefined
      ? []
      : [{ key: placeKey(place), address: `0x${(start + BigInt(place.offset)).toString(16)}` }];
  });
  for (let at = 0; at < known.length; at += ADDRESSES_AT_ONCE) {
    const part = known.slice(at, at + ADDRESSES_AT_ONCE);
    const { stdout } = await execa(
      tools.addr2line,
      ['--addresses', '--inlines', '-e', vmlinux, ...part.map(({ address }) => address)],
      { reject: false },
    );
    // An address, then a line for what was inlined there, from the inside out.
    const answers = stdout.split(/^0x[0-9a-f]+$/m).slice(1);
    part.forEach(({ key }, index) => {
      const lines = (answers[index] ?? '').split('\n').map((line) => line.replace(/ \(discriminator \d+\)$/, ''));
      const known = lines.filter((line) => line !== '' && !line.startsWith('??')).map(relative);
      const [source] = known;
      if (source !== undefined) found.set(key, { source, home: (known.at(-1) ?? source).replace(/:\d+$/, '') });
    });
  }
  return found;
}

export function placeKey(place: CodePlace): string {
  return `${place.function}+0x${place.offset.toString(16)}`;
}

const TOP_LEVEL = oneOf(
  /arch|block|certs|crypto|drivers|fs|include|init|io_uring|ipc|kernel|lib|mm|net|rust|security|sound|virt/,
);
const IN_TREE = new RegExp(String.raw`(?:^|\/)(${TOP_LEVEL}\/.*)$`);

/** The path as kernel developers write it: from the tree's own top-level folder on. */
function relative(line: string): string {
  return IN_TREE.exec(line)?.[1] ?? line;
}

async function workingTools(vmlinux: string): Promise<{ addr2line: string; symbols: string }> {
  let refused: string | null = null;
  for (const { nm, addr2line } of TOOLS) {
    const result = await execa(nm, [vmlinux], { reject: false, maxBuffer: MAX_SYMBOLS_OUTPUT });
    if (result.code === 'ENOENT') continue;
    if (result.exitCode === 0 && result.stdout !== '') return { addr2line, symbols: result.stdout };
    refused = result.stderr.split('\n')[0] ?? 'no symbols';
  }
  if (refused !== null)
    throw new InputError(`${vmlinux}: ${refused}`, 'name a vmlinux with symbols and debug information');
  throw new InfraError('neither nm nor llvm-nm is installed', 'install the package binutils-aarch64-linux-gnu');
}

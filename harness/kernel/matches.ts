import { open, readFile } from 'node:fs/promises';
import type { KernelArtefact } from './artefact.ts';
import { withFile } from './elf.ts';
import { readModinfo } from './modules.ts';

/** What in a kernel could match a device tree node, going by the strings of its match tables. */
export type DriverMatch =
  | { readonly kind: 'builtin' }
  /** Modules that say so in their aliases. */
  | { readonly kind: 'modules'; readonly modules: readonly string[] }
  | { readonly kind: 'none' }
  /** The image is packed, so that nothing can be said. */
  | { readonly kind: 'unknown' };

/** Magic number of an arm64 Image at byte 56 (Documentation/arch/arm64/booting.rst). */
const IMAGE_MAGIC = 'ARM\x64';
const IMAGE_MAGIC_AT = 56;
/** Drivers of AMBA devices match by the peripheral's id registers, and not by `compatible` (drivers/amba/bus.c). */
const PRIMECELL = 'arm,primecell';
/** Module files read at a time. */
const READERS = 32;

/**
 * Looks for the driver of a node with these `compatible` strings. A match table of the image holds them as they are
 * (struct of_device_id, include/linux/mod_devicetable.h); a module's are in its aliases, `of:N*T*Cqcom,scm-sdm845`
 * (scripts/mod/file2alias.c).
 */
export async function findDriver(kernel: KernelArtefact, compatible: readonly string[]): Promise<DriverMatch> {
  if (compatible.includes(PRIMECELL)) return { kind: 'unknown' };
  if (!(await isPlainImage(kernel.image))) return { kind: 'unknown' };
  const image = await readFile(kernel.image);
  if (compatible.some((name) => image.includes(`${name}\0`))) return { kind: 'builtin' };
  const wanted = new Set(compatible);
  const files = [...kernel.modules.values()];
  const found: string[] = [];
  for (let from = 0; from < files.length; from += READERS) {
    const infos = await Promise.all(
      files
        .slice(from, from + READERS)
        .map(async ({ name, path }) => ({ name, info: await withFile(path, readModinfo) })),
    );
    for (const { name, info } of infos)
      if (info?.some(([key, value]) => key === 'alias' && wanted.has(ofCompatible(value)))) found.push(name);
  }
  return found.length === 0 ? { kind: 'none' } : { kind: 'modules', modules: found };
}

/** `qcom,scm` of the alias `of:N*T*Cqcom,scm` or `of:N*T*Cqcom,scmC*`. */
function ofCompatible(alias: string): string {
  return /^of:N\S*?T\S*?C(.+?)(?:C\*)?$/.exec(alias)?.[1] ?? '';
}

async function isPlainImage(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(IMAGE_MAGIC.length), 0, IMAGE_MAGIC.length, IMAGE_MAGIC_AT);
    return buffer.toString('latin1') === IMAGE_MAGIC;
  } finally {
    await file.close();
  }
}

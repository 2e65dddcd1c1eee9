import { readFile } from 'node:fs/promises';
import type { KernelArtefact } from './artefact.ts';
import { probeImage } from './image.ts';
import { ModuleMatcher, moduleIndex } from './modalias.ts';

/** What in a kernel could match a device tree node, going by the strings of its match tables. */
export type DriverMatch =
  | { readonly kind: 'builtin' }
  /** Modules that say so in their aliases. */
  | { readonly kind: 'modules'; readonly modules: readonly string[] }
  | { readonly kind: 'none' }
  /** The device is matched by something else, or the image is packed, so that nothing can be said. */
  | { readonly kind: 'unknown' };

/**
 * Buses that match by numbers that the compatible spells out, or that the device has in its registers, and not by its
 * text (drivers/amba/bus.c for `arm,primecell`).
 */
const OTHER_IDS = /^(?:usb|pci|slim|sdw|ethernet-phy-id)[0-9a-f]|^arm,primecell$/;

/**
 * Text of a match table is a field of fixed size, filled up with NUL: 128 bytes for a compatible, 32 for the name of an
 * SPI device, 20 of an I2C device (include/linux/mod_devicetable.h, 5.4 to 6.12). Each entry has an `unsigned long` or
 * a pointer, so that they are aligned; before its compatible an entry has 64 bytes.
 */
const ENTRY_ALIGNMENT = 8;
const COMPATIBLE_SIZE = 128;
const NAME_SIZES = [32, 20];

/** The match tables of one kernel. */
export class Drivers {
  readonly #tables: ReadonlyMap<string, number> | null;
  readonly #matcher: ModuleMatcher;

  /** `image`: null where it is packed. */
  constructor(image: Uint8Array | null, matcher: ModuleMatcher) {
    this.#tables = image === null ? null : fieldsOf(image);
    this.#matcher = matcher;
  }

  /** Looks for the driver of a node with these `compatible` strings. */
  find(compatibles: readonly string[]): DriverMatch {
    if (compatibles.some((compatible) => OTHER_IDS.test(compatible))) return { kind: 'unknown' };
    if (compatibles.some((compatible) => this.#isBuiltin(compatible))) return { kind: 'builtin' };
    const modules = new Set(
      compatibles.flatMap(modaliasesOf).flatMap((modalias) => this.#matcher.forModalias(modalias)),
    );
    if (this.#tables === null) return { kind: 'unknown' };
    return modules.size === 0 ? { kind: 'none' } : { kind: 'modules', modules: [...modules].sort() };
  }

  /** Not every build lists what it has built in (modules.builtin.modinfo); the tables in the image always tell. */
  #isBuiltin(compatible: string): boolean {
    return (
      this.#hasField(compatible, COMPATIBLE_SIZE) ||
      NAME_SIZES.some((size) => this.#hasField(withoutVendor(compatible), size)) ||
      modaliasesOf(compatible).some((modalias) => this.#matcher.isBuiltin(modalias))
    );
  }

  #hasField(text: string, size: number): boolean {
    return text.length < size && (this.#tables?.get(text) ?? 0) >= size;
  }
}

/** Texts of an image that lie as those of match tables do, with the largest field that each fills up. */
function fieldsOf(image: Uint8Array): Map<string, number> {
  const fields = new Map<string, number>();
  for (let start = 0; start < image.length; start += ENTRY_ALIGNMENT) {
    let end = start;
    while (end - start < COMPATIBLE_SIZE && isPrintable(image[end])) end++;
    if (end === start || image[end] !== 0) continue;
    let size = end - start;
    while (size < COMPATIBLE_SIZE && image[start + size] === 0) size++;
    if (!NAME_SIZES.some((least) => least <= size)) continue;
    const text = Buffer.from(image.subarray(start, end)).toString('latin1');
    fields.set(text, Math.max(size, fields.get(text) ?? 0));
  }
  return fields;
}

function isPrintable(byte: number | undefined): boolean {
  return byte !== undefined && byte > 0x20 && byte < 0x7f;
}

/** Reads the match tables of a kernel: those of its image, and the aliases of its modules. */
export async function driversOf(root: string, kernel: KernelArtefact): Promise<Drivers> {
  const image = await readFile(kernel.image);
  const matcher = new ModuleMatcher(await moduleIndex(root, kernel));
  return new Drivers(probeImage(image).is === 'arm64-image' ? image : null, matcher);
}

/** I2C and SPI match by the name without the vendor as well (drivers/of/base.c, of_alias_from_compatible()). */
function withoutVendor(compatible: string): string {
  return compatible.slice(compatible.indexOf(',') + 1);
}

function modaliasesOf(compatible: string): string[] {
  const name = withoutVendor(compatible);
  return [`of:NnodeT(null)C${compatible}`, `i2c:${name}`, `spi:${name}`];
}

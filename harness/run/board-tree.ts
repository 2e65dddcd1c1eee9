import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { parseFdt } from '../devicetree/parse.ts';
import type { DeviceTree } from '../devicetree/tree.ts';
import { InputError } from '../errors.ts';
import { readNamed } from '../files.ts';
import type { KernelArtefact } from '../kernel/artefact.ts';
import { didYouMean } from '../suggest.ts';

/** Finds and reads the compiled device tree that `--board`, `--tree` and `board:` name. */

/** More than any tree: what the kernel maps of a blob (MAX_FDT_SIZE, arch/arm64/include/asm/boot.h). */
export const LARGEST_BLOB = 2 * 1024 * 1024;

export interface BoardBlob {
  /** As the user named it. */
  readonly name: string;
  readonly path: string;
  readonly blob: Uint8Array;
  readonly tree: DeviceTree;
}

/**
 * A name with a slash is a path; any other is looked up in the working directory and then among the device trees of the
 * kernel's own package; `kernel` is null where there is none to look in. `hint`: what to do about a tree that is not
 * there. Throws {@link InputError} where there is no such tree, with names like it, and for a file that cannot be read
 * or is no blob.
 */
export async function readBoardTree(
  name: string,
  kernel: KernelArtefact | null,
  hint = NEEDS_FILE,
): Promise<BoardBlob> {
  const path = name.includes('/') || existsSync(name) ? name : await findInKernel(name, kernel, hint);
  const size = await stat(path).then(
    (found) => found.size,
    () => null,
  );
  if (size === null) throw missing(path, hint);
  if (size > LARGEST_BLOB) throw new InputError(`${path} has ${size} bytes, and Linux takes at most ${LARGEST_BLOB}`);
  const blob = await readNamed(path, 'device tree', { hint: NEEDS_FILE, bytesMax: LARGEST_BLOB, isRegular: true });
  return { name, path, blob, tree: parseFdt(blob, name) };
}

const NEEDS_FILE = 'give the path of a .dtb';

function missing(path: string, hint: string): InputError {
  return new InputError(`there is no device tree ${path}`, hint);
}

async function findInKernel(name: string, kernel: KernelArtefact | null, hint: string): Promise<string> {
  if (kernel === null) throw missing(name, hint);
  const folder = kernel.deviceTrees;
  if (folder === null)
    throw new InputError(
      `there is no file ${name}, and the kernel ${kernel.recipe} comes without device trees`,
      `${NEEDS_FILE}, or a debian-stock kernel`,
    );
  const files = await treesIn(folder);
  const found = files.filter((file) => basename(file) === name);
  const [first] = found;
  if (first === undefined)
    throw new InputError(
      `the kernel ${kernel.recipe} has no device tree ${name}${didYouMean(
        name,
        files.map((file) => basename(file)),
      )}`,
      `its ${files.length} trees lie in ${folder}`,
    );
  if (found.length > 1)
    throw new InputError(
      `the kernel ${kernel.recipe} has ${found.length} device trees ${name}`,
      `give the path of one: ${found.map((file) => relative('.', join(folder, file))).join(', ')}`,
    );
  return join(folder, first);
}

/** The compiled device trees below a folder, by their paths there. */
export async function treesIn(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.dtb')).sort();
}

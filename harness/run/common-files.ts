import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { resolveBoard } from '../boards/boards.ts';
import { RESET_IMAGES } from '../devices/reset-images.ts';
import { parseFdt } from '../devicetree/parse.ts';
import type { DeviceTree } from '../devicetree/tree.ts';
import { FIRMWARE } from '../firmware/program.ts';
import { buildInitramfs } from '../guest/initramfs.ts';
import { GUEST_INIT, GUEST_INIT_LARGE_PAGES } from '../guest/program.ts';
import type { KernelArtefact } from '../kernel/artefact.ts';
import { crossCompile } from '../kernel/cross.ts';
import { compileDeviceTree } from '../kernel/dtc.ts';
import type { PageKib } from '../kernel/image.ts';
import { boardTreeFile } from '../model/board.ts';
import type { GuestFiles } from '../qemu/command.ts';
import { type BoardBlob, readBoardTree } from './board-tree.ts';

/** A board whose files are in the run's folder. */
type BoardFiles = StandinFiles | DtbFiles;

export interface StandinFiles {
  readonly kind: 'standin';
  readonly tree: DeviceTree;
  readonly registers: GuestFiles['registers'];
  readonly registersHash: string;
}

export interface DtbFiles extends BoardBlob {
  readonly kind: 'dtb';
}

/** Files that the cells of a run have in common, and the folder they are in. */
export interface CommonFiles {
  /**
   * A board, written to the folder when it is asked for first; that of a .dtb may be one of the kernel's own, which
   * must be given then. Throws {@link InputError} for an unknown one.
   */
  readonly board: (name: string, kernel: KernelArtefact | null) => Promise<BoardFiles>;
  /** Writes a file that several cells may boot with. */
  readonly write: WriteFile;
  /** The initramfs for kernels with such pages. */
  readonly initramfs: (pages: PageKib) => Promise<Initramfs>;
  /** Path of the EL2 firmware. */
  readonly firmware: string;
  readonly hashes: { readonly firmware: string };
}

interface Initramfs {
  readonly path: string;
  readonly hash: string;
}

/** SHA-256 of the parts one behind the other, hexadecimal. */
export function sha256(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

/** Compiles the firmware and the init (from the cache when unchanged) and writes the common files to `folder`. */
export async function openCommonFiles(folder: string, cache: string): Promise<CommonFiles> {
  await mkdir(folder, { recursive: true });
  const [firmware, init] = await Promise.all([crossCompile(FIRMWARE, cache), crossCompile(GUEST_INIT, cache)]);
  const write = contentWriter(folder);
  const boards = new Map<string, Promise<BoardFiles>>();
  const laidOut = (name: string, init: Uint8Array): Initramfs => {
    const bytes = buildInitramfs(init);
    return { path: write(name, bytes), hash: sha256(bytes) };
  };
  const usual = laidOut('initramfs.cpio', init);
  let forLargePages: Promise<Initramfs> | undefined;
  return {
    board: (name, kernel) => {
      const key = resolveBoard(name).kind === 'dtb' ? `${name} of ${kernel?.key}` : name;
      const files = boards.get(key) ?? writeBoard(write, name, kernel);
      boards.set(key, files);
      return files;
    },
    write,
    initramfs: async (pages) => {
      if (pages === 4) return usual;
      forLargePages ??= crossCompile(GUEST_INIT_LARGE_PAGES, cache).then((large) =>
        laidOut('initramfs-large-pages.cpio', large),
      );
      return forLargePages;
    },
    firmware: write('el2-firmware.bin', firmware),
    hashes: { firmware: sha256(firmware) },
  };
}

async function writeBoard(write: WriteFile, name: string, kernel: KernelArtefact | null): Promise<BoardFiles> {
  const board = resolveBoard(name);
  if (board.kind === 'dtb') {
    const found = await readBoardTree(board.dtb, kernel);
    write(boardTreeFile(name), found.blob);
    return { kind: 'dtb', ...found };
  }
  const blob = await compileDeviceTree(board.source);
  // For reports: what a cell's tree differs from.
  write(boardTreeFile(name), blob);
  const registers = board.registers.map(({ name, model, address }) => {
    const image = RESET_IMAGES.get(model);
    if (image === undefined) throw new Error(`there is no device model ${model}`);
    return { name, address, bytes: image() };
  });
  return {
    kind: 'standin',
    tree: parseFdt(blob, board.source),
    registers: registers.map(({ name, address, bytes }) => ({ path: write({ kind: name }, bytes), address })),
    registersHash: sha256(...registers.flatMap(({ name, address, bytes }) => [`${name}@${address}`, bytes])),
  };
}

/**
 * Returns the path of a file with this name, or one made of its content, and writes it where it is not there yet: most
 * cells of a kernel load the same modules and follow the same plan.
 */
type WriteFile = (name: string | { readonly kind: string }, bytes: Uint8Array) => string;

const CONTENT_NAME_DIGITS = 16;

function contentWriter(folder: string): WriteFile {
  const written = new Set<string>();
  return (name, bytes) => {
    const file = typeof name === 'string' ? name : `${name.kind}-${sha256(bytes).slice(0, CONTENT_NAME_DIGITS)}.bin`;
    const path = join(folder, file);
    if (!written.has(path)) writeFileSync(path, bytes);
    written.add(path);
    return path;
  };
}

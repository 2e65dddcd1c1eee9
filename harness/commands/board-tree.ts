import { suppliersOf } from '../board/suppliers.ts';
import { transplant, WITHOUT_KERNEL } from '../board/transplant.ts';
import { waitsOf } from '../board/waits.ts';
import { resolveBoard } from '../boards/boards.ts';
import type { DeviceTree } from '../devicetree/tree.ts';
import { EXIT, InputError } from '../errors.ts';
import { cacheRoot } from '../kernel/cache.ts';
import { driversOf } from '../kernel/matches.ts';
import { type BoardTree, formatSuppliers, treeChanges } from '../report/suppliers.ts';
import { readBoardTree } from '../run/board-tree.ts';
import { kernelNamed } from '../terminal/kernel.ts';
import { print } from '../terminal/output.ts';
import type { BoardOptions } from './board.options.ts';

const NEEDS_TREE = 'give the path of a .dtb, or a kernel whose package has the tree: `--kernel debian-stock:6.12`';

/** Options that say nothing of a tree. */
const OF_A_BOOT: readonly { readonly option: string; readonly isGiven: (options: BoardOptions) => boolean }[] = [
  { option: '--log', isGiven: ({ log }) => log !== undefined },
  { option: '--modules-load', isGiven: ({ modulesLoad }) => modulesLoad !== undefined },
  { option: '--append', isGiven: ({ append }) => append.length > 0 },
  { option: '--cpus', isGiven: ({ cpus }) => cpus !== 1 },
];

/** `board --no-boot`: what the tree says alone, or together with the drivers of a kernel; returns the exit code. */
export async function withoutBoot(name: string, options: BoardOptions, signal: AbortSignal): Promise<number> {
  const needsBoot = OF_A_BOOT.find(({ isGiven }) => isGiven(options));
  if (needsBoot !== undefined) throw new InputError(`${needsBoot.option} needs a boot`, 'leave out --no-boot');
  const board = resolveBoard(name);
  if (board.kind === 'standin')
    throw new InputError(
      `${name} is a stand-in of ${board.source}, and --no-boot reads real boards' trees`,
      NEEDS_TREE,
    );
  const kernel = options.kernel === undefined ? null : await kernelNamed(options.kernel, name, signal);
  const { tree, blob } = await readBoardTree(board.dtb, kernel, NEEDS_TREE);
  const suppliers = suppliersOf(tree);
  const drivers = kernel === null ? null : await driversOf(cacheRoot(), kernel);
  const found: BoardTree = {
    ...suppliers,
    waits: waitsOf(tree, suppliers, drivers && ((compatible) => drivers.find([compatible]).kind !== 'none')),
    release: kernel?.release ?? null,
    ...changesFor(tree, blob, name),
  };
  print(options.json === true ? `${JSON.stringify(found, null, 1)}\n` : formatSuppliers(found, name));
  return EXIT.expected;
}

/** A board that cannot be booted has suppliers all the same. */
function changesFor(tree: DeviceTree, blob: Uint8Array, name: string): Pick<BoardTree, 'changes' | 'refusal'> {
  try {
    return { changes: treeChanges(tree, transplant(tree, blob.length, { ...WITHOUT_KERNEL, name })), refusal: null };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { changes: null, refusal: error.message };
  }
}

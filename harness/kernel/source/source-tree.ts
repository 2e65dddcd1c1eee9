import { access } from 'node:fs/promises';
import { join } from 'node:path';

/** A source tree that the cache owns, so that it may be patched and built in. */
export interface SourceTree {
  /** Names the exact content: equal ids mean equal trees. */
  readonly id: string;
  /** What people know it by: `git COMMIT`, `debian VERSION`; `id` where there is no such name. */
  readonly name: string;
  /** `work/NAME`: holds `src/` and what the build keeps beside it. */
  readonly folder: string;
  /** Brings `src/` to the content of `id`; called with the lock of the folder held. Touches only what differs. */
  readonly prepare: () => Promise<void>;
}

export function sourceFolder(tree: Pick<SourceTree, 'folder'>): string {
  return join(tree.folder, 'src');
}

/** Where {@link applyPatches} keeps the text of patched files as they were. */
export function pristineFolder(tree: Pick<SourceTree, 'folder'>): string {
  return join(tree.folder, 'pristine');
}

/** Ending of a name in the pristine folder: there was no such file. */
export const ABSENT = '.absent';

/** Build folders lie in the source tree, under names that begin so. */
export const OUTPUT_PREFIX = 'bootrace-out-';

/** Room for an unpacked kernel source (1.4 GB), its package (0.14 GB) and one build folder, with some to spare. */
export const SOURCE_MIB = 2600;

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

import type { Crash } from '../dmesg/events.ts';

/** A module that a boot is counted without, because the kernel does not survive what it does on this board. */
export interface LeftOut {
  readonly module: string;
  /** The crash that ended the boot which had loaded it. */
  readonly why: string;
}

/**
 * The module to leave out after a boot that a crash ended before it could be counted: of those that were chosen for the
 * board's devices (`chosen`), the one whose function stands innermost in the trace. A library that such a module needs
 * is not one of them. Null where the boot was counted, or where no such module is in the trace. Pure.
 */
export function moduleToLeaveOut(
  { complete, crashes }: { readonly complete: boolean; readonly crashes: readonly Crash[] },
  chosen: ReadonlySet<string>,
): LeftOut | null {
  if (complete) return null;
  const last = crashes.findLast(({ fatal }) => fatal);
  const module = [last?.pc, ...(last?.trace ?? [])]
    .flatMap((frame) => frame?.module ?? [])
    .find((name) => chosen.has(name));
  return last === undefined || module === undefined ? null : { module, why: last.title };
}

/** A sentence for each module that a board is booted without. */
export function tellLeftOut(leftOut: readonly LeftOut[]): string[] {
  return leftOut.map(({ module, why }) => `booted without ${module}: a boot that loaded it ended with ${why}`);
}

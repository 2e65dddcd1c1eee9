import { readFile } from 'node:fs/promises';
import { InputError } from '../errors.ts';
import { type ConsoleWay, consoleWay, type SymbolLookup } from '../firmware/gate-table.ts';
import type { KernelArtefact } from '../kernel/artefact.ts';

/**
 * What tells that a kernel's early console can write to a PL011 (drivers/tty/serial/amba-pl011.c,
 * OF_EARLYCON_DECLARE()).
 */
const EARLY_CONSOLE = ['earlycon', 'arm,pl011'] as const;

/** Who prints a kernel's messages on a real board. Throws {@link InputError} for a kernel that could say nothing. */
export async function boardConsole(kernel: KernelArtefact, lookup: SymbolLookup): Promise<ConsoleWay> {
  const way = consoleWay(lookup);
  if (way !== 'uart') return way;
  const image = await readFile(kernel.image);
  if (EARLY_CONSOLE.every((word) => image.includes(word))) return way;
  throw new InputError(
    `the kernel ${kernel.recipe} cannot be read: it has neither symbols nor an early console for a PL011`,
    'give its System.map or vmlinux with map=, or build it with CONFIG_KALLSYMS or CONFIG_SERIAL_AMBA_PL011_CONSOLE',
  );
}

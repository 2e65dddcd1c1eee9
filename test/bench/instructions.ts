import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withDir } from 'tmp-promise';
import { setBootargs } from '../../harness/devicetree/chosen.ts';
import { editTree } from '../../harness/devicetree/edit.ts';
import { parseFdt } from '../../harness/devicetree/parse.ts';
import { serializeFdt } from '../../harness/devicetree/serialize.ts';
import { encodeCounting } from '../../harness/firmware/gates.ts';
import { buildKernel } from '../../harness/kernel/build.ts';
import { cacheRoot } from '../../harness/kernel/cache.ts';
import { boot } from '../../harness/run/boot.ts';
import { bootargsOf } from '../../harness/run/bootargs.ts';
import { openCommonFiles } from '../../harness/run/common-files.ts';
import { prepareCell } from '../../harness/run/prepare.ts';
import { findSymbols } from '../../harness/run/symbols.ts';
import { moduleCells } from './boots.ts';

/** Functions of Linux 6.1 at whose entry a part of the boot begins (init/main.c, init/initramfs.c, kernel/reboot.c); the firmware is what comes before. */
const PHASES = [
  { phase: 'head of the kernel', from: null },
  { phase: 'early boot', from: 'start_kernel' },
  { phase: 'initcalls', from: 'kernel_init_freeable' },
  { phase: 'init and plan', from: 'run_init_process' },
  { phase: 'power off', from: 'kernel_power_off' },
] as const;
const END = 'machine_power_off';

/** What a boot was before each of these was left out; each is put back by itself, and then all. */
const STEPS = {
  'console by the UART driver': { console: false, bootargs: true, memory: true },
  'self-test of a hash, sysfs of slab caches': { console: true, bootargs: false, memory: true },
  'all of the memory': { console: true, bootargs: true, memory: false },
  'all three, as before': { console: false, bootargs: false, memory: false },
} as const;
const NOW = { console: true, bootargs: true, memory: true } as const;

/** Guest instructions of one boot by phase, by QEMU's own count, and what each step that made it shorter spares. */
export async function bootInstructions() {
  const [cell] = await moduleCells();
  if (cell === undefined) throw new Error('there are no module cells');
  const kernel = await buildKernel({ recipe: cell.kernel, linkage: cell.linkage });
  if (kernel.kind !== 'ready') throw new Error(kernel.reason);
  return withDir(
    async ({ path }) => {
      const { signal } = new AbortController();
      const common = await openCommonFiles(join(path, 'shared'), cacheRoot());
      const functions = [...PHASES.flatMap(({ from }) => from ?? []), END];
      const names = new Set([...functions, 'pl011_console_write']);
      const symbols = await findSymbols(kernel, names);
      let boots = 0;
      const count = async (has: { readonly [part in keyof typeof NOW]: boolean }) => {
        const folder = join(path, String(boots++));
        const prepared = await prepareCell(cell, kernel, symbols, common, folder);
        const tree = parseFdt(await readFile(prepared.files.deviceTree), 'variant.dtb');
        const bootargs = bootargsOf(cell).filter((word) => has.bootargs || !word.startsWith('initcall_blacklist='));
        const memory = { edit: 'unset', node: '/chosen', property: 'linux,usable-memory-range' } as const;
        const deviceTree = join(folder, 'counted.dtb');
        writeFileSync(deviceTree, serializeFdt(setBootargs(editTree(tree, has.memory ? [] : [memory]), bootargs)));
        const lookup = (name: string) =>
          name === 'pl011_console_write' && !has.console ? null : (symbols.get(name) ?? null);
        const gates = join(folder, 'counted.bin');
        writeFileSync(gates, encodeCounting(functions, lookup) ?? new Uint8Array());
        const files = { ...prepared.files, deviceTree, gates };
        const { firmwareLog } = await boot({ ...prepared, files }, { signal });
        const counted = [...firmwareLog.matchAll(/^counted (\d+) (\d+)$/gm)];
        return functions.map((_, place) =>
          Number(counted.find((match) => Number(match[1]) === place)?.[2] ?? Number.NaN),
        );
      };
      const now = await count(NOW);
      const total = now.at(-1) ?? Number.NaN;
      const phases = PHASES.map(({ phase }, n) => ({
        phase,
        instructions: (now[n] ?? 0) - (n === 0 ? 0 : (now[n - 1] ?? 0)),
      }));
      const steps: { step: string; instructions: number }[] = [];
      for (const [step, has] of Object.entries(STEPS))
        steps.push({ step, instructions: ((await count(has)).at(-1) ?? Number.NaN) - total });
      const before = total + (steps.at(-1)?.instructions ?? Number.NaN);
      for (const { phase, instructions } of phases)
        console.log(`instructions: ${phase}: ${millions(instructions)}, ${percent(instructions, total)} of the boot`);
      for (const { step, instructions } of steps)
        console.log(`instructions: with ${step}: ${millions(instructions)} more`);
      console.log(
        `instructions: a boot has ${millions(total)}, ${percent(before - total, before)} fewer than the ${millions(before)} before`,
      );
      return { total, before, phases, steps };
    },
    { unsafeCleanup: true },
  );
}

const millions = (count: number): string => `${(count / 1e6).toFixed(2)} million`;
const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`;

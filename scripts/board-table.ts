import { execa } from 'execa';
import { z } from 'zod';
import { print } from '../harness/terminal/output.ts';

/** Prints the table of docs/boards.md: what each board comes to on each kernel. `npx tsx scripts/board-table.ts [KERNEL...]` boots them all. */

const BOARDS = [
  'sdm845-db845c.dtb',
  'apq8016-sbc.dtb',
  'imx8mq-evk.dtb',
  'rk3399-rockpro64.dtb',
  'rk3588-rock-5b.dtb',
  'k3-am625-sk.dtb',
  'bcm2711-rpi-4-b.dtb',
  'meson-g12b-odroid-n2.dtb',
  'sun50i-a64-pinephone-1.2.dtb',
  'r8a774a1-hihope-rzg2m.dtb',
  'mt8183-evb.dtb',
  'tegra210-p2371-2180.dtb',
  'hi6220-hikey.dtb',
  'armada-3720-espressobin.dtb',
  'exynos5433-tm2.dtb',
] as const;

const counted = z.object({
  verdict: z.string(),
  complete: z.boolean(),
  bound: z.number(),
  deferred: z.number(),
  failed: z.number(),
  crashed: z.number(),
  devices: z.array(z.object({ end: z.string(), matched: z.boolean(), answeredBy: z.string() })),
});

/** A row of the table: of a board that could not be booted, why. */
async function row(board: string, kernel: string): Promise<string> {
  const { stdout, stderr } = await execa('node', ['bootrace.js', 'board', board, '--kernel', kernel, '--json'], {
    reject: false,
  });
  const parsed = counted.safeParse(parsedJson(stdout));
  if (!parsed.success) return `| ${board} | ${kernel} | ${/^bootrace: (.*)$/m.exec(stderr)?.[1] ?? 'no answer'} |||||`;
  const { bound, deferred, failed, crashed, devices, complete } = parsed.data;
  const matched = devices.filter((device) => device.matched).length;
  const by = (what: string) => devices.filter(({ end, answeredBy }) => end === 'bound' && answeredBy === what).length;
  const counts = [by('models'), by('broken polls'), by('plain memory') + by('none')];
  const bad = `${deferred} / ${failed} / ${crashed}`;
  return `| ${board} | ${kernel} | ${bound} of ${matched}${complete ? '' : ', not complete'} | ${bad} | ${counts.join(' | ')} |`;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const kernels = process.argv.length > 2 ? process.argv.slice(2) : ['debian-stock:6.12'];
print(
  `${'| board | kernel | bound of matched | deferred / failed / crashed | models | broken polls | plain memory or no registers |'}\n`,
);
print('|---|---|---|---|---|---|---|\n');
for (const kernel of kernels) for (const board of BOARDS) print(`${await row(board, kernel)}\n`);

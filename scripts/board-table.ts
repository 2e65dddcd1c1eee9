/**
 * Prints the tables of docs/boards.md: what each board comes to on each kernel.
 *
 *     npx tsx scripts/board-table.ts [--rows FILE] [--any-commit] [--write FILE] [--boards A,B] [KERNEL...]
 *
 * Each board that was booted is a line of --rows (results/board-table.jsonl); one that is there, of the same commit, is
 * not booted again, so that a run which was interrupted goes on. With --any-commit the last line of a board counts
 * whatever its commit, and the tables say so. --write replaces the tables in a document.
 */
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { z } from 'zod';
import { print, tell } from '../harness/terminal/output.ts';

const KERNELS = ['debian-stock:6.12', 'debian-stock:6.1', 'debian-stock:7.2'] as const;

/** Boards by the folder of their maker in the kernel's package. */
const BOARDS: Readonly<Record<string, string>> = {
  'sdm845-db845c.dtb': 'Qualcomm',
  'apq8016-sbc.dtb': 'Qualcomm',
  'qrb5165-rb5.dtb': 'Qualcomm',
  'imx8mq-evk.dtb': 'NXP',
  'imx8mm-evk.dtb': 'NXP',
  'rk3399-rockpro64.dtb': 'Rockchip',
  'rk3588-rock-5b.dtb': 'Rockchip',
  'k3-am625-sk.dtb': 'TI',
  'k3-am642-evm.dtb': 'TI',
  'bcm2711-rpi-4-b.dtb': 'Broadcom',
  'meson-g12b-odroid-n2.dtb': 'Amlogic',
  'sun50i-a64-pinephone-1.2.dtb': 'Allwinner',
  'r8a774a1-hihope-rzg2m.dtb': 'Renesas',
  'mt8183-evb.dtb': 'MediaTek',
  'tegra210-p2371-2180.dtb': 'NVIDIA',
  'hi6220-hikey.dtb': 'HiSilicon',
  'armada-3720-espressobin.dtb': 'Marvell',
  'armada-8040-mcbin.dtb': 'Marvell',
  'exynos5433-tm2.dtb': 'Samsung',
};

/** Boards that a kernel of Debian's cannot do much with: shown, with the reason, and not in the sum. */
const WITHOUT: readonly { readonly board: string; readonly kernel: string; readonly why: string }[] = [
  { board: 'apq8016-sbc.dtb', kernel: 'debian-stock:6.1', why: 'no CONFIG_QCOM_SMEM, so no power manager' },
  { board: 'qrb5165-rb5.dtb', kernel: 'debian-stock:6.1', why: 'no CONFIG_SM_GCC_8250, so no clocks' },
];

function missingIn({ board, kernel }: Pick<Row, 'board' | 'kernel'>): string | null {
  return WITHOUT.find((entry) => entry.board === board && entry.kernel === kernel)?.why ?? null;
}

const BEGIN = '<!-- board-table: made by scripts/board-table.ts -->';
const END = '<!-- /board-table -->';

const Counted = z.object({
  release: z.string(),
  complete: z.boolean(),
  bound: z.number(),
  deferred: z.number(),
  failed: z.number(),
  crashed: z.number(),
  hung: z.number(),
  devices: z.array(z.object({ end: z.string(), matched: z.boolean(), answeredBy: z.string() })),
});

/** A board on a kernel: what it came to, or why it could not be booted. */
const Row = z.object({
  board: z.string(),
  kernel: z.string(),
  commit: z.string(),
  error: z.string().nullable(),
  release: z.string(),
  complete: z.boolean(),
  bound: z.number(),
  matched: z.number(),
  models: z.number(),
  plain: z.number(),
  broken: z.number(),
  none: z.number(),
  deferred: z.number(),
  failed: z.number(),
  crashed: z.number(),
});
type Row = z.infer<typeof Row>;

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function boot(board: string, kernel: string, commit: string): Promise<Row> {
  const { stdout, stderr } = await execa('node', ['bootrace.js', 'board', board, '--kernel', kernel, '--json'], {
    reject: false,
  });
  const parsed = Counted.safeParse(parsedJson(stdout));
  const about = { board, kernel, commit };
  const nothing = { models: 0, plain: 0, broken: 0, none: 0, deferred: 0, failed: 0, crashed: 0, bound: 0, matched: 0 };
  if (!parsed.success) {
    const error = /^bootrace: (.*)$/m.exec(stderr)?.[1] ?? 'no answer';
    return { ...about, ...nothing, error, release: '', complete: false };
  }
  const { release, complete, bound, deferred, failed, crashed, hung, devices } = parsed.data;
  const by = (what: string) => devices.filter(({ end, answeredBy }) => end === 'bound' && answeredBy === what).length;
  return {
    ...about,
    error: null,
    release,
    complete,
    bound,
    matched: devices.filter((device) => device.matched).length,
    models: by('models'),
    plain: by('plain memory'),
    broken: by('broken polls'),
    none: by('none'),
    deferred,
    failed,
    crashed: crashed + hung,
  };
}

const percent = (part: number, whole: number) => (whole === 0 ? '-' : `${Math.floor((100 * part) / whole)} %`);

function line({ board, error, ...row }: Row): string {
  const maker = BOARDS[board] ?? '';
  if (error !== null) return `| ${board} | ${maker} | ${error.replaceAll('|', '/')} |||||`;
  const bound = `${row.bound} of ${row.matched}, ${percent(row.bound, row.matched)}`;
  const answers = `${row.models} / ${row.plain} / ${row.broken} / ${row.none}`;
  const bad = `${row.deferred} / ${row.failed} / ${row.crashed}`;
  const missing = missingIn({ board, kernel: row.kernel });
  const note = missing === null ? '' : `; not in the sum: ${missing}`;
  return `| ${board} | ${maker} | ${bound} | ${answers} | ${bad} | ${row.complete ? 'yes' : 'no'}${note} |`;
}

function tables(rows: readonly Row[], kernels: readonly string[]): string {
  return kernels
    .map((kernel) => {
      const those = rows.filter((row) => row.kernel === kernel);
      const booted = those.filter((row) => row.error === null && missingIn(row) === null);
      const sum = (what: 'bound' | 'matched') => booted.reduce((total, row) => total + row[what], 0);
      return [
        `### ${kernel} (${booted[0]?.release ?? 'not booted'})`,
        '',
        '| board | maker | bound of matched | models / plain memory / broken polls / no registers | deferred / failed / crashed or hung | reaches user space |',
        '|---|---|---|---|---|---|',
        ...those.map(line),
        `| ${booted.length} boards | | ${sum('bound')} of ${sum('matched')}, ${percent(sum('bound'), sum('matched'))} | | | |`,
      ].join('\n');
    })
    .join('\n\n');
}

async function readRows(path: string): Promise<Row[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.split('\n').flatMap((row) => {
    const parsed = Row.safeParse(parsedJson(row));
    return parsed.success ? [parsed.data] : [];
  });
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string', default: 'results/board-table.jsonl' },
    'any-commit': { type: 'boolean', default: false },
    write: { type: 'string' },
    boards: { type: 'string' },
  },
});
const kernels = positionals.length > 0 ? positionals : KERNELS;
const boards = values.boards?.split(',') ?? Object.keys(BOARDS);
const { stdout: commit } = await execa('git', ['rev-parse', '--short', 'HEAD']);
await mkdir(dirname(values.rows), { recursive: true });
const known = (await readRows(values.rows)).filter((row) => values['any-commit'] || row.commit === commit);
const rows: Row[] = [];
for (const kernel of kernels)
  for (const board of boards) {
    const old = known.findLast((row) => row.board === board && row.kernel === kernel);
    const row = old ?? (await boot(board, kernel, commit));
    if (old === undefined) await appendFile(values.rows, `${JSON.stringify(row)}\n`);
    rows.push(row);
    tell(`${rows.length} of ${boards.length * kernels.length}: ${kernel} ${line(row)}\n`);
  }
const commits = new Set(rows.map((row) => row.commit)).size;
const mixed = commits > 1 ? `The rows were measured at ${commits} commits.\n\n` : '';
const made = `${mixed}${tables(rows, kernels)}`;
print(`${made}\n`);
if (values.write !== undefined) {
  const text = await readFile(values.write, 'utf8');
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin === -1 || end < begin) throw new Error(`${values.write} has no lines ${BEGIN} and ${END}`);
  await writeFile(values.write, `${text.slice(0, begin + BEGIN.length)}\n\n${made}\n\n${text.slice(end)}`);
}

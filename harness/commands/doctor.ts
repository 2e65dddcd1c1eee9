import { access, constants, statfs } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import pc from 'picocolors';
import { EXIT } from '../errors.ts';
import { cacheRoot, errorCode } from '../kernel/cache.ts';
import { checkTools, type ToolReport } from '../kernel/tools.ts';
import { print, printJson } from '../terminal/output.ts';
import { installTools } from '../terminal/install-tools.ts';
import type { DoctorOptions } from './doctor.options.ts';

interface Resource {
  readonly name: string;
  readonly value: string;
  readonly ok: boolean;
  /** What to do, where it is not. */
  readonly hint: string | null;
}

interface DoctorReport {
  readonly tools: readonly ToolReport[];
  readonly resources: readonly Resource[];
}

const GIB = 1024 ** 3;
/** One kernel series with its source, build folder and results; the default matrix has three. */
const GIB_FOR_CACHE = 10;

/** `bootrace doctor`: what bootrace needs of this machine, and what of it is missing. Exit code 2 when something is. */
export async function doctor(options: DoctorOptions): Promise<number> {
  if (options.install === true) {
    await installTools({ tests: options.tests === true, yes: options.yes === true });
    if (options.json !== true) return EXIT.expected;
  }
  const report = await examine(options.tests === true);
  if (options.json === true) printJson(report);
  else print(formatDoctor(report));
  return report.tools.every(({ state }) => state === 'ok') && report.resources.every(({ ok }) => ok)
    ? EXIT.expected
    : EXIT.usage;
}

async function examine(tests: boolean): Promise<DoctorReport> {
  const [checked, resources] = await Promise.all([
    checkTools({ versions: true, tests }),
    Promise.all([cacheResource(), diskResource()]),
  ]);
  const cores = { name: 'cores', value: String(availableParallelism()), ok: true, hint: null };
  return { tools: checked, resources: [...resources, cores] };
}

/** The nearest folder above `path`, or itself, that exists. */
async function existing(path: string): Promise<string> {
  try {
    await access(path);
    return path;
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' || dirname(path) === path) return path;
    return existing(dirname(path));
  }
}

async function cacheResource(): Promise<Resource> {
  const root = cacheRoot();
  const ok = await access(await existing(root), constants.W_OK).then(
    () => true,
    () => false,
  );
  const hint = ok ? null : 'make it writable, or set XDG_CACHE_HOME to a folder of your own';
  return { name: 'cache', value: ok ? root : `${root} is not writable`, ok, hint };
}

async function diskResource(): Promise<Resource> {
  const free = await freeGib(await existing(cacheRoot()));
  const ok = free !== null && free >= GIB_FOR_CACHE;
  const hint = ok ? null : `kernel sources and builds take up to ${GIB_FOR_CACHE} GiB`;
  return { name: 'disk', value: free === null ? 'unknown' : `${free.toFixed(1)} GiB free`, ok, hint };
}

async function freeGib(path: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(path);
    return (bavail * bsize) / GIB;
  } catch (error) {
    if (errorCode(error) === null) throw error;
    return null;
  }
}

function formatDoctor({ tools, resources }: DoctorReport): string {
  const rows = [
    ...tools.map((tool) => ({
      name: tool.name,
      value: tool.state === 'missing' ? 'missing' : (tool.version ?? 'present'),
      ok: tool.state === 'ok',
      note:
        tool.state === 'ok'
          ? tool.why
          : `${tool.why}; package ${tool.package}${tool.minimum === null ? '' : `, ${tool.minimum} or later`}`,
    })),
    ...resources.map(({ name, value, ok, hint }) => ({ name, value, ok, note: hint ?? '' })),
  ];
  const width = (of: (row: (typeof rows)[number]) => string) => Math.max(...rows.map((row) => of(row).length));
  const nameWidth = width((row) => row.name);
  const valueWidth = width((row) => row.value);
  const lines = rows.map(({ name, value, ok, note }) => {
    const mark = ok ? pc.green('ok  ') : pc.red('FAIL');
    return `${mark} ${name.padEnd(nameWidth)}  ${value.padEnd(valueWidth)}  ${pc.dim(note)}`.trimEnd();
  });
  const packages = [...new Set(tools.filter(({ state }) => state === 'missing').map((tool) => tool.package))].sort();
  const hint =
    packages.length === 0 ? '' : `\nrun: sudo apt-get install -y --no-install-recommends ${packages.join(' ')}\n`;
  return `${lines.join('\n')}\n${hint}`;
}

/**
 * What building kernels costs, as ratios from one run: a first kernel against a bare make, another linkage, a patch, two builds at
 * once, and how often equal files are stored. A round takes five minutes on two cores.
 */
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { execa } from 'execa';
import { buildKernel } from '../../harness/kernel/build.ts';
import { cacheRoot, ensureFolder, removeFolder, withTemporary } from '../../harness/kernel/cache.ts';
import { takeLock } from '../../harness/kernel/lock.ts';
import { CROSS_COMPILE } from '../../harness/kernel/make.ts';
import { applyPatches } from '../../harness/kernel/patched-tree.ts';
import { hashFile } from '../../harness/kernel/published.ts';
import { debianSource } from '../../harness/kernel/source/debian.ts';
import {
  exists,
  OUTPUT_PREFIX,
  pristineFolder,
  type SourceTree,
  sourceFolder,
} from '../../harness/kernel/source/source-tree.ts';

const SERIES = '6.1';
const UNFIXED = '6.1-unfixed';

/** Odd, as their medians are taken. */
const ROUNDS = 3;

interface Cost {
  readonly wallSeconds: number;
  /** User and system time of this process and its children: what a machine with other work to do slows down less than the wall clock. */
  readonly cpuSeconds: number;
}

/** proc(5), /proc/PID/stat: fields 14 to 17 are utime, stime, cutime and cstime, counted from the third after the name. */
const TIMES = [11, 12, 13, 14];
/** USER_HZ of every Linux architecture that Node.js runs on. */
const TICKS_PER_SECOND = 100;

async function cpuSeconds(): Promise<number> {
  const text = await readFile('/proc/self/stat', 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return TIMES.reduce((sum, field) => sum + Number(fields[field]), 0) / TICKS_PER_SECOND;
}

async function costOf(act: () => Promise<unknown>): Promise<Cost> {
  const before = await cpuSeconds();
  const started = performance.now();
  await act();
  const wallSeconds = (performance.now() - started) / 1000;
  return { wallSeconds, cpuSeconds: (await cpuSeconds()) - before };
}

/** A cache in `root` that has the source of `tree` as it was unpacked, and nothing else. Files are hard links: the harness replaces what it patches. */
async function cacheWithSource(root: string, tree: SourceTree): Promise<SourceTree> {
  const folder = join(await ensureFolder(join(root, 'work')), basename(tree.folder));
  await mkdir(folder);
  await execa('cp', ['--archive', '--link', sourceFolder(tree), folder]);
  for (const name of await readdir(sourceFolder({ folder })))
    if (name.startsWith(OUTPUT_PREFIX)) await removeFolder(join(sourceFolder({ folder }), name));
  if (await exists(pristineFolder(tree))) await execa('cp', ['--archive', pristineFolder(tree), folder]);
  const copy = { ...tree, folder };
  await applyPatches(copy, []);
  const record = join('sources', `debian-${SERIES}`);
  await mkdir(dirname(join(root, record)));
  await writeFile(join(root, record), `${tree.id.replace(/^debian /, '')}\n`);
  return copy;
}

/** The same with the build folders and objects that `built` has, in `original`. */
async function cacheWithBuild(root: string, tree: SourceTree, original: string, built: SourceTree): Promise<void> {
  const { folder } = await cacheWithSource(root, tree);
  const outputs = (await readdir(sourceFolder(built))).filter((name) => name.startsWith(OUTPUT_PREFIX));
  const paths = outputs.map((name) => join(sourceFolder(built), name));
  await execa('cp', ['--archive', ...paths, sourceFolder({ folder })]);
  await execa('cp', ['--archive', join(built.folder, 'tinyconfig'), folder]);
  await execa('cp', ['--archive', join(original, 'ccache'), root]);
}

async function build(root: string, recipe: string, linkage: string): Promise<void> {
  const kernel = await buildKernel({ recipe, linkage, root });
  if (kernel.kind !== 'ready') throw new Error(kernel.reason);
}

/** What a person would run with the configuration at hand: no compiler cache, all cores, objects in the source tree like ours. */
async function bareMake(tree: SourceTree, config: string): Promise<void> {
  const source = sourceFolder(tree);
  const output = join(source, 'bare');
  await mkdir(output);
  await writeFile(join(output, '.config'), config);
  const variables = ['ARCH=arm64', `CROSS_COMPILE=${CROSS_COMPILE}`, `O=${output}`];
  const options = ['--directory', source, `--jobs=${availableParallelism()}`];
  await execa('make', [...options, ...variables, 'Image', 'modules'], {
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
    extendEnv: false,
    stdin: 'ignore',
    stdout: 'ignore',
  });
  await removeFolder(output);
}

/** Of the images, symbol tables and vmlinux of a cache: how many kernels have one, how many differ, and how many the disk holds. */
async function storedFiles(root: string) {
  const kernels = await readdir(join(root, 'kernels'));
  const paths = kernels.flatMap((key) =>
    ['Image', 'System.map', 'vmlinux'].map((name) => join(root, 'kernels', key, name)),
  );
  const contents = new Set(await Promise.all(paths.map(hashFile)));
  const inodes = new Set(await Promise.all(paths.map(async (path) => (await stat(path)).ino)));
  return { files: paths.length, contents: contents.size, stored: inodes.size };
}

interface Round {
  readonly first: Cost;
  readonly bare: Cost;
  readonly linkage: Cost;
  readonly patch: Cost;
  readonly twoAtOnce: Cost;
  readonly files: Awaited<ReturnType<typeof storedFiles>>;
}

interface MeasuredRound {
  readonly round: Round;
  /** The configuration that the first kernel was built with. */
  readonly config: string;
}

/** One build of each kind, in caches of their own below `folder`. `config`: of an earlier round, so that the bare make may go first. */
async function measureRound(folder: string, tree: SourceTree, config: string | null): Promise<MeasuredRound> {
  const root = join(folder, 'first');
  const copy = await cacheWithSource(root, tree);
  const bareBefore = config === null ? null : await costOf(() => bareMake(copy, config));
  const first = await costOf(() => build(root, SERIES, 'builtin'));
  const [key = ''] = await readdir(join(root, 'kernels'));
  const resolved = await readFile(join(root, 'kernels', key, 'config'), 'utf8');
  const bare = bareBefore ?? (await costOf(() => bareMake(copy, resolved)));

  const others = ['second', 'third'].map((name) => join(folder, name));
  for (const other of others) await cacheWithBuild(other, tree, root, copy);
  const linkage = await costOf(() => build(root, SERIES, 'modules'));
  const twoAtOnce = await costOf(() => Promise.all(others.map((other) => build(other, SERIES, 'modules'))));
  const patch = await costOf(() => build(root, UNFIXED, 'modules'));
  const files = await storedFiles(root);
  const round: Round = { first, bare, linkage, patch, twoAtOnce, files };
  return { round, config: resolved };
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/**
 * Builds Linux 6.1 from an empty cache whose source is unpacked, and by a bare make with the same source and configuration, which take
 * turns in going first; then what follows a first kernel. Works in temporary caches inside the cache.
 */
export async function measureBuilds(rounds: number = ROUNDS) {
  // The compiler cache is to be the empty cache's own.
  delete process.env.CCACHE_DIR;
  const cache = cacheRoot();
  const tree = await debianSource(cache, SERIES, () => {});
  const lock = await takeLock(`${tree.folder}.lock`, () => {});
  const measured: Round[] = [];
  try {
    await tree.prepare();
    let config: string | null = null;
    for (let n = 0; n < rounds; n++) {
      const before: string | null = n % 2 === 0 ? null : config;
      const result: MeasuredRound = await withTemporary(cache, (folder) => measureRound(folder, tree, before));
      measured.push(result.round);
      config = result.config;
    }
  } finally {
    await lock.release();
  }
  const ratio = (part: keyof Cost) => median(measured.map(({ first, bare }) => first[part] / bare[part]));
  const longest = (name: 'linkage' | 'patch') => Math.max(...measured.map((round) => round[name].wallSeconds));
  const figures = {
    firstToBareWall: ratio('wallSeconds'),
    firstToBareCpu: ratio('cpuSeconds'),
    linkageSeconds: longest('linkage'),
    patchSeconds: longest('patch'),
    twoAtOnceToInTurn: median(
      measured.map(({ linkage, twoAtOnce }) => twoAtOnce.wallSeconds / (2 * linkage.wallSeconds)),
    ),
    files: measured.at(-1)?.files ?? null,
  };
  console.log(`builds: Linux ${SERIES} on ${availableParallelism()} cores, ${rounds} rounds, source unpacked`);
  console.log(
    `  first kernel     ${figures.firstToBareWall.toFixed(3)} of a bare make's wall clock, ${figures.firstToBareCpu.toFixed(3)} of its CPU time (at most 1.05)`,
  );
  console.log(`  another linkage  ${figures.linkageSeconds.toFixed(1)} s (under 25 s)`);
  console.log(`  another patch    ${figures.patchSeconds.toFixed(1)} s (under 25 s)`);
  console.log(
    `  two at once      ${figures.twoAtOnceToInTurn.toFixed(3)} of the time of one after the other (at most 1)`,
  );
  if (figures.files !== null)
    console.log(
      `  files            ${figures.files.files}, ${figures.files.contents} different, ${figures.files.stored} stored`,
    );
  return { ...figures, rounds: measured };
}

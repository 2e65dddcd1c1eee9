import { access, constants, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { ExecaError, execa } from 'execa';
import PQueue from 'p-queue';
import { InfraError, InputError } from '../errors.ts';
import { errorCode } from './cache.ts';

interface ToolNeed {
  /** Package of Debian and its derivatives. */
  readonly package: string;
  readonly why: string;
}

interface ProgramNeed extends ToolNeed {
  readonly program: string;
  /** Option that prints the version. */
  readonly version: string;
  readonly minimum?: readonly [major: number, minor: number];
}

interface HeaderNeed extends ToolNeed {
  /** A C header for programs of this machine, as in an `#include`. */
  readonly header: string;
}

/**
 * Everything outside of npm that bootrace starts or that the kernel's build needs (Documentation/process/changes.rst).
 */
const PROGRAMS: readonly ProgramNeed[] = [
  // The oldest version that this harness was measured with.
  {
    program: 'qemu-system-aarch64',
    version: '--version',
    package: 'qemu-system-arm',
    why: 'runs the guests',
    minimum: [7, 2],
  },
  { program: 'dtc', version: '--version', package: 'device-tree-compiler', why: 'compiles device tree sources' },
  {
    program: 'aarch64-linux-gnu-gcc',
    version: '--version',
    package: 'gcc-aarch64-linux-gnu',
    why: 'compiles kernels and guests',
  },
  {
    program: 'aarch64-linux-gnu-ld',
    version: '--version',
    package: 'binutils-aarch64-linux-gnu',
    why: 'links kernels and guests',
  },
  { program: 'gcc', version: '--version', package: 'gcc', why: "compiles the kernel build's own tools" },
  { program: 'make', version: '--version', package: 'make', why: 'builds kernels' },
  { program: 'flex', version: '--version', package: 'flex', why: "generates Kconfig's scanner" },
  { program: 'bison', version: '--version', package: 'bison', why: "generates Kconfig's parser" },
  { program: 'bc', version: '--version', package: 'bc', why: "generates the kernel's timeconst.h" },
  { program: 'cpio', version: '--version', package: 'cpio', why: 'checks initramfs archives in the tests' },
  { program: 'ccache', version: '--version', package: 'ccache', why: 'keeps objects between kernel builds' },
  { program: 'xz', version: '--version', package: 'xz-utils', why: 'unpacks kernel sources' },
  { program: 'zstd', version: '--version', package: 'zstd', why: 'unpacks kernels, modules and logs' },
  { program: 'tar', version: '--version', package: 'tar', why: 'unpacks kernel sources' },
  { program: 'git', version: '--version', package: 'git', why: 'checks out kernels by revision' },
  { program: 'flock', version: '--version', package: 'util-linux', why: 'guards the cache between runs' },
  {
    program: 'setpriv',
    version: '--version',
    package: 'util-linux',
    why: 'ends guests and compilers with the harness',
  },
  { program: 'setsid', version: '--version', package: 'util-linux', why: 'ends compilers with the harness' },
];

/** What only the tests of bootrace start. */
const PROGRAMS_OF_TESTS: readonly ProgramNeed[] = [
  { program: 'chromium', version: '--version', package: 'chromium', why: "opens the report's page in its tests" },
  {
    program: 'python3',
    version: '--version',
    package: 'python3',
    why: "runs the kernel's kunit.py on KTAP reports",
  },
];

const HEADERS: readonly HeaderNeed[] = [
  { header: 'stdio.h', package: 'libc6-dev', why: "compiles the kernel build's own tools" },
  { header: 'openssl/opensslv.h', package: 'libssl-dev', why: 'signs modules where a config fragment asks for it' },
];

export interface ToolReport {
  readonly name: string;
  readonly package: string;
  readonly why: string;
  readonly state: 'ok' | 'missing' | 'too old';
  /** Of the first line that the program prints; null where it was not asked. */
  readonly version: string | null;
  readonly minimum: string | null;
}

/** Where tools are looked for and installed. */
export interface Machine {
  /** Folders of programs, as in the environment variable PATH. */
  readonly path: string;
  /** os-release(5) */
  readonly osRelease: string;
  readonly root: boolean;
}

function thisMachine(): Machine {
  return { path: process.env.PATH ?? '', osRelease: '/etc/os-release', root: process.getuid?.() === 0 };
}

async function isThere(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

async function findProgram(name: string, machine: Machine): Promise<boolean> {
  const folders = machine.path.split(delimiter).filter((folder) => folder !== '');
  const found = await Promise.all(folders.map((folder) => isThere(join(folder, name), constants.X_OK)));
  return found.includes(true);
}

async function versionOf(need: ProgramNeed, machine: Machine): Promise<string | null> {
  const { stdout } = await execa(need.program, [need.version], { reject: false, env: { PATH: machine.path } });
  return /\d+(?:\.\d+)+/.exec(stdout)?.[0] ?? null;
}

/** True when version `text` is not lower than `minimum`. */
export function reaches(text: string, minimum: readonly [number, number]): boolean {
  const [major = 0, minor = 0] = text.split('.').map(Number);
  return major > minimum[0] || (major === minimum[0] && minor >= minimum[1]);
}

async function checkProgram(need: ProgramNeed, versions: boolean, machine: Machine): Promise<ToolReport> {
  const report = {
    name: need.program,
    package: need.package,
    why: need.why,
    minimum: need.minimum?.join('.') ?? null,
  };
  if (!(await findProgram(need.program, machine))) return { ...report, state: 'missing', version: null };
  const version = versions || need.minimum !== undefined ? await versionOf(need, machine) : null;
  const tooOld = need.minimum !== undefined && (version === null || !reaches(version, need.minimum));
  return { ...report, state: tooOld ? 'too old' : 'ok', version };
}

/** Where compilers look for the headers of this machine: with Debian's multiarch, and without. */
function headerFolders(): string[] {
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  return ['/usr/include', `/usr/include/${machine}-linux-gnu`, '/usr/local/include'];
}

async function checkHeader({ header, package: name, why }: HeaderNeed): Promise<ToolReport> {
  const found = await Promise.all(headerFolders().map((folder) => isThere(join(folder, header), constants.R_OK)));
  const state = found.includes(true) ? 'ok' : 'missing';
  return { name: `<${header}>`, package: name, why, state, version: null, minimum: null };
}

interface CheckOptions {
  /** Run each tool for its version; otherwise only those that have a minimum are run. */
  readonly versions: boolean;
  /** Look for what the tests need, too. */
  readonly tests: boolean;
}

/** A program that runs takes four descriptors, of which a process may have few (getrlimit(2), RLIMIT_NOFILE). */
const PROGRAMS_AT_ONCE = 3;

/** Looks for every tool. */
export async function checkTools(
  { versions, tests }: CheckOptions,
  machine: Machine = thisMachine(),
): Promise<ToolReport[]> {
  const programs = tests ? [...PROGRAMS, ...PROGRAMS_OF_TESTS] : PROGRAMS;
  const queue = new PQueue({ concurrency: PROGRAMS_AT_ONCE });
  return Promise.all([
    ...programs.map((need) => queue.add(() => checkProgram(need, versions, machine))),
    ...HEADERS.map(checkHeader),
  ]);
}

/** Debian or a derivative: its packages have Debian's names. */
async function hasDebianPackages(machine: Machine): Promise<boolean> {
  if (!(await findProgram('apt-get', machine))) return false;
  try {
    const release = await readFile(machine.osRelease, 'utf8');
    return /^ID(?:_LIKE)?=.*\bdebian\b/m.test(release);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

export interface EnsureOptions {
  /** Install what is missing, where that is possible: as root, with Debian's packages. */
  readonly install: boolean;
  /** See to what the tests need, too. */
  readonly tests: boolean;
  /** Gets a line for people as the installation goes on. */
  readonly say: (line: string) => void;
  /** Asks whether `command` may be run; false leaves the machine as it is. */
  readonly confirm?: (command: string) => Promise<boolean>;
}

/**
 * Sees to it that every tool is there. Throws {@link InputError} (exit 2) with the one line to run where it may not
 * install, {@link InfraError} where the installation fails.
 */
export async function ensureTools(
  { install, tests, say, confirm = async () => true }: EnsureOptions,
  machine: Machine = thisMachine(),
): Promise<void> {
  let reports = await checkTools({ versions: false, tests }, machine);
  const missing = reports.filter(({ state }) => state === 'missing');
  if (missing.length > 0) {
    const packages = [...new Set(missing.map((tool) => tool.package))].sort();
    const debian = await hasDebianPackages(machine);
    if (!install || !debian || !machine.root) throw missingError(missing, packages, debian);
    if (!(await confirm(installCommand(packages)))) throw missingError(missing, packages, debian);
    await installPackages(packages, { say, machine });
    reports = await checkTools({ versions: false, tests }, machine);
    const left = reports.filter(({ state }) => state === 'missing');
    if (left.length > 0)
      throw new InfraError(`${left.map(({ name }) => name).join(', ')} not found although the packages are installed`);
  }
  const old = reports.find(({ state }) => state === 'too old');
  if (old !== undefined)
    throw new InputError(
      `${old.name} ${old.version ?? '(unknown version)'} is too old: bootrace needs ${old.minimum} or later`,
      `upgrade ${old.package}, for example from backports`,
    );
}

function installCommand(packages: readonly string[]): string {
  return `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
}

function missingError(missing: readonly ToolReport[], packages: readonly string[], debian: boolean): InputError {
  const names = missing.map(({ name }) => name).join(', ');
  return new InputError(
    `these tools are missing: ${names}`,
    debian
      ? `run: sudo ${installCommand(packages)}`
      : `install them with your package manager (in Debian they are in ${packages.join(', ')})`,
  );
}

interface AptRun {
  readonly say: (line: string) => void;
  readonly machine: Machine;
}

async function installPackages(packages: readonly string[], apt: AptRun): Promise<void> {
  apt.say(`installing ${packages.join(' ')}`);
  if (!(await allKnown(packages, apt.machine))) await aptGet(['update'], apt);
  const install = ['install', '-y', '--no-install-recommends', ...packages];
  try {
    await aptGet(install, apt);
  } catch (error) {
    if (!(error instanceof InfraError)) throw error;
    // The index of packages may be older than the mirror: refresh it once.
    await aptGet(['update'], apt);
    await aptGet(install, apt);
  }
}

/** True when apt has a candidate for each package (apt-cache(8), policy). */
async function allKnown(packages: readonly string[], machine: Machine): Promise<boolean> {
  const { stdout } = await execa('apt-cache', ['policy', ...packages], {
    reject: false,
    env: { LC_ALL: 'C', PATH: machine.path },
  });
  return (stdout.match(/^ {2}Candidate: \d/gm) ?? []).length === packages.length;
}

const SECONDS_FOR_DPKG_LOCK = 120;
const PERCENT_STEP = 10;
/** The reason stands a few lines above "dpkg returned an error code". */
const LINES_OF_A_FAILURE = 6;
/**
 * Where apt reports its progress. Not standard output: dpkg closes its status descriptor in maintainer scripts, and one
 * that cannot print fails (ccache's postinst does).
 */
const STATUS_FD = 3;

async function aptGet(args: readonly string[], { say, machine }: AptRun): Promise<void> {
  const child = execa(
    'apt-get',
    [
      ...['-o', `APT::Status-Fd=${STATUS_FD}`],
      ...['-o', `DPkg::Lock::Timeout=${SECONDS_FOR_DPKG_LOCK}`],
      ...['-o', 'Dpkg::Use-Pty=0'],
      ...args,
    ],
    {
      env: { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C', PATH: machine.path },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    },
  );
  let said = '';
  try {
    for await (const line of child.iterable({ from: `fd${STATUS_FD}` })) {
      // progress-reporting of apt: TYPE:package:percent:description
      const [, type, percent] = /^(dlstatus|pmstatus):[^:]*:([\d.]+):/.exec(line) ?? [];
      if (type === undefined) continue;
      const tens = Math.floor(Number(percent) / PERCENT_STEP) * PERCENT_STEP;
      const text = `${type === 'dlstatus' ? 'downloading' : 'installing'} packages: ${tens} %`;
      if (text !== said) say(text);
      said = text;
    }
    await child;
  } catch (error) {
    if (!(error instanceof ExecaError)) throw error;
    const lines = `${error.stderr ?? ''}`.trim().split('\n').slice(-LINES_OF_A_FAILURE);
    const why = lines.map((line) => line.trim()).join('; ');
    throw new InfraError(
      `apt-get ${args[0]} failed: ${why}`,
      `check the network and the apt sources; by hand it is: apt-get ${args.join(' ')}`,
      { cause: error },
    );
  }
}

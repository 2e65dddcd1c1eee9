import { access, chown, copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ExecaError, execa } from 'execa';
import { InfraError, InputError } from '../errors.ts';
import { withDescendants } from '../launch.ts';
import { ensureFolder, openSystemTemporary } from './cache.ts';
import { cancelled } from './cancel.ts';
import { type OnProgress, uncounted } from './progress.ts';

interface Suite {
  readonly name: string;
  /**
   * The release is no longer refreshed, so that its Release file has expired for good (deb822 Release, Valid-Until).
   */
  readonly archived: boolean;
}

/** Debian suites that carry a kernel series whose source is built too, in the order in which they are tried. */
const SUITES: Readonly<Record<string, readonly Suite[]>> = {
  '5.10': [
    { name: 'bullseye-security', archived: true },
    { name: 'bullseye', archived: true },
  ],
  '6.1': [
    { name: 'bookworm-security', archived: false },
    { name: 'bookworm', archived: false },
  ],
  '6.12': [
    { name: 'bookworm-security', archived: false },
    { name: 'trixie-security', archived: false },
    { name: 'trixie', archived: false },
  ],
};

/** Where any other series is looked for, the most used first. */
const ALL_SUITES: readonly Suite[] = [
  'trixie-security',
  'trixie',
  'trixie-backports',
  'bookworm-security',
  'bookworm',
  'bookworm-backports',
  'testing',
  'sid',
  'experimental',
].map((name) => ({ name, archived: false }));

/** Suites without a security archive of their own (Debian Developer's Reference, section 4.6). */
const UNSECURED: readonly string[] = ['sid', 'unstable', 'experimental'];

/** The suites to try for `6.12` or for the name of a suite, `trixie`; the one that gets security updates first. */
function suitesFor(release: string): readonly Suite[] {
  if (/^\d/.test(release)) return SUITES[release] ?? ALL_SUITES;
  const plain = { name: release, archived: false };
  return UNSECURED.includes(release) || release.includes('-')
    ? [plain]
    : [{ name: `${release}-security`, archived: false }, plain];
}

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** A package that a suite offers; fields as in its Packages file. */
interface Package {
  readonly name: string;
  readonly version: string;
  /** Bytes of the .deb. */
  readonly size: number;
  /** Names of the packages that it depends on. */
  readonly depends: readonly string[];
  readonly state: AptState;
}

/** A private apt state: nothing of the system's apt or dpkg is read but its configuration, and nothing is written. */
interface AptState {
  readonly folder: string;
  /** apt's words for it, where it is found as `folder`. */
  readonly options: (folder: string) => string[];
  readonly sandbox: Sandbox | null;
}

/** Whom apt's downloads run as where the caller is root (apt.conf(5), APT::Sandbox::User). */
interface Sandbox {
  readonly uid: number;
}

/** Null where apt does not change user: the caller is not root, or there is no such user. */
async function sandboxOfApt(): Promise<Sandbox | null> {
  if (process.getuid?.() !== 0) return null;
  const { stdout, failed } = await execa('id', ['-u', '_apt'], { reject: false });
  return failed ? null : { uid: Number(stdout) };
}

/** Descriptor of the folder of a state in apt: its downloads have no way there below the home of root. */
const STATE_FD = 3;

/** `apt-get update` of a private state. */
async function refresh({ folder, options, sandbox }: AptState, signal: AbortSignal | undefined): Promise<void> {
  const words = ['-o', 'APT::Update::Error-Mode=any', 'update'];
  if (sandbox === null) {
    await execa(...withDescendants('apt-get', [...options(folder), ...words]), cancelled(signal));
    return;
  }
  const keep = ['-o', `APT::Keep-Fds::=${STATE_FD}`];
  const opened = `exec ${STATE_FD}<"$1"; shift; exec apt-get "$@"`;
  const found = options(`/proc/self/fd/${STATE_FD}`);
  const program = withDescendants('sh', ['-c', opened, 'sh', folder, ...found, ...keep, ...words]);
  await execa(...program, cancelled(signal));
}

/**
 * Sites of this machine's apt configuration, by suite: the mirror is whatever the machine uses.
 * `$(RELEASE)` is the suite as the sources file names it (apt-get(8), indextargets).
 */
async function configuredSites(): Promise<Map<string, string>> {
  try {
    const { stdout } = await execa('apt-get', [
      'indextargets',
      '--format',
      '$(RELEASE) $(SITE)',
      'Created-By: Packages',
    ]);
    return new Map(
      stdout.split('\n').flatMap((line): [string, string][] => {
        const [release, site] = line.split(' ');
        return release === undefined || site === undefined ? [] : [[release, site]];
      }),
    );
  } catch (error) {
    if (!(error instanceof ExecaError)) throw error;
    throw new InputError(
      'apt-get cannot be run, and debian: kernels come through it',
      'use a recipe with tarball:PATH, tree:PATH or git:PATH@REVISION on this machine',
      { cause: error },
    );
  }
}

/** Security suites live on a site of their own; every other suite is on the site that serves a plain code name. */
function siteFor(suite: string, sites: ReadonlyMap<string, string>): string | null {
  const isSecurity = (name: string) => name.endsWith('-security');
  const same = [...sites].find(([name]) => isSecurity(name) === isSecurity(suite) && !name.includes('/'));
  return same?.[1] ?? null;
}

async function openState(root: string, suite: Suite, site: string, architecture: string): Promise<AptState> {
  const folder = await ensureFolder(join(root, 'apt', `${suite.name}-${architecture}`));
  await mkdir(join(folder, 'lists', 'partial'), { recursive: true });
  await mkdir(join(folder, 'cache', 'archives', 'partial'), { recursive: true });
  await writeFile(join(folder, 'status'), '');
  const signedBy = await access(KEYRING).then(
    () => `[signed-by=${KEYRING}] `,
    () => '',
  );
  await writeFile(join(folder, 'sources.list'), `deb ${signedBy}${site} ${suite.name} main\n`);
  const sandbox = await sandboxOfApt();
  const options = (folder: string) => [
    `Dir::State=${folder}`,
    `Dir::State::Lists=${folder}/lists`,
    `Dir::State::status=${folder}/status`,
    `Dir::Cache=${folder}/cache`,
    `Dir::Etc::sourcelist=${folder}/sources.list`,
    'Dir::Etc::sourceparts=/dev/null',
    `APT::Architecture=${architecture}`,
    `APT::Architectures=${architecture}`,
    ...(sandbox === null ? ['APT::Sandbox::User=root'] : []),
    'Acquire::Languages=none',
    ...(suite.archived ? ['Acquire::Check-Valid-Until=false'] : []),
  ];
  return { folder, options: (at) => options(at).flatMap((option) => ['-o', option]), sandbox };
}

function lastLines(error: ExecaError, count: number): string {
  return (error.stderr ?? '').toString().trim().split('\n').slice(-count).join('; ');
}

/** Reads one package's stanza; null when the suite does not carry it. */
async function show(state: AptState, name: string): Promise<Package | null> {
  const { stdout, exitCode } = await execa(
    'apt-cache',
    [...state.options(state.folder), 'show', '--no-all-versions', name],
    {
      reject: false,
    },
  );
  if (exitCode !== 0) return null;
  const field = (key: string) => new RegExp(`^${key}: (.*)$`, 'm').exec(stdout)?.[1];
  const version = field('Version');
  if (version === undefined) return null;
  const depends = (field('Depends') ?? '').split(/[,|]/).flatMap((clause) => clause.trim().split(' ')[0] || []);
  return { name, version, size: Number(field('Size') ?? 0), depends, state };
}

/** Names of the packages of a suite that begin with `prefix`. */
async function packageNames(state: AptState, prefix: string): Promise<string[]> {
  const { stdout } = await execa('apt-cache', [...state.options(state.folder), 'pkgnames', prefix]);
  return stdout.split('\n').filter((name) => name !== '');
}

/** Which package of a kernel series is wanted. */
interface PackageRequest {
  /** The cache folder. */
  readonly root: string;
  /** A kernel series, `6.12`, or the name of a suite, `trixie`. */
  readonly series: string;
  readonly architecture: 'amd64' | 'arm64';
  /** What the package's name begins with. */
  readonly prefix: string;
  /** Picks among the names with that prefix that a suite carries, best first. */
  readonly pick: (names: readonly string[]) => readonly string[];
  /** Which packages that it depends on are parts of the same thing. */
  readonly parts?: RegExp;
}

interface Download {
  readonly package: Package;
  readonly path: string;
  /** The packages that belong to it. */
  readonly parts: readonly string[];
}

/**
 * Downloads into a folder below `folder` the best package of a kernel series that can be had, each suite's index being
 * refreshed in a private apt state; apt checks the package against the signed index. A mirror may list packages that it
 * no longer, or not yet, has (Debian's security archive does, of all arm64 kernels of a release that has ended): then
 * the next one is tried, and the next suite. Throws {@link InfraError} with what each suite said when none gives it.
 */
export async function downloadPackage(
  request: PackageRequest,
  folder: string,
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<Download> {
  const suites = suitesFor(request.series);
  const sites = await configuredSites();
  const failures: string[] = [];
  for (const suite of suites) {
    try {
      return await downloadFrom(suite, sites, { request, folder, onProgress, signal });
    } catch (error) {
      if (!(error instanceof InfraError)) throw error;
      failures.push(`${suite.name}: ${error.message}`);
    }
  }
  throw new InfraError(
    `no Debian suite gives ${request.prefix}* for ${request.architecture}: ${failures.join(' | ')}`,
    'check the network and the Debian lines of the apt sources',
  );
}

interface Errand {
  readonly request: PackageRequest;
  readonly folder: string;
  readonly onProgress: OnProgress;
  readonly signal: AbortSignal | undefined;
}

/** The same from one suite. */
async function downloadFrom(
  suite: Suite,
  sites: ReadonlyMap<string, string>,
  { request, folder, onProgress, signal }: Errand,
): Promise<Download> {
  const site = siteFor(suite.name, sites);
  if (site === null) throw new InfraError("no such site in this machine's apt sources");
  onProgress(uncounted('downloading', `index of ${suite.name}`));
  const state = await openState(request.root, suite, site, request.architecture);
  try {
    await refresh(state, signal);
  } catch (error) {
    if (!(error instanceof ExecaError) || error.isCanceled) throw error;
    throw new InfraError(lastLines(error, 2), undefined, { cause: error });
  }
  let failure = new InfraError('has no such package');
  for (const name of request.pick(await packageNames(state, request.prefix))) {
    const wanted = await show(state, name);
    if (wanted === null) continue;
    // A folder for each: apt leaves what it has of a file that breaks off, under the name of the whole one.
    const own = await mkdtemp(join(folder, 'deb-'));
    try {
      const path = await download(wanted, own, onProgress, signal);
      const parts: string[] = [];
      for (const part of wanted.depends.filter((name) => request.parts?.test(name))) {
        const found = await show(state, part);
        if (found === null) throw new InfraError(`lists ${wanted.name}, which needs ${part}, and not that`);
        parts.push(await download(found, own, onProgress, signal));
      }
      return { package: wanted, path, parts };
    } catch (error) {
      if (!(error instanceof InfraError)) throw error;
      await rm(own, { recursive: true, force: true });
      failure = error;
    }
  }
  throw failure;
}

/**
 * The same where apt's downloads run as another user: in a folder of theirs, as they cannot enter that of the caller.
 */
async function download(
  wanted: Package,
  folder: string,
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<string> {
  const { sandbox } = wanted.state;
  if (sandbox === null) return downloadInto(wanted, folder, onProgress, signal);
  const theirs = await openSystemTemporary('bootrace-deb-', sandbox.uid);
  try {
    await chown(theirs, sandbox.uid, -1);
    const file = await downloadInto(wanted, theirs, onProgress, signal);
    const own = join(folder, basename(file));
    await copyFile(file, own);
    return own;
  } finally {
    await rm(theirs, { recursive: true, force: true });
  }
}

async function downloadInto(
  wanted: Package,
  folder: string,
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<string> {
  const subject = `${wanted.name} ${wanted.version}`;
  const started = performance.now();
  const options = [...wanted.state.options(wanted.state.folder), '-o', 'APT::Status-Fd=1'];
  const words = [...options, 'download', `${wanted.name}=${wanted.version}`];
  const apt = execa(...withDescendants('apt-get', words), { cwd: folder, ...cancelled(signal) });
  try {
    for await (const line of apt) {
      const percent = /^dlstatus:\d+:([\d.]+):/.exec(line)?.[1];
      if (percent === undefined) continue;
      const share = Number(percent) / 100;
      const elapsed = (performance.now() - started) / 1000;
      onProgress({
        phase: 'downloading',
        subject,
        done: Math.round(wanted.size * share),
        total: wanted.size,
        isRough: false,
        secondsLeft: share > 0 ? Math.round((elapsed * (1 - share)) / share) : null,
      });
    }
    await apt;
  } catch (error) {
    if (!(error instanceof ExecaError) || error.isCanceled) throw error;
    throw new InfraError(
      `${subject} could not be downloaded: ${lastLines(error, 2)}`,
      'check the network and try again',
      {
        cause: error,
      },
    );
  }
  const file = (await readdir(folder)).find((name) => name.startsWith(`${wanted.name}_`) && name.endsWith('.deb'));
  if (file === undefined) throw new InfraError(`apt-get download left no file for ${subject} in ${folder}`);
  return join(folder, file);
}

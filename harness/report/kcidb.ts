import { createHash } from 'node:crypto';
import { isFault, isMissing } from '../model/verdict.ts';
import { printable, printableJson } from '../printable.ts';
import type { CellRecord, RunRecord } from '../run/record.ts';
import { crashExcerpt } from './problems.ts';
import { describeExpectation, describeOutcome } from './standing.ts';
import { groupBy } from './text.ts';

/** KCIDB I/O schema version 5.3. */
const SCHEMA_VERSION = { major: 5, minor: 3 } as const;
/** Who submits, and where the files of its runs can be fetched. */
export interface Submission {
  /** Name of the CI system: lower-case letters, digits and underscores. */
  readonly origin: string;
  /** URL below which the run's folder is published, without a slash at its end; null where it is not. */
  readonly filesUrl: string | null;
}

export const OWN_SUBMISSION: Submission = { origin: 'bootrace', filesUrl: null };
/** What a test leaves beside its console, which is its log. */
const OUTPUT_FILES = ['cell.json', 'events.jsonl', 'variant.dts', 'variant.dtb', 'command.sh'];
const SECOND = 1000;
/** Digits of a hash that make an id: enough to be unique, short enough to be read. */
const ID_DIGITS = 16;

type Status = 'FAIL' | 'ERROR' | 'MISS' | 'PASS' | 'SKIP';

/**
 * KCIDB's status speaks about the kernel, not about the expectation: a known crash is still FAIL, tied to its issue by
 * an incident. A kernel that could not be built leaves its tests SKIP, and a boot that the harness lost is MISS.
 */
function statusOf(cell: CellRecord): Status {
  if (isMissing(cell.verdict)) return 'MISS';
  if (cell.verdict === 'unbuildable') return 'SKIP';
  if (isFault(cell.verdict)) return 'FAIL';
  return cell.asExpected ? 'PASS' : 'FAIL';
}

function identifier({ origin }: Submission, ...parts: string[]): string {
  return `${origin}:${createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, ID_DIGITS)}`;
}

/** A node of KCIDB's test tree: words of letters, digits, dashes and underscores between dots. */
function testPath(cell: CellRecord): string {
  const word = (text: string) => text.replace(/[^A-Za-z0-9_-]/g, '_') || '_';
  return ['boot', 'probe_order', word(cell.id)].join('.');
}

/**
 * What a recipe was built from: the next commit, or the next version of its package, is another checkout of it. Where
 * that is not known (a given Image) its release stands for it.
 */
function checkoutId(to: Submission, { kernel: { recipe, source, release } }: Pick<CellRecord, 'kernel'>): string {
  return identifier(to, 'checkout', recipe, source ?? release ?? '');
}

/** Of a source that git knows by a SHA-1 hash, as KCIDB wants it (schema 5.3, `git_commit_hash`). */
const COMMIT = /^git (?<commit>[0-9a-f]{40})$/;

function buildId(to: Submission, cell: Pick<CellRecord, 'kernel'>): string {
  const { recipe, linkage, key } = cell.kernel;
  return identifier(to, 'build', recipe, linkage, key ?? '');
}

function issueId(to: Submission, crash: NonNullable<CellRecord['crash']>): string {
  return identifier(to, 'issue', crash.signature);
}

/** Version of an issue's description; it is made of the crash's signature alone and never changes. */
const ISSUE_VERSION = 1;

function checkout(to: Submission, run: RunRecord, cell: CellRecord) {
  const { recipe, release, source } = cell.kernel;
  const commit = COMMIT.exec(source ?? '')?.groups?.commit;
  return {
    id: checkoutId(to, cell),
    origin: to.origin,
    tree_name: printable(recipe),
    ...(commit === undefined ? {} : { git_commit_hash: commit }),
    comment: printable(release === null ? `kernel recipe ${recipe}` : `Linux ${release}, kernel recipe ${recipe}`),
    start_time: run.startedAt,
    valid: true,
    ...(source === null ? {} : { misc: { source } }),
  };
}

function build(to: Submission, run: RunRecord, cell: CellRecord) {
  const { recipe, linkage, key, imageHash, release } = cell.kernel;
  const made = run.kernels.find((kernel) => kernel.recipe === recipe && kernel.linkage === linkage);
  const unbuildable = made?.unbuildable ?? (cell.verdict === 'unbuildable' ? cell.reason : null);
  const known = { recipe, linkage, key, image_hash: imageHash, release };
  return {
    id: buildId(to, cell),
    checkout_id: checkoutId(to, cell),
    origin: to.origin,
    // The kernel's own name for it, as KernelCI has it.
    architecture: 'arm64',
    config_name: printable(`${recipe}/${linkage}`),
    status: unbuildable === null ? 'PASS' : 'FAIL',
    start_time: run.startedAt,
    ...(made === undefined ? {} : { duration: made.wallMs / SECOND }),
    ...(unbuildable === null ? {} : { comment: printable(unbuildable) }),
    misc: Object.fromEntries(Object.entries(known).filter(([, value]) => value !== null)),
  };
}

/** Addresses of a cell's files. */
function filesOf({ filesUrl }: Submission, run: RunRecord, cell: CellRecord) {
  if (filesUrl === null || cell.folder === null) return {};
  const at = (name: string) =>
    [filesUrl, ...`${run.run}/${cell.folder}/${name}`.split('/').map(encodeURIComponent)].join('/');
  return { log_url: at('console.log'), output_files: OUTPUT_FILES.map((name) => ({ name, url: at(name) })) };
}

function test(to: Submission, run: RunRecord, cell: CellRecord) {
  return {
    id: identifier(to, 'test', run.run, run.startedAt, cell.id),
    build_id: buildId(to, cell),
    origin: to.origin,
    ...filesOf(to, run, cell),
    path: testPath(cell),
    status: statusOf(cell),
    comment: printable(`${cell.verdict}: ${describeOutcome(cell)}`),
    start_time: run.startedAt,
    duration: cell.wallMs / SECOND,
    environment: { comment: printable(run.qemu), compatible: ['bootrace,standin', 'linux,dummy-virt'] },
    ...(cell.crash === null ? {} : { log_excerpt: crashExcerpt(cell.crash).join('\n') }),
    misc: {
      cell: cell.id,
      platform: `qemu-virt ${cell.axes.board ?? 'small'}`,
      row: cell.row ?? '',
      axes: cell.axes,
      verdict: cell.verdict,
      as_expected: cell.asExpected,
      expected: describeExpectation(cell.expected),
      replay: printable(cell.replay),
    },
  };
}

/**
 * KCIDB report data, version 5.3: kernels as checkouts and builds, cells as tests, each crash signature as an issue
 * with its incidents.
 */
export function formatKcidb(run: RunRecord, to: Submission = OWN_SUBMISSION): string {
  // Where a kernel could not be built its source is not known, and the checkout is one without.
  const sources = [...groupBy(run.cells, (cell) => checkoutId(to, cell)).values()];
  const builds = [...groupBy(run.cells, (cell) => buildId(to, cell)).values()].flatMap((cells) => cells.slice(0, 1));
  const crashed = run.cells.flatMap((cell) => (cell.crash === null ? [] : [{ cell, crash: cell.crash }]));
  const issues = [...groupBy(crashed, ({ crash }) => issueId(to, crash))];
  const report = {
    version: SCHEMA_VERSION,
    checkouts: sources.flatMap(([cell]) => (cell === undefined ? [] : [checkout(to, run, cell)])),
    builds: builds.map((cell) => build(to, run, cell)),
    tests: run.cells.map((cell) => test(to, run, cell)),
    issues: issues.flatMap(([id, [first]]) =>
      first === undefined
        ? []
        : [
            {
              id,
              version: ISSUE_VERSION,
              origin: to.origin,
              comment: printable(first.crash.title),
              culprit: { code: true, tool: false, harness: false },
              misc: { signature: printable(first.crash.signature) },
            },
          ],
    ),
    incidents: crashed.map(({ cell, crash }) => ({
      id: identifier(to, 'incident', run.run, run.startedAt, cell.id, crash.signature),
      origin: to.origin,
      issue_id: issueId(to, crash),
      issue_version: ISSUE_VERSION,
      test_id: identifier(to, 'test', run.run, run.startedAt, cell.id),
      present: true,
    })),
  };
  return printableJson(report);
}

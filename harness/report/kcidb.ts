import { createHash } from 'node:crypto';
import { isFault, isMissing } from '../model/verdict.ts';
import { printable, printableJson } from '../printable.ts';
import type { CellRecord, RunRecord } from '../run/record.ts';
import { describeExpectation, describeOutcome } from './judge.ts';
import { crashExcerpt } from './problems.ts';
import { groupBy } from './text.ts';

/** KCIDB I/O schema version 5.3. */
const SCHEMA_VERSION = { major: 5, minor: 3 } as const;
const ORIGIN = 'bootrace';
const SECOND = 1000;
/** Digits of a hash that make an id: enough to be unique, short enough to be read. */
const ID_DIGITS = 16;

type Status = 'FAIL' | 'ERROR' | 'MISS' | 'PASS' | 'SKIP';

/**
 * KCIDB's status speaks about the kernel, not about the expectation: a known crash is still FAIL, tied to its issue by an incident. A kernel
 * that could not be built leaves its tests SKIP, and a boot that the harness lost is MISS.
 */
function statusOf(cell: CellRecord): Status {
  if (isMissing(cell.verdict)) return 'MISS';
  if (cell.verdict === 'unbuildable') return 'SKIP';
  if (isFault(cell.verdict)) return 'FAIL';
  return cell.asExpected ? 'PASS' : 'FAIL';
}

function identifier(...parts: string[]): string {
  return `${ORIGIN}:${createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, ID_DIGITS)}`;
}

/** A node of KCIDB's test tree: words of letters, digits, dashes and underscores between dots. */
function testPath(cell: CellRecord): string {
  const word = (text: string) => text.replace(/[^A-Za-z0-9_-]/g, '_') || '_';
  return ['boot', 'probe_order', word(cell.id)].join('.');
}

function checkoutId(recipe: string): string {
  return identifier('checkout', recipe);
}

function buildId(cell: Pick<CellRecord, 'kernel'>): string {
  const { recipe, linkage, key } = cell.kernel;
  return identifier('build', recipe, linkage, key ?? '');
}

function issueId(crash: NonNullable<CellRecord['crash']>): string {
  return identifier('issue', crash.signature);
}

/** Version of an issue's description; it is made of the crash's signature alone and never changes. */
const ISSUE_VERSION = 1;

function checkout(run: RunRecord, recipe: string, release: string | null) {
  return {
    id: checkoutId(recipe),
    origin: ORIGIN,
    tree_name: printable(recipe),
    comment: printable(release === null ? `kernel recipe ${recipe}` : `Linux ${release}, kernel recipe ${recipe}`),
    start_time: run.startedAt,
    valid: true,
  };
}

function build(run: RunRecord, cell: CellRecord) {
  const { recipe, linkage, key, imageHash, release } = cell.kernel;
  const made = run.kernels.find((kernel) => kernel.recipe === recipe && kernel.linkage === linkage);
  const unbuildable = made?.unbuildable ?? (cell.verdict === 'unbuildable' ? cell.reason : null);
  const known = { recipe, linkage, key, image_hash: imageHash, release };
  return {
    id: buildId(cell),
    checkout_id: checkoutId(recipe),
    origin: ORIGIN,
    architecture: 'aarch64',
    config_name: printable(`${recipe}/${linkage}`),
    status: unbuildable === null ? 'PASS' : 'FAIL',
    start_time: run.startedAt,
    ...(made === undefined ? {} : { duration: made.wallMs / SECOND }),
    ...(unbuildable === null ? {} : { comment: printable(unbuildable) }),
    misc: Object.fromEntries(Object.entries(known).filter(([, value]) => value !== null)),
  };
}

function test(run: RunRecord, cell: CellRecord) {
  return {
    id: identifier('test', run.run, run.startedAt, cell.id),
    build_id: buildId(cell),
    origin: ORIGIN,
    path: testPath(cell),
    status: statusOf(cell),
    comment: printable(`${cell.verdict}: ${describeOutcome(cell)}`),
    start_time: run.startedAt,
    duration: cell.wallMs / SECOND,
    environment: { comment: printable(run.qemu), compatible: ['bootrace,standin', 'linux,dummy-virt'] },
    ...(cell.crash === null ? {} : { log_excerpt: crashExcerpt(cell.crash).join('\n') }),
    misc: {
      cell: cell.id,
      row: cell.row ?? '',
      axes: cell.axes,
      verdict: cell.verdict,
      as_expected: cell.asExpected,
      expected: describeExpectation(cell.expected),
      replay: printable(cell.replay),
    },
  };
}

/** KCIDB report data, version 5.3: kernels as checkouts and builds, cells as tests, each crash signature as an issue with its incidents. */
export function formatKcidb(run: RunRecord): string {
  const recipes = [...groupBy(run.cells, (cell) => cell.kernel.recipe)];
  const builds = [...groupBy(run.cells, buildId).values()].flatMap((cells) => cells.slice(0, 1));
  const crashed = run.cells.flatMap((cell) => (cell.crash === null ? [] : [{ cell, crash: cell.crash }]));
  const issues = [...groupBy(crashed, ({ crash }) => issueId(crash))];
  const report = {
    version: SCHEMA_VERSION,
    checkouts: recipes.map(([recipe, cells]) =>
      checkout(run, recipe, cells.find((cell) => cell.kernel.release !== null)?.kernel.release ?? null),
    ),
    builds: builds.map((cell) => build(run, cell)),
    tests: run.cells.map((cell) => test(run, cell)),
    issues: issues.flatMap(([id, [first]]) =>
      first === undefined
        ? []
        : [
            {
              id,
              version: ISSUE_VERSION,
              origin: ORIGIN,
              comment: printable(first.crash.title),
              culprit: { code: true, tool: false, harness: false },
              misc: { signature: printable(first.crash.signature) },
            },
          ],
    ),
    incidents: crashed.map(({ cell, crash }) => ({
      id: identifier('incident', run.run, run.startedAt, cell.id, crash.signature),
      origin: ORIGIN,
      issue_id: issueId(crash),
      issue_version: ISSUE_VERSION,
      test_id: identifier('test', run.run, run.startedAt, cell.id),
      present: true,
    })),
  };
  return printableJson(report);
}

import { chmod, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { withDir } from 'tmp-promise';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import type { RunRecord } from '../../harness/run/record.ts';
import { aCell, aCrash, aRun } from '../report/builders.ts';

/** The last job of a night, as each of the CI files has it: what it ends with when a shard is missing. */

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Where a CI lays down the two shards that there are to be, and the last night. */
interface Places {
  readonly shard: (number: number) => string;
  readonly lastNight: string;
}

interface Night {
  readonly exitCode: number;
  readonly said: string;
  /** The run that the next night is compared with, or null where there is none. */
  readonly next: string | null;
}

interface Ci {
  readonly places: Places;
  readonly report: (folder: string) => Promise<{ exitCode: number; said: string }>;
}

/** `npm run NAME -- WORDS` and `npm run -s bootrace -- WORDS` without npm, which takes longer than all the rest. */
const NPM = `#!/bin/sh
shift
[ "$1" = -s ] && shift
[ "$1" = bootrace ] && shift
[ "$1" = -- ] && shift
exec node bootrace.js "$@"
`;

async function shell(folder: string, script: readonly string[], words: readonly string[] = []) {
  const env = {
    PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
    GITHUB_STEP_SUMMARY: join(folder, 'summary'),
    GITHUB_ACTIONS: undefined,
    NO_COLOR: '1',
  };
  const [file = '', ...options] = script;
  const { exitCode = -1, all } = await execa(file, [...options, ...words], {
    cwd: folder,
    env,
    reject: false,
    all: true,
  });
  return { exitCode, said: all };
}

const githubSchema = z.object({
  jobs: z.object({
    report: z.object({
      steps: z.array(
        z.object({ run: z.string().optional(), shell: z.literal('bash').optional(), if: z.string().optional() }),
      ),
    }),
  }),
});

async function onGithub(folder: string) {
  const { jobs } = githubSchema.parse(parse(await readFile(join(ROOT, '.github/workflows/nightly.yml'), 'utf8')));
  for (const number of ['1', '2'])
    await shell(folder, [
      'sh',
      '-c',
      `[ ! -e shard-${number} ] || { tar -C shard-${number} -czf shard-${number}.tar.gz . && rm -r shard-${number}; }`,
    ]);
  let said = '';
  let failed = 0;
  for (const step of jobs.report.steps) {
    if (step.run === undefined || step.run === 'npm ci' || (failed !== 0 && step.if === undefined)) continue;
    // How a runner starts a step (GitHub's workflow syntax, jobs.<job_id>.steps[*].shell); in a container without bash by default.
    const start = step.shell === 'bash' ? ['bash', '--noprofile', '--norc', '-eo', 'pipefail'] : ['sh', '-e'];
    const ended = await shell(folder, [...start, '-c', step.run]);
    said += ended.said;
    if (ended.exitCode !== 0 && failed === 0) failed = ended.exitCode;
  }
  return { exitCode: failed, said };
}

const gitlabSchema = z.object({ report: z.object({ script: z.array(z.string()) }) });

async function onGitlab(folder: string) {
  const { report } = gitlabSchema.parse(parse(await readFile(join(ROOT, 'ci/gitlab-ci.yml'), 'utf8')));
  return shell(folder, ['sh', '-e', '-c', report.script.join('\n')]);
}

const onSlurm = (folder: string) => shell(folder, ['sh', 'ci/slurm.sh', '--report', 'night']);

const CIS: Readonly<Record<string, Ci>> = {
  '.github/workflows/nightly.yml': {
    places: { shard: (number) => `shard-${number}`, lastNight: 'last-night' },
    report: onGithub,
  },
  'ci/gitlab-ci.yml': {
    places: { shard: (number) => `shards/${number}/latest`, lastNight: 'last-night' },
    report: onGitlab,
  },
  'ci/slurm.sh': {
    places: { shard: (number) => `night/shard-${number}/latest`, lastNight: 'last-night' },
    report: onSlurm,
  },
};

async function put(folder: string, run: RunRecord): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'run.json'), JSON.stringify(run));
}

const good = (id: string) => aCell({ id, folder: null });
const bad = (id: string) => aCell({ id, folder: null, verdict: 'null-deref', asExpected: false, crash: aCrash() });
const shard = (index: number, cell: RunRecord['cells'][number]) =>
  aRun([cell], { run: `part-${index}`, shard: { index, of: 2 } });

/** The end of a night with these shards, behind a whole one that was good, or as the first. */
function night(name: string, shards: readonly RunRecord[], { isFirst }: { readonly isFirst: boolean }): Promise<Night> {
  const ci = CIS[name];
  if (ci === undefined) throw new Error(`there is no ${name}`);
  return withDir(
    async ({ path }) => {
      for (const file of ['bootrace.js', 'harness', 'package.json', 'node_modules'])
        await symlink(join(ROOT, file), join(path, file));
      await cp(join(ROOT, 'ci'), join(path, 'ci'), { recursive: true });
      await mkdir(join(path, 'bin'));
      await writeFile(join(path, 'bin', 'npm'), NPM);
      await chmod(join(path, 'bin', 'npm'), 0o755);
      for (const run of shards) await put(join(path, ci.places.shard(run.shard?.index ?? 0)), run);
      const last = join(path, ci.places.lastNight);
      // On Slurm a link to a run, which elsewhere does no harm.
      if (!isFirst) {
        await put(join(path, 'earlier'), aRun([good('a'), good('b')], { run: 'last' }));
        await symlink(join(path, 'earlier'), last);
      }
      const ended = await ci.report(path);
      const next = await readFile(join(last, 'run.json'), 'utf8').catch(() => null);
      return { ...ended, next: next === null ? null : z.object({ run: z.string() }).parse(JSON.parse(next)).run };
    },
    { unsafeCleanup: true },
  );
}

test.each(Object.keys(CIS))(
  '%s: a night with a missing shard does not pass, and none is compared with it',
  async (name) => {
    const later = await night(name, [shard(1, good('a'))], { isFirst: false });
    expect(later.exitCode, later.said).toBe(3);
    expect(later.said).toContain('shard 2 of 2 is missing');
    expect(later.said).not.toContain('all as expected');
    expect(later.next).toBe('last');
  },
);

test.each(Object.keys(CIS))('%s: a whole night passes, and the next one is compared with it', async (name) => {
  const later = await night(name, [shard(1, good('a')), shard(2, good('b'))], { isFirst: false });
  expect(later.exitCode, later.said).toBe(0);
  expect(later.next).not.toBeNull();
  expect(later.next).not.toBe('last');
});

test.each(Object.keys(CIS))('%s: a first night can fail, and is what the next one is compared with', async (name) => {
  const first = await night(name, [shard(1, good('a')), shard(2, bad('b'))], { isFirst: true });
  expect(first.exitCode, first.said).toBe(1);
  expect(first.next).not.toBeNull();
});

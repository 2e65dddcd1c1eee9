import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { withDir } from 'tmp-promise';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { loadCell, loadMatrix } from '../../harness/matrix/matrix-file.ts';
import { type Command, documentedCommands, ROOT, simpleCommands, words } from './commands.ts';

const packageSchema = z.object({ scripts: z.record(z.string(), z.string()) });
const { scripts } = packageSchema.parse(JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')));

function run(program: string, args: readonly string[]) {
  return execa(program, args, {
    cwd: ROOT,
    reject: false,
    stdin: 'ignore',
    env: { NO_COLOR: '1', FORCE_COLOR: undefined },
  });
}

interface Verb {
  /** Options, with whether they take a value: always, never, or where one is given. */
  readonly options: ReadonlyMap<string, 'value' | 'flag' | 'maybe'>;
  readonly least: number;
  readonly most: number;
}

const verbs = new Map<string, Promise<Verb | null>>();

/** What `bootrace VERB --help` says that a verb takes; null where there is no such verb. */
function verbOf(name: string): Promise<Verb | null> {
  const known = verbs.get(name) ?? askVerb(name);
  verbs.set(name, known);
  return known;
}

async function askVerb(name: string): Promise<Verb | null> {
  const { stdout, exitCode } = await run('node', ['bootrace.js', ...name.split(' '), '--help']);
  const usage = stdout.split('\n')[0] ?? '';
  if (exitCode !== 0 || !usage.startsWith(`Usage: bootrace ${name} `)) return null;
  const options = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)(?: ([<[]))?/gm)].map(
    ([, option, bracket]) => [option ?? '', bracket === '<' ? 'value' : bracket === '[' ? 'maybe' : 'flag'] as const,
  );
  const places = usage
    .slice(`Usage: bootrace ${name} `.length)
    .replace('[options]', '')
    .trim()
    .split(' ')
    .filter(Boolean);
  return {
    options: new Map(options),
    least: places.filter((place) => place.startsWith('<')).length,
    most: places.some((place) => place.includes('...')) ? Number.POSITIVE_INFINITY : places.length,
  };
}

/** Whether a word names a file of the repository that does not exist; what a command writes or a user has is not in these folders. */
function isMissing(word: string): boolean {
  return /^(boards|docs|kernel-configs|test)\//.test(word) && !existsSync(join(ROOT, word));
}

/** What is wrong with words for bootrace, or null. */
async function problemOf([verb = '', ...rest]: readonly string[]): Promise<string | null> {
  const [sub = ''] = rest;
  const name = verb === 'bisect' ? `bisect ${sub}` : verb;
  const found = await verbOf(name);
  if (found === null) return `there is no verb ${name}`;
  const left = verb === 'bisect' ? rest.slice(1) : [...rest];
  let given = 0;
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    if (isMissing(word)) return `there is no file ${word}`;
    if (!word.startsWith('--')) {
      given++;
      continue;
    }
    const kind = found.options.get(word);
    if (kind === undefined) return `${name} has no option ${word}`;
    const next = left[0];
    if (kind === 'value' && (next === undefined || next.startsWith('--'))) return `${word} needs a value`;
    if (kind === 'maybe' && next !== undefined && !next.startsWith('--')) left.shift();
    if (kind === 'value') {
      if (isMissing(next ?? '')) return `there is no file ${next}`;
      left.shift();
    }
  }
  if (found.options.has('--help') && rest.includes('--help')) return null;
  return given < found.least || given > found.most ? `${name} takes other arguments` : null;
}

/** Words for bootrace in a command, or what else the command is. */
function bootraceWords(line: string): readonly string[] | { readonly script: string } {
  const [program, ...rest] = words(line).filter((word) => word !== '-s');
  if (program === 'bootrace') return rest;
  const [action = '', script = '', separator, ...more] = rest;
  if (program !== 'npm') throw new Error(`who is ${program}?`);
  if (action !== 'run') return { script: action };
  if (script === 'bootrace' && separator === '--') return more;
  if (script === 'matrix' || script === 'nightly' || script === 'zoo') return [script, ...more];
  return { script };
}

/** Checks a command as far as it can be without doing what it says. */
async function check({ line }: Pick<Command, 'line'>): Promise<void> {
  const parsed = bootraceWords(line);
  if ('script' in parsed) {
    const { script } = parsed;
    expect(['ci', 'install', ...Object.keys(scripts)], line).toContain(script);
    return;
  }
  expect(await problemOf(parsed), line).toBeNull();
  const dry = parsed[0] === 'matrix' ? '--list' : parsed[0] === 'doctor' || parsed[0] === 'check' ? null : undefined;
  if (dry !== '--list') return;
  const { exitCode, stderr } = await run('node', ['bootrace.js', ...parsed, dry]);
  expect(exitCode, `${line}\n${stderr}`).toBe(0);
}

const commands = await documentedCommands();

test('the pages have commands', () => {
  expect(new Set(commands.map(({ where }) => where))).toEqual(
    new Set([
      'README.md',
      'CONTRIBUTING.md',
      'docs/workstation.md',
      'docs/cells.md',
      'docs/classify.md',
      'docs/ci.md',
      'docs/bisecting.md',
      'docs/boards.md',
      'docs/kernels.md',
      'docs/speed.md',
      'docs/sweep.md',
      'docs/zoo.md',
    ]),
  );
});

test.each(commands)('$where: $line', check);

test('a wrong verb, option, value and argument is found', async () => {
  expect(await problemOf(['matrixx'])).toContain('no verb');
  expect(await problemOf(['bisect', 'all', 'T8'])).toContain('no verb');
  expect(await problemOf(['matrix', '--shards', '1/4'])).toContain('no option --shards');
  expect(await problemOf(['matrix', '--only'])).toContain('needs a value');
  expect(await problemOf(['compare', 'one'])).toContain('other arguments');
  expect(await problemOf(['cell', 'T8', 'T9'])).toContain('other arguments');
  await expect(check({ line: 'npm run matrix -- --only row=T88' })).rejects.toThrow('T88');
  await expect(check({ line: 'npm run nightly -- --kep 3' })).rejects.toThrow('kep');
  await expect(check({ line: 'npm run nigthly' })).rejects.toThrow('nigthly');
});

const EXAMPLES = await readdir(join(ROOT, 'docs/examples'));

test('the folder of examples has files', () => expect(EXAMPLES.length).toBeGreaterThan(2));

/** Loads an example as the verb that a page gives it to would. */
async function loadExample(name: string): Promise<void> {
  const path = join(ROOT, 'docs/examples', name);
  // A matrix has axes, a cell has none.
  if (/^axes:/m.test(await readFile(path, 'utf8'))) expect((await loadMatrix(path)).length).toBeGreaterThan(0);
  else expect((await loadCell(path)).id).not.toBe('');
}

test.each(EXAMPLES)('the example %s is one that a page speaks of, and loads', async (name) => {
  const pages = await Promise.all(
    (await readdir(join(ROOT, 'docs')))
      .filter((page) => page.endsWith('.md'))
      .map((page) => readFile(join(ROOT, 'docs', page), 'utf8')),
  );
  expect(pages.some((page) => page.includes(`docs/examples/${name}`))).toBe(true);
  await loadExample(name);
});

test('an example that does not exist does not load', async () => {
  await expect(loadExample('no-such-file.yaml')).rejects.toThrow('no-such-file.yaml');
  expect(await problemOf(['cell', 'docs/examples/no-such-file.yaml'])).toContain('no file');
});

test('the example of an axis stands in the page as in the file', async () => {
  const example = await readFile(join(ROOT, 'docs/examples/axis.yaml'), 'utf8');
  const page = await readFile(join(ROOT, 'docs/kernels.md'), 'utf8');
  expect(page).toContain(example.slice(example.indexOf('\n') + 1));
});

const workflowSchema = z.object({
  env: z.object({ SHARDS: z.number() }).optional(),
  jobs: z.record(
    z.string(),
    z.strictObject({
      needs: z.union([z.string(), z.array(z.string())]).optional(),
      if: z.string().optional(),
      'runs-on': z.string(),
      container: z.string(),
      'timeout-minutes': z.number().optional(),
      env: z.record(z.string(), z.string()).optional(),
      strategy: z.object({ matrix: z.object({ shard: z.array(z.number()) }) }).optional(),
      steps: z.array(
        z.union([
          z.strictObject({
            uses: z.string().regex(/^actions\/[\w/-]+@[0-9a-f]{40}$/),
            with: z.record(z.string(), z.unknown()).optional(),
            if: z.string().optional(),
          }),
          z.strictObject({ run: z.string(), shell: z.literal('bash').optional(), if: z.string().optional() }),
        ]),
      ),
    }),
  ),
});

const WORKFLOWS = join(ROOT, '.github/workflows');

describe('GitHub Actions', async () => {
  const workflow = workflowSchema.parse(parse(await readFile(join(WORKFLOWS, 'nightly.yml'), 'utf8')));
  const tests = workflowSchema.parse(parse(await readFile(join(WORKFLOWS, 'test.yml'), 'utf8')));
  const lines = [...Object.values(workflow.jobs), ...Object.values(tests.jobs)].flatMap(({ steps }) =>
    steps.flatMap((step) => ('run' in step ? [step.run] : [])),
  );
  const spelled = (line: string) =>
    line.replaceAll(/\$\{\{ matrix\.shard \}\}/g, '2').replaceAll('$SHARDS', String(workflow.env?.SHARDS));

  test('jobs need jobs that are there, and there are as many shards as the shards think', () => {
    for (const { needs = [], if: condition = '' } of Object.values(workflow.jobs)) {
      for (const job of [needs].flat()) expect(Object.keys(workflow.jobs)).toContain(job);
      // A job knows of those alone that it needs itself.
      for (const [, job] of condition.matchAll(/needs\.(\w+)/g)) expect([needs].flat()).toContain(job);
    }
    expect(workflow.jobs.boots?.strategy?.matrix.shard).toEqual(
      Array.from({ length: workflow.env?.SHARDS ?? 0 }, (_, n) => n + 1),
    );
  });

  test('pushes and pull requests run the tests', async () => {
    const { on } = z
      .object({ on: z.record(z.string(), z.null()) })
      .parse(parse(await readFile(join(WORKFLOWS, 'test.yml'), 'utf8')));
    expect(Object.keys(on)).toEqual(['push', 'pull_request']);
    expect(Object.values(tests.jobs).flatMap(({ steps }) => steps)).toContainEqual({ run: 'npm test' });
  });

  test.each(lines.flatMap((line) => simpleCommands(spelled(line))))('%s', (line) => check({ line }));

  test.each(lines)('is bash: %s', async (line) => {
    const { exitCode, stderr } = await execa('bash', ['-n', '-c', spelled(line)], { reject: false });
    expect(exitCode, stderr).toBe(0);
  });
});

const gitlabJob = z.looseObject({ stage: z.string(), script: z.array(z.string()), parallel: z.number().optional() });
const gitlabSchema = z
  .object({
    stages: z.array(z.string()),
    default: z.object({ image: z.string(), before_script: z.array(z.string()) }),
    variables: z.record(z.string(), z.string()),
  })
  .catchall(gitlabJob);

describe('GitLab', async () => {
  const {
    stages,
    default: defaults,
    variables: _,
    ...jobs
  } = gitlabSchema.parse(parse(await readFile(join(ROOT, 'ci/gitlab-ci.yml'), 'utf8')));
  const spelled = (line: string) =>
    line.replaceAll('$CI_NODE_INDEX', '2').replaceAll('$CI_NODE_TOTAL', String(jobs.boots?.parallel));
  const lines = [...defaults.before_script, ...Object.values(jobs).flatMap(({ script }) => script)];

  test('every stage has a job, and every job a stage', () => {
    expect(Object.values(jobs).map(({ stage }) => stage)).toEqual(stages);
  });

  test.each(lines.flatMap((line) => simpleCommands(spelled(line))))('%s', (line) => check({ line }));
});

/** Stands in for sbatch: runs the job at once, an array's as often as it has members, and prints a job number. */
const SBATCH = `#!/bin/sh
array= wrap=
for word; do
  case $word in
    --array=*) array=\${word#--array=} ;;
    --wrap=*) wrap=\${word#--wrap=} ;;
  esac
done
if [ -n "$array" ]; then
  n=\${array%-*}
  while [ "$n" -le "\${array#*-}" ]; do SLURM_ARRAY_TASK_ID=$n sh -c "$wrap"; n=$((n + 1)); done
else
  sh -c "$wrap"
fi >&2
echo 7
`;

test('Slurm: the jobs are commands that there are, one for each shard', () =>
  withDir(
    async ({ path }) => {
      const bin = join(path, 'bin');
      await mkdir(bin);
      await writeFile(join(bin, 'sbatch'), SBATCH);
      // A job calls `node bootrace.js WORDS`; the words are checked as those behind npm are.
      const node = '#!/bin/sh\nshift\necho "npm run -s bootrace -- $*" >> "$NPM_LOG"\n';
      await writeFile(join(bin, 'node'), node);
      for (const name of ['sbatch', 'node']) await chmod(join(bin, name), 0o755);
      const log = join(path, 'log');
      const { exitCode, stderr } = await execa('sh', [join(ROOT, 'ci/slurm.sh'), '3'], {
        cwd: path,
        reject: false,
        env: { PATH: `${bin}:${process.env.PATH}`, NPM_LOG: log },
      });
      expect(exitCode, stderr).toBe(0);
      const lines = (await readFile(log, 'utf8')).trim().split('\n');
      expect(lines.flatMap((line) => /--shard (\S+)/.exec(line)?.[1] ?? [])).toEqual(['1/3', '2/3', '3/3']);
      for (const line of lines) await check({ line });
    },
    { unsafeCleanup: true },
  ));

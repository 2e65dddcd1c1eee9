#!/usr/bin/env -S npx tsx
/**
 * Kills bootrace at random moments and looks at what the next run says: `npm run kills -- --count 300 --seed 1`. A kill takes one, two or four
 * runs that share a cache and a folder of results. After each nothing may be left, and the next run must say what an undisturbed one says.
 */
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { Command } from '@commander-js/extra-typings';
import { execa } from 'execa';
import { z } from 'zod';
import { cacheRoot } from '../harness/kernel/cache.ts';
import { runRecordSchema } from '../harness/run/record.ts';
import { createRandom } from '../harness/search/random.ts';
import { guardProcess, printError } from '../harness/terminal/failure.ts';
import { positiveInteger } from '../harness/terminal/option-values.ts';
import { print } from '../harness/terminal/output.ts';
import { GUARDED_CELL, HISTORY } from '../test/boot/guard-history.ts';
import { kernelHistory } from '../test/boot/kernel-history.ts';
import { processesIn } from '../test/processes.ts';

const MATRIX = `axes:
  kernel: [6.1]
  linkage: [builtin]
  async: [none, both]
  delay: [0, 6000]
expect:
  - { match: {}, verdict: bound }
  - { match: { async: both, delay: 6000 }, verdict: deferred-then-bound }
`;
const ENTRY = fileURLToPath(new URL('../bootrace.js', import.meta.url));
const VERBS = ['matrix', 'explore', 'bisect', 'nightly', 'report', 'merge'] as const;
type Verb = (typeof VERBS)[number];
const AT_ONCE = [1, 1, 2, 4];
/** A killed process is gone at once, and takes its guests and compilers with it; a busy machine needs so long to see to it. */
const GONE_MS = 5000;
const POLL_MS = 50;
/** What is given up on is written to a file of its own first. */
const HALF_WRITTEN = /unfinished|\.part$|\.tmp$/;
/** Of so many kills one finds neither the firmware nor init compiled. */
const KILLS_TO_A_COMPILATION = 6;

const commitsSchema = z.object({
  verified: z.boolean(),
  bisection: z.object({
    claim: z.object({ bad: z.array(z.string()) }),
    result: z.object({ found: z.string(), culprit: z.string(), revert: z.object({ answer: z.string() }) }),
    tested: z.array(z.object({ commit: z.string(), answer: z.string() })),
  }),
});

/** A folder with a cache that has kernels and no boots, a matrix, two shards of a run of it, and a git tree. */
class Room {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  at(...names: string[]): string {
    return join(this.#folder, ...names);
  }

  async furnish(): Promise<void> {
    await mkdir(this.at('cache', 'bootrace'), { recursive: true });
    for (const name of ['kernels', 'sources'])
      await symlink(await realpath(join(cacheRoot(), name)), this.at('cache', 'bootrace', name));
    await mkdir(this.at('tmp'));
    await writeFile(this.at('matrix.yaml'), MATRIX);
    await writeFile(this.at('cell.yaml'), GUARDED_CELL);
    await execa('git', [
      'clone',
      '--quiet',
      '--shared',
      '--no-checkout',
      await kernelHistory(HISTORY),
      this.at('tree'),
    ]);
    for (const shard of ['1', '2']) {
      const words = [
        'matrix',
        '--matrix',
        this.at('matrix.yaml'),
        '--shard',
        `${shard}/2`,
        '--results',
        this.at(shard),
      ];
      const { exitCode, stderr } = await this.start(words);
      if (exitCode !== 0) throw new Error(`shard ${shard} ends with ${exitCode}: ${stderr}`);
    }
  }

  words(verb: Verb): string[] {
    const results = ['--results', this.at(verb)];
    const matrix = ['--matrix', this.at('matrix.yaml')];
    return {
      matrix: ['matrix', ...matrix, ...results],
      nightly: ['nightly', ...matrix, ...results, '--sample', '1'],
      bisect: [
        ...['bisect', 'commits', '--tree', this.at('tree'), '--good', 'base', '--bad', HISTORY.at(-1)?.name ?? ''],
        ...['--cell', this.at('cell.yaml'), '--json', ...results],
      ],
      explore: ['explore', '--kernel', '6.1', '--budget', '6', ...results],
      report: ['report', this.at('1', 'latest'), '--reporter', 'html', '--reporter', 'junit', '--reporter', 'kcidb'],
      merge: ['merge', this.at('1', 'latest'), this.at('2', 'latest'), ...results],
    }[verb];
  }

  start(words: readonly string[]) {
    const own = { XDG_CACHE_HOME: this.at('cache'), TMPDIR: this.at('tmp') };
    const env = { ...own, NO_COLOR: '1', FORCE_COLOR: undefined, GITHUB_ACTIONS: undefined };
    return execa('node', [ENTRY, ...words], { cwd: this.#folder, env, reject: false, stdin: 'ignore' });
  }

  /** Of the cache's folders these; what is in them is made again. */
  async forget(...folders: readonly string[]): Promise<void> {
    for (const name of folders) await rm(this.at('cache', 'bootrace', name), { recursive: true, force: true });
  }

  /** What a run says, but for when it was and how long it took. */
  async say(verb: Verb): Promise<unknown> {
    const { exitCode, stdout, stderr } = await this.start(this.words(verb));
    // Whatever is killed has to have an answer when nobody kills it.
    if (exitCode !== 0 && exitCode !== 1) throw new Error(`${verb} ends with ${exitCode}: ${stderr}`);
    if (verb === 'report') {
      const run = this.at('1', 'latest');
      const files = await Promise.all(
        ['report.html', 'junit.xml', 'kcidb.json'].map((name) => readFile(join(run, name), 'utf8')),
      );
      return { exitCode, files, stderr: exitCode === 0 ? '' : stderr };
    }
    if (verb === 'bisect') {
      const { verified, bisection } = commitsSchema.parse(JSON.parse(stdout));
      return { exitCode, verified, bisection };
    }
    if (verb === 'explore') return { exitCode, stdout: stdout.replaceAll(/\d+(?:\.\d+)? (?:ms|s|min)\b/g, 'TIME') };
    const run = runRecordSchema.parse(JSON.parse(await readFile(this.at(verb, 'latest', 'run.json'), 'utf8')));
    // Of a night that has another before it, the code is about what is new: nothing is, in both.
    return {
      exitCode,
      cells: run.cells.map(({ id, verdict, reason, asExpected }) => ({ id, verdict, reason, asExpected })),
    };
  }

  /** Command lines of what still runs for this folder. */
  running(): Promise<string[]> {
    return processesIn(this.#folder);
  }

  async leftover(): Promise<string[]> {
    const names = (await readdir(this.#folder, { recursive: true })).filter((name) => !name.startsWith('tree/'));
    const temporary = await readdir(this.at('cache', 'bootrace', 'tmp')).catch(() => []);
    const bisections = await readdir(this.at('cache', 'bootrace', 'bisect')).catch(() => []);
    const held: string[] = [];
    for (const name of names.filter((one) => one.endsWith('.lock'))) {
      const { exitCode } = await execa('flock', ['--nonblock', this.at(name), 'true'], { reject: false });
      if (exitCode !== 0) held.push(`${name} is held`);
    }
    return [
      ...names.filter((name) => HALF_WRITTEN.test(name)),
      ...temporary.map((name) => `cache/bootrace/tmp/${name}`),
      ...(await readdir(this.at('tmp'))).map((name) => `tmp/${name}`),
      ...bisections.filter((name) => !name.endsWith('.lock')).map((name) => `cache/bootrace/bisect/${name}`),
      ...held,
    ];
  }
}

interface Undisturbed {
  readonly said: unknown;
  readonly ms: number;
  /** What is there after it as well. */
  readonly left: readonly string[];
}

/** Kills `count` runs of a verb at a moment, and says what is wrong afterwards. */
async function kill(
  room: Room,
  verb: Verb,
  undisturbed: Undisturbed,
  { count, moment, compiles }: { count: number; moment: number; compiles: boolean },
) {
  await room.forget('boots', ...(compiles ? ['cross'] : []));
  const children = Array.from({ length: count }, () => room.start(room.words(verb)));
  await sleep(moment * undisturbed.ms);
  for (const child of children) child.kill('SIGKILL');
  await Promise.all(children);
  const end = performance.now() + GONE_MS;
  let running = await room.running();
  while (running.length > 0 && performance.now() < end) {
    await sleep(POLL_MS);
    running = await room.running();
  }
  const said = await room.say(verb).catch((error: unknown) => String(error));
  const left = (await room.leftover()).filter((name) => !undisturbed.left.includes(name));
  return [
    ...running.map((line) => `still runs: ${line}`),
    ...left.map((name) => `left: ${name}`),
    ...(isDeepStrictEqual(said, undisturbed.said) ? [] : [`says ${JSON.stringify(said).slice(0, 1500)}`]),
  ];
}

async function kills(count: number, seed: number): Promise<number> {
  print(`${count} kills, seed ${seed}\n`);
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'bootrace-kills-')));
  const room = new Room(folder);
  await room.furnish();
  const undisturbed = new Map<Verb, Undisturbed>();
  for (const verb of VERBS) {
    await room.say(verb);
    await room.forget('boots');
    const started = performance.now();
    const said = await room.say(verb);
    const ms = performance.now() - started;
    undisturbed.set(verb, { said, ms, left: await room.leftover() });
    print(`${verb}, undisturbed: ${Math.round(ms)} ms\n`);
  }
  const random = createRandom(seed);
  const pick = <T>(from: readonly T[]) => from[random.below(from.length)];
  const done = new Map<string, number>();
  let bad = 0;
  for (let n = 1; n <= count; n++) {
    const verb = pick(VERBS) ?? 'matrix';
    const atOnce = pick(AT_ONCE) ?? 1;
    const moment = random.unit();
    const whole = undisturbed.get(verb);
    if (whole === undefined) throw new Error(`${verb} was not run`);
    const compiles = random.below(KILLS_TO_A_COMPILATION) === 0;
    const wrong = await kill(room, verb, whole, { count: atOnce, moment, compiles });
    if (wrong.length > 0) bad++;
    const key = `${verb} x${atOnce}`;
    done.set(key, (done.get(key) ?? 0) + 1);
    print(`${n} ${key} at ${Math.round(moment * 100)} %: ${wrong.length === 0 ? 'ok' : wrong.join('; ')}\n`);
  }
  print(
    `${count - bad} of ${count} kills lost nothing (seed ${seed}): ${[...done].map(([key, times]) => `${key}: ${times}`).join(', ')}\n`,
  );
  if (bad === 0) await rm(folder, { recursive: true, force: true });
  else print(`files in ${folder}\n`);
  return bad === 0 ? 0 : 1;
}

guardProcess();
const command = new Command('kills')
  .option('--count <n>', 'how many', positiveInteger, 300)
  .option('--seed <n>', 'seed of moments and verbs', positiveInteger, Date.now() % 2 ** 31)
  .parse();
try {
  process.exitCode = await kills(command.opts().count, command.opts().seed);
} catch (error) {
  process.exitCode = printError(error);
}

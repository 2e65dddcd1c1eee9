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
import { cacheRoot } from '../harness/kernel/cache.ts';
import { runRecordSchema } from '../harness/run/record.ts';
import { createRandom } from '../harness/search/random.ts';
import { guardProcess, printError } from '../harness/terminal/failure.ts';
import { positiveInteger } from '../harness/terminal/option-values.ts';
import { print } from '../harness/terminal/output.ts';
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
const VERBS = ['matrix', 'explore', 'nightly', 'report', 'merge'] as const;
type Verb = (typeof VERBS)[number];
const AT_ONCE = [1, 1, 2, 4];
/** A killed process is gone, with its guests, in far less. */
const GONE_MS = 10_000;
const POLL_MS = 50;
/** What is given up on is written to a file of its own first. */
const HALF_WRITTEN = /unfinished|\.part$|\.tmp$/;

/** A folder with a cache that has kernels and no boots, a matrix, and two shards of a run of it. */
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
    await writeFile(this.at('matrix.yaml'), MATRIX);
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
      explore: ['explore', '--kernel', '6.1', '--budget', '6', '--preemptions', '0', ...results],
      report: ['report', this.at('1', 'latest'), '--reporter', 'html', '--reporter', 'junit', '--reporter', 'kcidb'],
      merge: ['merge', this.at('1', 'latest'), this.at('2', 'latest'), ...results],
    }[verb];
  }

  start(words: readonly string[]) {
    const env = { XDG_CACHE_HOME: this.at('cache'), NO_COLOR: '1', FORCE_COLOR: undefined, GITHUB_ACTIONS: undefined };
    return execa('node', [ENTRY, ...words], { cwd: this.#folder, env, reject: false, stdin: 'ignore' });
  }

  async forgetBoots(): Promise<void> {
    await rm(this.at('cache', 'bootrace', 'boots'), { recursive: true, force: true });
  }

  /** What a run says, but for when it was and how long it took. */
  async say(verb: Verb): Promise<unknown> {
    const { exitCode, stdout, stderr } = await this.start(this.words(verb));
    if (verb === 'report') {
      const run = this.at('1', 'latest');
      const files = await Promise.all(
        ['report.html', 'junit.xml', 'kcidb.json'].map((name) => readFile(join(run, name), 'utf8')),
      );
      return { exitCode, files, stderr: exitCode === 0 ? '' : stderr };
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
    const names = await readdir(this.#folder, { recursive: true });
    const temporary = await readdir(this.at('cache', 'bootrace', 'tmp')).catch(() => []);
    return [...names.filter((name) => HALF_WRITTEN.test(name)), ...temporary.map((name) => `tmp/${name}`)];
  }
}

interface Undisturbed {
  readonly said: unknown;
  readonly ms: number;
}

/** Kills `count` runs of a verb at a moment, and says what is wrong afterwards. */
async function kill(
  room: Room,
  verb: Verb,
  undisturbed: Undisturbed,
  { count, moment }: { count: number; moment: number },
) {
  await room.forgetBoots();
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
  const said = await room.say(verb);
  const left = await room.leftover();
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
    await room.forgetBoots();
    const started = performance.now();
    const said = await room.say(verb);
    undisturbed.set(verb, { said, ms: performance.now() - started });
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
    const wrong = await kill(room, verb, whole, { count: atOnce, moment });
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

import { once } from 'node:events';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { execa } from 'execa';
import { dir } from 'tmp-promise';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { signalOfUser } from '../harness/terminal/failure.ts';
import { bootrace } from './boot/cli.ts';
import { threadRun } from './report/builders.ts';

/** What is wrong with the machine, or with whoever reads the output, must not look like an answer: 0 or 1. */

const ENTRY = fileURLToPath(new URL('../bootrace.js', import.meta.url));
const BY_SIGPIPE = 141;
let folder: Awaited<ReturnType<typeof dir>>;

beforeAll(async () => {
  folder = await dir({ unsafeCleanup: true });
  await mkdir(join(folder.path, 'run'));
  await execa('mkfifo', [join(folder.path, 'fifo')]);
  await writeFile(join(folder.path, 'Image'), imageHeader());
  await writeFile(join(folder.path, 'run', 'run.json'), JSON.stringify(threadRun()));
});

afterAll(() => folder.cleanup());

/** As much of an arm64 Image as is looked at before its modules (booting.rst, "Call the kernel image"). */
function imageHeader(): Buffer {
  const header = Buffer.alloc(64);
  header.write('ARM\x64', 0x38, 'latin1');
  return Buffer.concat([header, Buffer.from('Linux version 6.1.0-test (somebody@somewhere)')]);
}

function shell(script: string) {
  return execa('bash', ['-c', script, ENTRY], { cwd: folder.path, reject: false, env: { NO_COLOR: '1' } });
}

test.each(['matrix --list', 'report run', 'report run --reporter json', 'compare run run', 'matrix --help'])(
  'whoever reads the output of %s may go',
  async (verb) => {
    const { stdout, stderr } = await shell(`node "$0" ${verb} | true; echo "\${PIPESTATUS[0]}"`);
    expect(stderr).toBe('');
    // The reader may have been there long enough.
    expect([String(BY_SIGPIPE), '0']).toContain(stdout);
  },
);

test.each(['matrix --list', 'report run', 'compare run run', 'classify /dev/null --json'])(
  'the answer of %s that does not fit on the disk is none',
  async (verb) => {
    const { exitCode, stderr } = await shell(`node "$0" ${verb} > /dev/full`);
    expect(stderr).toContain('standard output could not be written (ENOSPC)');
    expect(stderr).not.toMatch(/^ +at /m);
    expect(exitCode).toBe(3);
  },
);

test('what is told beside the answer may be lost', async () => {
  const { exitCode } = await shell('node "$0" report run --reporter ktap=out.ktap 2> /dev/full');
  expect(exitCode).toBe(0);
});

test.each([24, 28, 32, 40])('with %d open files there is an answer or none', async (limit) => {
  const { exitCode } = await shell(`ulimit -n ${limit}; node "$0" report run`);
  expect([0, 3]).toContain(exitCode);
});

test('where no program can be started that is told once and without a stack', async () => {
  const { exitCode, stderr } = await shell('ulimit -n 24; node "$0" doctor');
  expect(stderr).toMatch(/^bootrace: .*this process may not open more files \(EMFILE\)\n {2}raise the limit .*$/);
  expect(exitCode).toBe(3);
});

// Node.js opens /dev/null in place of a standard stream that is closed, before any script runs (src/node.cc,
// PlatformInit()): it cannot be told from what Python's DEVNULL gives, and who gives that wants the exit code alone.
test('a closed standard output is as good as /dev/null: the exit code is that of the answer', async () => {
  for (const [words, code] of [
    ['report run', 0],
    ['report nonesuch', 2],
  ] as const)
    for (const where of ['>&-', '>/dev/null'])
      expect((await shell(`node "$0" ${words} ${where}`)).exitCode, `${words} ${where}`).toBe(code);
});

test.each([
  ['zoo --folder run', 'there are no entries in run'],
  ['zoo --folder nonesuch', 'the folder nonesuch cannot be read (ENOENT)'],
  ['zoo --docs run', 'run is not a regular file'],
  ['board fifo --no-boot', 'fifo is not a regular file'],
  ['board x.dtb --no-boot --cpus 2', '--cpus needs a boot'],
  ['board x.dtb --no-boot --modules-load fifo', '--modules-load needs a boot'],
  ['board small --no-boot', 'small is a stand-in'],
  ['board x.dtb --no-boot --kernel image:Image,modules=run', 'there are no modules in the folder'],
  ['board /dev/zero --no-boot', '/dev/zero is not a regular file'],
  ['sweep x.dtb --kernel nonesuch', 'there is no kernel recipe nonesuch'],
  ['sweep x.dtb --kernel nonesuch --report nonesuch/x', 'the report nonesuch/x cannot be written'],
  ['cell T8 --interactive', '--interactive needs a terminal, and standard input is none'],
  ['explore --kernel nonesuch --modules ./nonesuch', 'the list of modules ./nonesuch cannot be read (ENOENT)'],
])('%s is wrong usage, told in a sentence, and leaves nothing', async (words, message) => {
  const before = await readdir(folder.path);
  const { exitCode, stdout, stderr } = await shell(`node "$0" ${words}`);
  expect(stderr).toContain(`bootrace: ${message}`);
  expect(stderr).not.toMatch(/^ +at /m);
  expect([exitCode, stdout]).toEqual([2, '']);
  expect(await readdir(folder.path)).toEqual(before);
});

test.each([
  ['broken.ko.xz', 'mods cannot be unpacked: xz: DIR/mods/broken.ko.xz: '],
  ['broken.ko', 'mods/broken.ko is not an ELF kernel module'],
])('a module that is broken, %s, is named as it was given', async (name, message) => {
  const mods = join(folder.path, 'mods');
  await mkdir(mods);
  await writeFile(join(mods, name), 'no module');
  await writeFile(join(mods, 'good.ko.gz'), gzipSync('no module either'));
  const { exitCode, stderr } = await shell('node "$0" board x.dtb --no-boot --kernel image:Image,modules=mods');
  await rm(mods, { recursive: true });
  expect(stderr.replaceAll(folder.path, 'DIR')).toContain(`bootrace: DIR/${message}`);
  expect(exitCode).toBe(2);
});

test('a signal that comes twice at once ends nothing half-way, and one that comes later does', async () => {
  const loader = new URL('../harness/terminal/failure.ts', import.meta.url);
  const script = `
    const { signalOfUser } = await import('${loader}');
    const signal = signalOfUser();
    signal.addEventListener('abort', () => setTimeout(() => process.exit(7), Number(process.argv[1])));
    setTimeout(() => {}, 30_000);
    process.stdout.write('up');`;
  for (const [takes, again, code] of [
    [300, 0, 7],
    [20_000, 1000, 143],
  ] as const) {
    const child = execa('node', ['--import', 'tsx', '--input-type=module', '-e', script, String(takes)], {
      reject: false,
    });
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    await setTimeout(again);
    child.kill('SIGTERM');
    expect((await child).exitCode).toBe(code);
  }
});

test('an error that nobody expects keeps its stack and is no answer', async () => {
  const loader = join(folder.path, 'defect.cjs');
  await writeFile(loader, "setTimeout(() => { throw new TypeError('a defect'); }, 1000); setInterval(() => {}, 1000);");
  const { exitCode, stderr } = await shell(`NODE_OPTIONS='--require ${loader}' node "$0" matrix --list`);
  expect(stderr).toMatch(/TypeError: a defect\n +at /);
  expect(exitCode).toBe(3);
});

test('nothing that git bisect run takes for a bad commit', async () => {
  expect((await shell('node "$0" check --cell nonesuch > /dev/full')).exitCode).toBe(128);
  expect((await bootrace(['check', '--nonesuch'])).exitCode).toBe(128);
});

test('each kind of refusal is told once, whatever was refused before', async () => {
  vi.resetModules();
  const { printError } = await import('../harness/terminal/failure.ts');
  const told: string[] = [];
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((text) => told.push(String(text)) > 0);
  try {
    const refused = (code: string, path: string) => Object.assign(new Error(code), { code, syscall: 'open', path });
    const all = [refused('ENOSPC', 'a'), refused('ENOSPC', 'b'), refused('EMFILE', 'c'), refused('ENOSPC', 'd')];
    expect(all.map(printError)).toEqual([3, 3, 3, 3]);
  } finally {
    write.mockRestore();
  }
  expect(told.map((text) => /open \w: .* \(\w+\)/.exec(text)?.[0])).toEqual([
    'open a: the disk is full (ENOSPC)',
    'open c: this process may not open more files (EMFILE)',
  ]);
});

test('whoever waits for the end of a run is told what for, once, and not where it ends at once', () => {
  const known = { SIGINT: process.listeners('SIGINT'), SIGTERM: process.listeners('SIGTERM') };
  const said: unknown[] = [];
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(text) > 0);
  vi.useFakeTimers();
  try {
    const signal = signalOfUser();
    // timeout(1) sends it twice.
    process.emit('SIGINT');
    process.emit('SIGINT');
    expect(signal.aborted).toBe(true);
    vi.advanceTimersByTime(999);
    expect(said).toEqual([]);
    vi.advanceTimersByTime(10_000);
    expect(said).toEqual([expect.stringMatching(/^bootrace: SIGINT: putting away .* a second one ends at once/)]);
  } finally {
    vi.useRealTimers();
    write.mockRestore();
    for (const name of ['SIGINT', 'SIGTERM'] as const)
      for (const listener of process.listeners(name).filter((one) => !known[name].includes(one)))
        process.removeListener(name, listener);
  }
});

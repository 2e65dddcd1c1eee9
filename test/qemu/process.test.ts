import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { withDir } from 'tmp-promise';
import { expect, test, vi } from 'vitest';
import { type GuestWords, QEMU, type RenameFile } from '../../harness/qemu/command.ts';
import { confinement, handOver } from '../../harness/qemu/confinement.ts';
import { launcher, runGuest, Silence } from '../../harness/qemu/process.ts';
import { qemuChildren } from '../children.ts';
import { processesIn } from '../processes.ts';

function start(program: readonly string[], parent?: number) {
  const [file = '', ...words] = launcher(program, parent === undefined ? {} : { parent });
  return execa(file, words, { reject: false });
}

/** Not so a process that has ended and that nobody has waited for (proc(5), state Z). */
function isRunning(pid: number): boolean {
  const path = `/proc/${pid}/stat`;
  return existsSync(path) && !/^\d+ \(.*\) Z /.test(readFileSync(path, 'utf8'));
}

test('a program runs with what it was given', async () => {
  expect((await start(['printf', '%s|', 'a b', "'", '$x', ''])).stdout).toBe("a b|'|$x||");
});

test('it does not start where its parent ended before it could be bound to it', async () => {
  const other = spawn('sleep', ['60']);
  const { stdout, exitCode } = await start(['echo', 'started'], other.pid);
  other.kill();
  expect(stdout).toBe('');
  expect(exitCode).toBe(1);
});

const isRoot = process.getuid?.() === 0;

test.each(isRoot ? [null, 65534] : [null])('it ends with its parent, as user %s', async (user) => {
  const [file = '', ...words] = launcher(['sleep', '60'], { parent: 0, user });
  const script = 'words=$(printf %s "$*"); set -- "$@"; "$@" & echo $!; wait';
  // The shell between is the parent, whose number the launcher is told.
  words[words.indexOf('0')] = 'PARENT';
  const between = spawn('sh', [
    '-c',
    `for w; do shift; [ "$w" = PARENT ] && w=$$; set -- "$@" "$w"; done; ${script}`,
    'sh',
    file,
    ...words,
  ]);
  const pid = await new Promise<number>((resolve) => between.stdout.once('data', (text) => resolve(Number(text))));
  await vi.waitUntil(() => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n', 5000);
  expect(isRunning(pid)).toBe(true);
  between.kill('SIGKILL');
  await vi.waitUntil(() => !isRunning(pid), 5000);
});

test('none of its files fills a disk', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bootrace-process-'));
  try {
    const file = join(folder, 'file');
    await start(['dd', 'if=/dev/zero', `of=${file}`, 'bs=1M', 'count=200', 'status=none']);
    expect(statSync(file).size).toBeLessThanOrEqual(96 * 1024 * 1024);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a guest that talks for ever is given up by its CPU time', async () => {
  const busy = spawn('sh', ['-c', 'while :; do :; done']);
  try {
    const silence = new Silence(busy.pid, 4, { talking: 1 });
    const patient = new Silence(busy.pid, 4);
    let verdict = silence.verdict();
    for (let looks = 0; verdict === null && looks < 600; looks++) {
      silence.heard();
      patient.heard();
      await sleep(50);
      verdict = silence.verdict();
    }
    expect(verdict).toBe('stuck');
    expect(patient.verdict()).toBeNull();
  } finally {
    busy.kill('SIGKILL');
  }
});

test('a guest that spins without a word is given up by its CPU time, and one that says something is not', async () => {
  const busy = spawn('sh', ['-c', 'while :; do :; done']);
  try {
    const silence = new Silence(busy.pid, 4, { spinning: 1 });
    const heard = new Silence(busy.pid, 4, { spinning: 1 });
    let verdict = silence.verdict();
    for (let looks = 0; verdict === null && looks < 600; looks++) {
      heard.heard();
      expect(heard.verdict()).toBeNull();
      await sleep(50);
      verdict = silence.verdict();
    }
    expect(verdict).toBe('stuck');
  } finally {
    busy.kill('SIGKILL');
  }
});

test('a QEMU that does nothing is given up after a time, and one that is only slow is not', async () => {
  const idle = spawn('sleep', ['60']);
  const busy = spawn('sh', ['-c', 'while :; do :; done']);
  try {
    const limits = { silenceMs: 2000, spinning: 60 };
    const [waiting, working] = [new Silence(idle.pid, 4, limits), new Silence(busy.pid, 4, limits)];
    const told: (string | null)[] = [];
    // Longer than the patience of a look, and until the busy one has used more than nothing.
    for (let looks = 0; looks < 600 && !told.includes('silent'); looks++) {
      working.verdict();
      await sleep(50);
      told.push(waiting.verdict());
    }
    expect(told.at(-1)).toBe('silent');
    const used = secondsOf(busy.pid);
    await vi.waitUntil(() => secondsOf(busy.pid) > used + 1.2, 60_000);
    expect(working.verdict()).toBeNull();
    // It has worked, and does so no more.
    busy.kill('SIGSTOP');
    await vi.waitUntil(() => working.verdict() === 'silent', { timeout: 30_000, interval: 50 });
  } finally {
    idle.kill('SIGKILL');
    busy.kill('SIGKILL');
  }
});

/** CPU time in user mode (proc(5), /proc/PID/stat, field 14), of a command whose name has no space. */
function secondsOf(pid: number | undefined): number {
  return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[13]) / 100;
}

/** A real QEMU without a machine, which says and does nothing. */
async function idleQemu(
  whileRunning: (pid: number, folder: string) => void | Promise<void>,
  more: (rename: RenameFile, folder: string) => readonly string[] = () => [],
) {
  // As below a home that others may not enter.
  const folder = mkdtempSync(join(tmpdir(), 'bootrace-process-'));
  try {
    const words: GuestWords = (rename) => [
      ...['-M', 'none', '-nodefaults', '-display', 'none'],
      ...more(rename, folder),
    ];
    const ended = runGuest(words, {
      consoleFile: join(folder, 'console.log'),
      logFile: join(folder, 'firmware.log'),
      onConsole: () => false,
      signal: new AbortController().signal,
      cwd: folder,
      shift: 4,
    });
    await vi.waitUntil(() => qemuChildren().some(({ pid }) => handlesTerm(pid)), 30_000);
    for (const { pid } of qemuChildren()) await whileRunning(pid, folder);
    return await ended;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const statusOf = (pid: number) => readFileSync(`/proc/${pid}/status`, 'utf8');

/** Whether a process has come so far that it handles SIGTERM, number 15, itself (proc(5), SigCgt: a bit each from 1). */
function handlesTerm(pid: number): boolean {
  const caught = BigInt(`0x${/^SigCgt:\t([0-9a-f]+)/m.exec(statusOf(pid))?.[1] ?? '0'}`);
  return ((caught >> 14n) & 1n) === 1n;
}

test('QEMU runs in its sandbox where it has one', async () => {
  const { sandbox } = await confinement();
  await idleQemu((pid) => {
    // Seccomp: 2 is filter mode (proc(5)).
    expect(/^Seccomp:\t(\d)/m.exec(statusOf(pid))?.[1]).toBe(sandbox.length > 0 ? '2' : '0');
    process.kill(pid, 'SIGKILL');
  });
});

/** QEMU reads a configuration and writes what the firmware would. */
const readsAndWrites = (mode: number) => (rename: RenameFile, folder: string) => {
  const config = join(folder, 'config');
  writeFileSync(config, '[chardev "read"]\n  backend = "null"\n');
  chmodSync(config, mode);
  return [
    ...['-readconfig', rename('plan', config)],
    ...['-chardev', `file,id=written,path=${rename('firmwareLog', 'firmware.log')}`],
  ];
};

test.runIf(isRoot)('QEMU is nobody where the caller is root, and its files are all the same', async () => {
  const { user } = await confinement();
  expect(user).toBe(65534);
  const end = await idleQemu((pid, folder) => {
    expect(/^Uid:\t(.*)/m.exec(statusOf(pid))?.[1]).toBe(Array(4).fill(user).join('\t'));
    expect(/^CapEff:\t(.*)/m.exec(statusOf(pid))?.[1]).toMatch(/^0+$/);
    expect(statSync(join(folder, 'firmware.log'))).toMatchObject({ uid: 0, size: 0 });
    process.kill(pid, 'SIGTERM');
  }, readsAndWrites(0o644));
  expect(end).toMatchObject({ end: 'killed', signal: 'signal 15' });
});

test('the machine without parts that tries the sandbox ends with its caller', async () => {
  await withDir(
    async ({ path }) => {
      const sleeping = async () => (await processesIn(path)).some((words) => words.startsWith('sleep'));
      chmodSync(path, 0o755);
      writeFileSync(join(path, QEMU), '#!/bin/sh\nexec sleep 60\n', { mode: 0o755 });
      const module = JSON.stringify(new URL('../../harness/qemu/confinement.ts', import.meta.url).href);
      const caller = spawn(
        process.execPath,
        ['--import', import.meta.resolve('tsx'), '-e', `import(${module}).then((it) => it.confinement())`],
        { cwd: path, env: { ...process.env, PATH: `${path}:${process.env.PATH}` }, stdio: 'ignore' },
      );
      await vi.waitUntil(sleeping, 30_000);
      caller.kill('SIGKILL');
      await vi.waitUntil(async () => !(await sleeping()), 5000);
    },
    { unsafeCleanup: true },
  );
});

test('QEMU has /dev/null by its name, and needs nothing handed over for it', () => {
  const words: GuestWords = (rename) => ['-chardev', `file,id=log,path=${rename('firmwareLog', '/dev/null')}`];
  const handed = handOver(words, { sandbox: [], user: 65534 }, { cwd: '/', firstFd: 3 });
  expect(handed).toEqual({ words: ['-chardev', 'file,id=log,path=/dev/null'], descriptors: [], user: 65534 });
});

test.runIf(isRoot)('QEMU is the caller where others may not read its files', async () => {
  await idleQemu((pid) => {
    expect(/^Uid:\t(\d+)/m.exec(statusOf(pid))?.[1]).toBe('0');
    process.kill(pid, 'SIGKILL');
  }, readsAndWrites(0o600));
});

test('a QEMU that somebody ends with SIGTERM has not ended by itself', async () => {
  const end = await idleQemu((pid) => {
    process.kill(pid, 'SIGTERM');
  });
  expect(end).toMatchObject({ end: 'killed', signal: 'signal 15' });
});

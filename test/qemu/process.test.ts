import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { expect, test, vi } from 'vitest';
import { launcher, runGuest, Silence } from '../../harness/qemu/process.ts';
import { sandboxWords } from '../../harness/qemu/version.ts';
import { qemuChildren } from '../children.ts';

function start(program: readonly string[], parent?: number) {
  const [file = '', ...words] = launcher(program, parent);
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

test('it ends with its parent', async () => {
  const [file = '', ...words] = launcher(['sleep', '60'], 0);
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
  await sleep(200);
  expect(isRunning(pid)).toBe(true);
  between.kill('SIGKILL');
  await sleep(200);
  expect(isRunning(pid)).toBe(false);
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
    const silence = new Silence(busy.pid, 4, 1);
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

/** A real QEMU without a machine, which says and does nothing. */
async function idleQemu(whileRunning: (pid: number) => void | Promise<void>) {
  const folder = mkdtempSync(join(tmpdir(), 'bootrace-process-'));
  try {
    const ended = runGuest(['-M', 'none', '-nodefaults', '-display', 'none'], {
      consoleFile: join(folder, 'console.log'),
      logFile: join(folder, 'firmware.log'),
      onConsole: () => false,
      signal: new AbortController().signal,
      cwd: folder,
      shift: 4,
    });
    await vi.waitUntil(() => qemuChildren().length > 0, 10_000);
    await sleep(300);
    for (const { pid } of qemuChildren()) await whileRunning(pid);
    return await ended;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('QEMU runs in its sandbox where it has one', async () => {
  const words = await sandboxWords();
  await idleQemu((pid) => {
    // Seccomp: 2 is filter mode (proc(5)).
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    expect(/^Seccomp:\t(\d)/m.exec(status)?.[1]).toBe(words.length > 0 ? '2' : '0');
    process.kill(pid, 'SIGKILL');
  });
});

test('a QEMU that somebody ends with SIGTERM has not ended by itself', async () => {
  const end = await idleQemu((pid) => {
    process.kill(pid, 'SIGTERM');
  });
  expect(end).toMatchObject({ end: 'killed', signal: 'signal 15' });
});

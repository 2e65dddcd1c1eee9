import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { Duplex } from 'node:stream';
import { InfraError } from '../errors.ts';
import { commandLine } from '../invocation.ts';
import { boundTo } from '../launch.ts';
import { type GuestWords, MONITOR_FD, QEMU } from './command.ts';
import { type Confinement, confinement, handOver } from './confinement.ts';
import { type GuestPlace, placeOfGuest } from './monitor.ts';

/** Why a guest is no longer running. */
export type GuestEnd =
  /** QEMU ended by itself: power off, or a panic with -no-reboot. */
  | { readonly end: 'exited'; readonly code: number; readonly stderr: string }
  /** The harness had seen enough. */
  | { readonly end: 'stopped' }
  /**
   * The guest can never go on: no timer is armed, it has spun without a word for longer than any detector of the kernel
   * waits, or it has been talking for longer than any boot takes.
   */
  | { readonly end: 'stuck'; readonly place: GuestPlace | null }
  /** More was written to the firmware's log than the firmware ever writes: the guest drives its device itself. */
  | { readonly end: 'flooded' }
  /**
   * Nothing came from the console for {@link SILENCE_MS} of wall-clock time, and no CPU time was used: QEMU itself
   * hangs.
   */
  | { readonly end: 'silent'; readonly stderr: string }
  | { readonly end: 'killed'; readonly signal: string; readonly stderr: string };

export const STDERR_MAX = 4096;

/**
 * Milliseconds between two looks at the console. Most guests end by themselves; a terminal event may wait this long.
 */
export const LOOK_MS = 50;
const LOOK_BYTES = 1 << 16;

export interface GuestRun {
  /**
   * Where QEMU's standard output, the guest's console, goes. A UART is written a character at a time: a pipe would wake
   * its reader for each, which costs a fifth of the boot.
   */
  readonly consoleFile: string;
  /** Called with every piece of the console; returns true when the guest may be ended. */
  readonly onConsole: (bytes: Uint8Array) => boolean;
  readonly signal: AbortSignal;
  readonly cwd: string;
  /** The guest's icount shift. */
  readonly shift: number;
  /** Where QEMU writes the firmware's log. */
  readonly logFile: string;
}

/** Longest log of the firmware: some lines for each gate. A guest whose log is longer is ended. */
export const FIRMWARE_LOG_MAX = 1 << 20;

/**
 * What QEMU 7.2 says when all vCPUs wait and no timer will ever wake them (softmmu/icount.c, icount_start_warp_timer).
 */
export const NOTHING_TO_WAIT_FOR = 'icount sleep disabled and no active timers';

/** proc(5): times in /proc/PID/stat are in clock ticks, 100 a second on every architecture that runs Node.js. */
const TICKS_PER_SECOND = 100;

/** Seconds of CPU time that a process has used; 0 when it is gone (proc(5), /proc/PID/stat, fields 14 and 15). */
function cpuSeconds(pid: number | undefined): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(afterName[11]) + Number(afterName[12])) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}

/** Milliseconds of wall-clock time after which a QEMU that says and does nothing is given up. */
const SILENCE_MS = 120_000;
/** Seconds of CPU time that are nothing in {@link SILENCE_MS}: on a busy machine a guest that spins uses more. */
const IDLE_SECONDS = 1;
/**
 * A guest in virtual time skips idle time, so that even a hang of minutes is over in seconds; a busy loop with
 * interrupts runs until the soft-lockup detector reports it after 20 s (2 x watchdog_thresh, kernel/watchdog.c), which
 * are 1.3e9 instructions at shift 4. QEMU executes them in 10 s of CPU time, on a slow machine in 30; smaller shifts
 * take more of them, larger ones no fewer (run/bootargs.ts).
 */
const SPINNING_SECONDS = 30;
const SPINNING_SHIFT = 4;
/**
 * CPU time after which a guest that still talks is given up, at shift 4 and above. The longest boot that was measured,
 * Debian's 6.12 with everything probed late, takes 60 s.
 */
const TALKING_SECONDS = 300;
/** Nothing is asked of the system before a console has been silent for so long. */
const PATIENCE_MS = 1000;

/**
 * Tells when a guest will not say another word. CPU time counts, so that a busy machine does not make a guest look
 * stuck.
 */
export class Silence {
  readonly #pid: number | undefined;
  readonly #spinningSeconds: number;
  readonly #talkingSeconds: number;
  readonly #silenceMs: number;
  readonly #usedAtStart: number;
  #heard = performance.now();
  #asked = performance.now();
  #usedBefore: number | null = null;
  /** When QEMU was last seen to have done anything, and the CPU time that it had used by then. */
  #busy = performance.now();
  #usedAtBusy: number | null = null;

  /**
   * @param shift the guest's icount shift
   * @param limits seconds of CPU time at shift 4 that a guest gets in all, and that it may spin without a word;
   *   milliseconds that it may do nothing
   */
  constructor(
    pid: number | undefined,
    shift: number,
    {
      talking = TALKING_SECONDS,
      spinning = SPINNING_SECONDS,
      silenceMs = SILENCE_MS,
    }: { talking?: number; spinning?: number; silenceMs?: number } = {},
  ) {
    const slower = 2 ** Math.max(0, SPINNING_SHIFT - shift);
    this.#pid = pid;
    this.#spinningSeconds = Math.min(SILENCE_MS / 1000, spinning * slower);
    this.#talkingSeconds = talking * slower;
    this.#silenceMs = silenceMs;
    this.#usedAtStart = cpuSeconds(pid);
  }

  /** Something came from the console. */
  heard(): void {
    this.#heard = performance.now();
    this.#usedBefore = null;
    this.#busy = this.#heard;
    this.#usedAtBusy = null;
  }

  /**
   * `stuck` when the guest has spun for too long, `silent` when QEMU itself hangs, null while neither is sure. To be
   * asked often.
   */
  verdict(): 'stuck' | 'silent' | null {
    const now = performance.now();
    const silentMs = now - this.#heard;
    if (silentMs < PATIENCE_MS && now - this.#asked < PATIENCE_MS && this.#usedBefore !== null) return null;
    const used = cpuSeconds(this.#pid);
    this.#asked = now;
    this.#usedBefore ??= used;
    if (used - this.#usedAtStart > this.#talkingSeconds) return 'stuck';
    if (used - this.#usedBefore > this.#spinningSeconds) return 'stuck';
    this.#usedAtBusy ??= used;
    if (used - this.#usedAtBusy >= IDLE_SECONDS) {
      this.#usedAtBusy = used;
      this.#busy = now;
    }
    return now - this.#busy > this.#silenceMs ? 'silent' : null;
  }
}

/**
 * No file that QEMU writes for a guest grows beyond this: a console is cut at 64 MiB (run/boot.ts), the rest is far
 * smaller.
 */
const FILE_MAX = 96 * 1024 * 1024;
/** Unit of `ulimit -f` (POSIX, ulimit). */
const ULIMIT_BLOCK = 512;

/**
 * The words that start a program so that it never outlives process `parent`, however that ends, and fills no disk.
 */
export function launcher(
  program: readonly string[],
  { parent = process.pid, user = null }: { readonly parent?: number; readonly user?: number | null } = {},
): string[] {
  const script = `ulimit -f ${FILE_MAX / ULIMIT_BLOCK}; ulimit -c 0; exec "$@"`;
  return boundTo(parent, { signal: 'KILL', script, user }, program);
}

interface QemuStart {
  readonly cwd: string;
  /** Its standard streams, and what it gets beside them ({@link SNAPSHOT_FD}). */
  readonly streams: readonly ('ignore' | 'inherit' | 'pipe' | number)[];
}

/** Starts QEMU, confined. */
export function startQemu(words: GuestWords, confined: Confinement, { cwd, streams }: QemuStart): ChildProcess {
  const handed = handOver(words, confined, { cwd, firstFd: streams.length });
  const [program = '', ...rest] = launcher([QEMU, ...handed.words], { user: handed.user });
  try {
    return spawn(program, rest, { stdio: [...streams, ...handed.descriptors], cwd });
  } finally {
    for (const descriptor of handed.descriptors) closeSync(descriptor);
  }
}

/** How a QEMU that was started has ended. Rejects with {@link InfraError} when it could not be started. */
export function qemuEnded(
  child: ChildProcess,
): Promise<{ readonly code: number | null; readonly signal: string | null }> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(notStarted(error.message, error)));
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * Runs QEMU until it ends or `onConsole` has seen enough.
 * Throws {@link InfraError} when QEMU cannot be started, and the signal's reason when it was aborted.
 */
export async function runGuest(words: GuestWords, run: GuestRun): Promise<GuestEnd> {
  const confined = await confinement();
  run.signal.throwIfAborted();
  const output = openSync(run.consoleFile, 'w');
  const file = openSync(run.consoleFile, 'r');
  const child = startQemu(words, confined, { cwd: run.cwd, streams: ['ignore', output, 'pipe', 'pipe'] });
  const monitor = child.stdio[MONITOR_FD];
  let ended: 'stopped' | 'stuck' | 'silent' | 'flooded' | null = null;
  let place: GuestPlace | null = null;
  const stop = (why: NonNullable<typeof ended>) => {
    ended ??= why;
    child.kill('SIGKILL');
  };
  /** Asks first where it spins. */
  const stopSpinning = async () => {
    if (ended !== null) return;
    ended = 'stuck';
    if (monitor instanceof Duplex) place = await placeOfGuest(monitor);
    child.kill('SIGKILL');
  };
  const abort = () => child.kill('SIGKILL');
  run.signal.addEventListener('abort', abort, { once: true });
  const silence = new Silence(child.pid, run.shift);
  let stderr = '';
  child.stderr?.on('data', (bytes: Buffer) => {
    stderr = (stderr + bytes.toString('utf8')).slice(-STDERR_MAX);
    if (stderr.includes(NOTHING_TO_WAIT_FOR)) stop('stuck');
  });
  const chunk = Buffer.alloc(LOOK_BYTES);
  let seen = 0;
  let isEnough = false;
  const look = () => {
    for (;;) {
      const count = isEnough ? 0 : readSync(file, chunk, 0, chunk.length, seen);
      if (count === 0) return;
      seen += count;
      silence.heard();
      isEnough = run.onConsole(Buffer.from(chunk.subarray(0, count)));
      if (isEnough) stop('stopped');
    }
  };
  const looking = setInterval(() => {
    look();
    if (sizeOf(run.logFile) > FIRMWARE_LOG_MAX) stop('flooded');
    const why = ended === null ? silence.verdict() : null;
    if (why === 'stuck') void stopSpinning();
    else if (why !== null) stop(why);
  }, LOOK_MS);
  try {
    const { code, signal } = await qemuEnded(child);
    // Whatever the end was: what was said last came after the last look.
    look();
    run.signal.throwIfAborted();
    if (ended === 'flooded' || sizeOf(run.logFile) > FIRMWARE_LOG_MAX) return { end: 'flooded' };
    if (ended === 'stopped') return { end: 'stopped' };
    // A machine that is switching itself off has no timers either.
    if (ended === 'stuck' && code !== 0) return { end: 'stuck', place };
    if (ended === 'silent') return { end: 'silent', stderr };
    // QEMU handles SIGTERM, SIGINT and SIGHUP itself, and then ends with 0.
    const [, handled] = /terminating on signal (\d+)/.exec(stderr) ?? [];
    if (handled !== undefined) return { end: 'killed', signal: `signal ${handled}`, stderr };
    return code === null ? { end: 'killed', signal: signal ?? 'unknown', stderr } : { end: 'exited', code, stderr };
  } finally {
    clearInterval(looking);
    run.signal.removeEventListener('abort', abort);
    closeSync(file);
    closeSync(output);
  }
}

/**
 * Runs QEMU with the guest's console on this terminal until it ends; Ctrl-C goes to the guest. Returns QEMU's exit
 * code. Throws {@link InfraError} when QEMU cannot be started.
 */
export async function attachTerminal(words: GuestWords, cwd: string): Promise<number> {
  const child = startQemu(words, await confinement(), { cwd, streams: ['inherit', 'inherit', 'inherit'] });
  const { code, signal } = await qemuEnded(child);
  if (code === null) throw notStarted(`it was ended by ${signal}`, undefined);
  return code;
}

function notStarted(why: string, cause: unknown): InfraError {
  return new InfraError(
    `${QEMU} could not be started: ${why}`,
    `run \`${commandLine(['doctor'])}\` to see what is missing`,
    {
      cause,
    },
  );
}

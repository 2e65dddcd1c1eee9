import type { ChildProcess } from 'node:child_process';
import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs';
import { Duplex } from 'node:stream';
import { type GuestWords, SNAPSHOT_FD } from './command.ts';
import { type Confinement, confinement } from './confinement.ts';
import {
  FIRMWARE_LOG_MAX,
  type GuestEnd,
  LOOK_MS,
  NOTHING_TO_WAIT_FOR,
  qemuEnded,
  Silence,
  STDERR_MAX,
  startQemu,
} from './process.ts';

/** What a guest has said, from its reset on, and how it ended. */
export interface SnapshotBoot {
  readonly console: Buffer;
  /** Bytes of the console up to where the snapshot was taken: what all of its cells have said. */
  readonly snapshotAt: number;
  readonly firmwareLog: string;
  readonly end: GuestEnd;
}

interface SnapshotOptions {
  /** Makes QEMU's words, with `takesSnapshot`. */
  readonly words: GuestWords;
  /** Where QEMU's standard output, the console of all its cells, goes. */
  readonly consoleFile: string;
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** The guest's icount shift. */
  readonly shift: number;
}

/** What the firmware says when the guest is ready for a cell (firmware/next-cell.c). */
const READY = 'ready';

/**
 * Looks that a guest which has shown a terminal event gets to end by itself: after an oops it prints a panic and
 * restarts.
 */
const LOOKS_TO_END = 6;
/** A guest that waits for a cell spins; after this long without one it is stopped until the next. */
const IDLE_MS = 20;
const CHUNK_BYTES = 1 << 16;
/** A guest may write faster than it is read: nothing is read for longer than this before it is looked at. */
const LOOK_BYTES_MAX = 1 << 23;

/**
 * A guest of which a snapshot was taken where its cells begin to differ, and from which they are booted one after the
 * other: when one is over, the firmware restores memory, registers and clock (firmware/snapshot.c).
 */
export class SnapshotGuest {
  readonly #child: ChildProcess;
  readonly #socket: Duplex;
  readonly #console: number;
  readonly #options: SnapshotOptions;
  readonly #gone: Promise<void>;
  readonly #abort = () => this.#kill();
  readonly #prefix: { console: Buffer; firmwareLog: string } = { console: Buffer.alloc(0), firmwareLog: '' };
  #isGone = false;
  #unread = '';
  #log = '';
  #stderr = '';
  #read = 0;
  #idle: NodeJS.Timeout | null = null;
  #isStopped = false;
  #onReady: (() => void) | null = null;
  /** Any word that says which modules the guest has; the caller's own. */
  modules: string | null = null;

  private constructor(options: SnapshotOptions, confined: Confinement) {
    this.#options = options;
    // QEMU appends, so that the file can be emptied after every cell.
    const output = openSync(options.consoleFile, 'a');
    this.#console = openSync(options.consoleFile, 'r+');
    this.#child = startQemu(options.words, confined, { cwd: options.cwd, streams: ['ignore', output, 'pipe', 'pipe'] });
    closeSync(output);
    const socket = this.#child.stdio[SNAPSHOT_FD];
    if (!(socket instanceof Duplex)) throw new TypeError('QEMU was started without a socket for its cells');
    this.#socket = socket;
    // A QEMU that ends while it is written to says so by its exit.
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => this.#hear(bytes.toString('latin1')));
    this.#child.stderr?.on('data', (bytes: Buffer) => {
      this.#stderr = (this.#stderr + bytes.toString('utf8')).slice(-STDERR_MAX);
      if (this.#stderr.includes(NOTHING_TO_WAIT_FOR)) this.#kill();
    });
    this.#gone = qemuEnded(this.#child).then(
      () => this.#leave(),
      () => this.#leave(),
    );
    options.signal.addEventListener('abort', this.#abort, { once: true });
  }

  /** Boots a guest until it is ready for its first cell; null where it ends before, or does not get there in time. */
  static async start(options: SnapshotOptions): Promise<SnapshotGuest | null> {
    const confined = await confinement();
    options.signal.throwIfAborted();
    const guest = new SnapshotGuest(options, confined);
    const ready = guest.#ready();
    const silence = guest.#silence();
    let said = 0;
    const looking = setInterval(() => {
      const { size } = fstatSync(guest.#console);
      if (size > said) silence.heard();
      said = size;
      if (silence.verdict() !== null) guest.#kill();
    }, LOOK_MS);
    await Promise.race([ready, guest.#gone]);
    clearInterval(looking);
    options.signal.throwIfAborted();
    if (guest.#isGone) return null;
    guest.#prefix.console = guest.#consoleSoFar();
    guest.#prefix.firmwareLog = guest.#takeLog();
    guest.#rest();
    return guest;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /**
   * Boots a cell from the snapshot until it is over. `onConsole` gets the console, from the reset on, and returns
   * true for a terminal event. Null where QEMU ended by itself, which no cell makes it do. Throws the signal's reason
   * when it was aborted.
   */
  async boot(cell: Uint8Array, onConsole: (bytes: Uint8Array) => boolean): Promise<SnapshotBoot | null> {
    const { signal } = this.#options;
    let hung: 'stopped' | 'stuck' | 'silent' | null = null;
    let looksLeft = LOOKS_TO_END;
    const silence = this.#silence();
    const pieces: Buffer[] = [this.#prefix.console];
    onConsole(this.#prefix.console);
    const look = () => {
      const bytes = this.#consoleSoFar();
      if (bytes.length > 0) silence.heard();
      pieces.push(bytes);
      return onConsole(bytes);
    };
    const stop = (why: NonNullable<typeof hung>) => {
      hung ??= why;
      this.#kill();
    };
    const looking = setInterval(() => {
      const isTerminal = look();
      if (isTerminal && looksLeft-- === 0) stop('stopped');
      const why = silence.verdict();
      if (why !== null) stop(why);
    }, LOOK_MS);
    try {
      this.#wake();
      const ready = this.#ready();
      this.#socket.write(cell);
      await Promise.race([ready, this.#gone]);
      signal.throwIfAborted();
      look();
      const ended = {
        console: Buffer.concat(pieces),
        snapshotAt: this.#prefix.console.length,
        firmwareLog: this.#prefix.firmwareLog + this.#takeLog(),
      };
      // It was killed and said that it was ready in the same moment.
      if (hung !== null) await this.#gone;
      if (!this.#isGone) {
        this.#rest();
        // Power off or restart: QEMU would have ended.
        return { ...ended, end: { end: 'exited', code: 0, stderr: '' } };
      }
      if (this.#stderr.includes(NOTHING_TO_WAIT_FOR)) return { ...ended, end: { end: 'stuck', place: null } };
      return hung === null ? null : { ...ended, end: givenUp(hung) };
    } finally {
      clearInterval(looking);
    }
  }

  /** Ends QEMU. */
  async close(): Promise<void> {
    this.#kill();
    await this.#gone;
  }

  #silence(): Silence {
    return new Silence(this.#child.pid, this.#options.shift);
  }

  #ready(): Promise<void> {
    return new Promise((resolve) => {
      this.#onReady = resolve;
    });
  }

  #hear(text: string): void {
    const lines = (this.#unread + text).split('\n');
    this.#unread = lines.pop() ?? '';
    for (const line of lines) {
      if (line === READY) this.#onReady?.();
      else this.#log += `${line}\n`;
    }
    if (this.#log.length + this.#unread.length > FIRMWARE_LOG_MAX) this.#kill();
  }

  #takeLog(): string {
    const log = this.#log;
    this.#log = '';
    return log;
  }

  /** What came from the console since the last look. */
  #consoleSoFar(): Buffer {
    const pieces: Buffer[] = [];
    for (let bytes = 0; bytes < LOOK_BYTES_MAX; bytes += pieces.at(-1)?.length ?? 0) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const count = this.#isClosed ? 0 : readSync(this.#console, chunk, 0, chunk.length, this.#read);
      if (count === 0) break;
      this.#read += count;
      pieces.push(chunk.subarray(0, count));
    }
    return Buffer.concat(pieces);
  }

  #isClosed = false;

  #rest(): void {
    ftruncateSync(this.#console);
    this.#read = 0;
    this.#idle = setTimeout(() => {
      this.#child.kill('SIGSTOP');
      this.#isStopped = true;
    }, IDLE_MS);
  }

  #wake(): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
    if (this.#isStopped) this.#child.kill('SIGCONT');
    this.#isStopped = false;
  }

  #kill(): void {
    this.#child.kill('SIGKILL');
  }

  #leave(): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#isGone = true;
    this.#options.signal.removeEventListener('abort', this.#abort);
    // What was said last can still be read in this turn.
    setImmediate(() => {
      if (!this.#isClosed) closeSync(this.#console);
      this.#isClosed = true;
    });
  }
}

/** How a guest ended that was given up. Where it spins cannot be asked: QEMU's monitor is not at hand here. */
function givenUp(why: 'stopped' | 'stuck' | 'silent'): GuestEnd {
  switch (why) {
    case 'stopped':
      return { end: why };
    case 'stuck':
      return { end: why, place: null };
    case 'silent':
      return { end: why, stderr: '' };
  }
}

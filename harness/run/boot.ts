import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Crash, DmesgEvent } from '../dmesg/events.ts';
import { DmesgParser } from '../dmesg/parser.ts';
import { type LogSummary, Summary } from '../dmesg/summary.ts';
import { InfraError } from '../errors.ts';
import type { Cell } from '../model/cell.ts';
import { type CrashKind, isTerminal } from '../model/crash.ts';
import { type GuestWords, qemuArguments, renameFiles } from '../qemu/command.ts';
import { FIRMWARE_LOG_MAX, type GuestEnd, runGuest } from '../qemu/process.ts';
import type { PreparedCell } from './prepare.ts';
import type { Snapshots } from './snapshots.ts';

/** What came out of a guest, before anything was made of it. */
export interface RawBoot {
  /** All that came from the console until QEMU was gone. */
  readonly console: Buffer;
  readonly firmwareLog: string;
  readonly end: GuestEnd;
}

/** What one boot left: raw material of the verdict. */
export interface BootResult {
  /** The console up to the end of the terminal event's last line: what came later depends on when QEMU was killed. */
  readonly console: Buffer;
  readonly events: readonly DmesgEvent[];
  readonly summary: LogSummary;
  readonly end: GuestEnd;
  readonly firmwareLog: string;
  readonly wallMs: number;
  /** Bytes of the console up to the snapshot that the boot began at; null where it began at reset. */
  readonly snapshotAt: number | null;
  readonly raw: RawBoot;
}

/** Longest console that is kept; a guest that prints more is ended, and its log is cut. */
const CONSOLE_MAX = 64 * 1024 * 1024;

type Ends = Pick<PreparedCell, 'survivesOops' | 'machine'>;

/** Last line of the event that ends a boot, or null when the boot goes on. */
function terminalLine(event: DmesgEvent, { survivesOops, machine }: Ends): number | null {
  if (event.event === 'crash')
    return isTerminal(event.kind) && !(survivesOops && isSurvived(event)) ? event.lastLine : null;
  // On a real board, the firmware has something to say when the guest powers off.
  return event.event === 'shutdown' && machine.board === null ? event.line : null;
}

/** What takes a task with it, and not the CPU. */
function isSurvived({ kind, followUps }: Crash): boolean {
  return !LOCKUPS.includes(kind) && !followUps.some((other) => other.kind === 'panic');
}

const LOCKUPS: readonly CrashKind[] = ['panic', 'rcu-stall', 'soft-lockup', 'hard-lockup', 'stack-overflow'];

interface BootOptions {
  readonly signal: AbortSignal;
  readonly onConsole?: ((bytes: Uint8Array) => void) | undefined;
}

/**
 * Boots a prepared cell to its terminal event and writes `console.log`.
 * Throws {@link InfraError} when QEMU cannot be started, and the reason of `signal` when it was aborted.
 */
export async function boot(prepared: PreparedCell, { signal, onConsole = () => {} }: BootOptions): Promise<BootResult> {
  const heard = new HeardConsole(prepared);
  const chunks: Buffer[] = [];
  const started = performance.now();
  const words: GuestWords = (rename) =>
    qemuArguments(renameFiles(prepared.files, rename), prepared.machine, { hasMonitor: true });
  const end = await runGuest(words, {
    signal,
    cwd: prepared.folder,
    shift: prepared.machine.shift,
    consoleFile: join(prepared.folder, CONSOLE_LOG),
    logFile: prepared.files.firmwareLog,
    onConsole: (bytes) => {
      chunks.push(Buffer.from(bytes));
      onConsole(bytes);
      return heard.push(bytes);
    },
  });
  const wallMs = performance.now() - started;
  const whole = Buffer.concat(chunks).subarray(0, CONSOLE_MAX);
  const said = heard.end(whole);
  // QEMU may have gone on writing while it was being ended.
  truncateSync(join(prepared.folder, CONSOLE_LOG), said.console.length);
  // What a guest has flooded it with is not kept.
  if (end.end === 'flooded') truncateSync(prepared.files.firmwareLog, FIRMWARE_LOG_MAX);
  const firmwareLog = readFirmwareLog(prepared.files.firmwareLog);
  return {
    ...said,
    end,
    firmwareLog,
    wallMs,
    snapshotAt: null,
    raw: { console: whole, firmwareLog, end },
  };
}

/**
 * The same from a snapshot; null where there is none for the cell, and it is to be booted from reset. Throws what
 * {@link boot} throws.
 */
export async function bootFromSnapshot(
  prepared: PreparedCell,
  snapshots: Snapshots,
  cell: Cell,
  addresses: Parameters<Snapshots['boot']>[2],
): Promise<BootResult | null> {
  const heard = new HeardConsole(prepared);
  const started = performance.now();
  const booted = await snapshots.boot(cell, prepared, addresses, (bytes) => heard.push(bytes));
  if (booted === null) return null;
  const result = keepBoot(prepared, { ...booted, console: booted.console.subarray(0, CONSOLE_MAX) }, heard);
  return result === null ? null : { ...result, wallMs: performance.now() - started, snapshotAt: booted.snapshotAt };
}

/**
 * What a boot that was kept says to today's parser, with the files that {@link boot} would leave. Null where today's
 * parser would not have ended the guest there: only another boot can say what comes next.
 */
export function replayBoot(prepared: PreparedCell, raw: RawBoot): BootResult | null {
  const started = performance.now();
  const heard = new HeardConsole(prepared);
  heard.push(raw.console);
  const result = keepBoot(prepared, raw, heard);
  return result === null ? null : { ...result, wallMs: performance.now() - started };
}

/** Leaves the files of a boot whose whole console was heard; null where nothing in it ends a guest that was stopped. */
function keepBoot(prepared: PreparedCell, raw: RawBoot, heard: HeardConsole): Omit<BootResult, 'wallMs'> | null {
  const { firmwareLog, end } = raw;
  if (!heard.isOver && end.end === 'stopped') return null;
  const said = heard.end(raw.console);
  writeFileSync(join(prepared.folder, CONSOLE_LOG), said.console);
  writeFileSync(prepared.files.firmwareLog, firmwareLog);
  return { ...said, end, firmwareLog, snapshotAt: null, raw };
}

function readFirmwareLog(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** A cell's console, in its folder. */
export const CONSOLE_LOG = 'console.log';

/** A console as it comes, read up to the event that ends the boot. */
class HeardConsole {
  readonly #ends: Ends;
  readonly #parser = new DmesgParser();
  readonly #events: DmesgEvent[] = [];
  #lastLine: number | null = null;
  /** Bytes so far. */
  size = 0;

  constructor(ends: Ends) {
    this.#ends = ends;
  }

  /** Whether the boot has come to its terminal event. */
  get isOver(): boolean {
    return this.#lastLine !== null;
  }

  /** Returns true when the guest may be ended. */
  push(bytes: Uint8Array): boolean {
    this.size += bytes.length;
    for (const event of this.#parser.push(bytes)) {
      this.#events.push(event);
      this.#lastLine ??= terminalLine(event, this.#ends);
    }
    return this.isOver || this.size > CONSOLE_MAX;
  }

  /**
   * The console up to its terminal event, and what it says. `whole`: all that was pushed, cut where it is too long.
   * What was cut off may have belonged to an event: then what is kept is read again, so that both always agree.
   */
  end(whole: Buffer): Pick<BootResult, 'console' | 'events' | 'summary'> {
    const console = this.#lastLine === null ? whole : whole.subarray(0, endOfLine(whole, this.#lastLine));
    if (console.length < this.size) return { console, ...readConsole(console) };
    return { console, ...summarise(this.#parser, [...this.#events, ...this.#parser.end()]) };
  }
}

/** What a kept console says. */
export function readConsole(console: Uint8Array): Pick<BootResult, 'events' | 'summary'> {
  const parser = new DmesgParser();
  return summarise(parser, [...parser.push(console), ...parser.end()]);
}

function summarise(parser: DmesgParser, events: readonly DmesgEvent[]): Pick<BootResult, 'events' | 'summary'> {
  const summary = new Summary();
  for (const event of events) summary.add(event);
  return { events, summary: summary.finish(parser) };
}

/** Offset behind the line feed of line `line` (from 1), or the text's end. */
function endOfLine(text: Buffer, line: number): number {
  let at = 0;
  for (let n = 0; n < line; n++) {
    const feed = text.indexOf(0x0a, at);
    if (feed === -1) return text.length;
    at = feed + 1;
  }
  return at;
}

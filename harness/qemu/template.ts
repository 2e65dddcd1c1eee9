import { closeSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { withDir } from 'tmp-promise';
import { z } from 'zod';
import { InfraError } from '../errors.ts';
import { LEAVE_RAM, Monitor, monitorOf, NEGOTIATE } from './monitor.ts';
import { qemuEnded, startQemu } from './process.ts';

/**
 * A guest that was saved at the first moment at which its cells differ. Its RAM is a file without a name on a tmpfs, which every fork maps copy-on-write;
 * nothing of it outlives this process.
 */
export interface Template {
  /** Descriptor of the RAM. */
  readonly ram: number;
  /** Path of the machine's other state; each fork opens it anew. */
  readonly state: string;
  /** What came from the console until then, and the firmware's log. */
  readonly console: Uint8Array;
  readonly firmwareLog: string;
  readonly close: () => void;
}

/** What the firmware says when it parks the guest (soc/firmware/gates.c). */
const PARKED = 'parked\n';

/** Milliseconds between two looks whether the guest is parked. */
const LOOK_MS = 4;
/** The same whether it is saved, which takes about 15. */
const SAVED_LOOK_MS = 1;
/** Wall-clock time after which a guest that was to park is given up; its cells are then booted one by one, and show why. */
const PARK_MS = 120_000;
/** The default of 128 MiB a second would do for the 350 KB that are sent; a limit must not decide how long it takes. */
const UNLIMITED_BYTES_PER_SECOND = 2 ** 40;

/** A file of no length and without a name. Throws what opening it throws. */
function namelessFile(path: string): number {
  const descriptor = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return descriptor;
}

export interface TemplateRequest {
  /** Path on a tmpfs at which nothing is; what is made there has no name any more when this returns. */
  readonly name: string;
  /** QEMU's words, made with `start: 'template'`; the firmware's log goes to `firmwareLog`. */
  readonly arguments: readonly string[];
  readonly firmwareLog: string;
  readonly consoleFile: string;
  readonly cwd: string;
  readonly signal: AbortSignal;
}

/**
 * Boots a guest until its firmware parks it, and saves it. Null when the guest ends before, or never gets there.
 * Throws {@link InfraError} when QEMU cannot be started or saved, and the signal's reason when it was aborted.
 */
export async function saveTemplate(request: TemplateRequest): Promise<Template | null> {
  const { name, signal } = request;
  signal.throwIfAborted();
  const ram = namelessFile(`${name}-ram`);
  const output = openSync(request.consoleFile, 'w');
  const child = startQemu(request.arguments, { cwd: request.cwd, output, inherited: ['pipe', ram] });
  const ended = qemuEnded(child);
  const kill = () => child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  let saved: Template | null = null;
  try {
    const firmwareLog = await waitUntilParked(request.firmwareLog, ended);
    if (firmwareLog === null) return null;
    const bytes = await save(monitorOf(child));
    const state = namelessFile(`${name}-state`);
    writeSync(state, bytes);
    const descriptors = [ram, state];
    saved = {
      ram,
      state: `/proc/self/fd/${state}`,
      console: readFileSync(request.consoleFile),
      firmwareLog,
      close: () => {
        for (const descriptor of descriptors.splice(0)) closeSync(descriptor);
      },
    };
    return saved;
  } finally {
    kill();
    await ended.catch(() => {});
    signal.removeEventListener('abort', kill);
    closeSync(output);
    if (saved === null) closeSync(ram);
    signal.throwIfAborted();
  }
}

/** What the firmware had said when it parked the guest, or null when QEMU ended first or time is up. */
async function waitUntilParked(log: string, ended: Promise<unknown>): Promise<string | null> {
  let isOver = false;
  const over = ended.then(() => {
    isOver = true;
  });
  const limit = performance.now() + PARK_MS;
  while (!isOver && performance.now() < limit) {
    await Promise.race([over, setTimeout(LOOK_MS)]);
    const said = readIfThere(log);
    if (said.endsWith(PARKED)) return isOver ? null : said.slice(0, -PARKED.length);
  }
  return null;
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

const statusSchema = z.object({ status: z.string().optional(), 'error-desc': z.string().optional() });

/** Has QEMU send the machine's state over a socket of the file system, as its monitor knows no other way that needs no shell. */
async function save(socket: Duplex): Promise<Buffer> {
  const monitor = new Monitor(socket);
  await monitor.ask(NEGOTIATE);
  await monitor.ask(LEAVE_RAM);
  await monitor.ask({ execute: 'migrate-set-parameters', arguments: { 'max-bandwidth': UNLIMITED_BYTES_PER_SECOND } });
  return withDir(
    async ({ path }) => {
      const address = join(path, 'state');
      const { received, close } = await receive(address);
      try {
        await monitor.ask({ execute: 'migrate', arguments: { uri: `unix:${address}` } });
        await migrated(monitor);
        return await received;
      } finally {
        close();
      }
    },
    { unsafeCleanup: true },
  );
}

async function migrated(monitor: Monitor): Promise<void> {
  for (;;) {
    const status = statusSchema.parse(await monitor.ask({ execute: 'query-migrate' }));
    if (status.status === 'completed') return;
    if (status.status === 'failed' || status.status === 'cancelled')
      throw new InfraError(`QEMU could not save the guest: ${status['error-desc'] ?? status.status}`);
    await setTimeout(SAVED_LOOK_MS);
  }
}

/** Everything that the first one to connect sends. */
async function receive(address: string): Promise<{ readonly received: Promise<Buffer>; readonly close: () => void }> {
  const server = createServer();
  const received = new Promise<Buffer>((resolve, reject) => {
    server.once('connection', (connection) => {
      const chunks: Buffer[] = [];
      connection.on('data', (bytes) => chunks.push(bytes));
      connection.once('end', () => resolve(Buffer.concat(chunks)));
      connection.once('error', reject);
    });
  });
  // Nobody waits for it where QEMU never connects.
  received.catch(() => {});
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, resolve);
  });
  return { received, close: () => server.close() };
}

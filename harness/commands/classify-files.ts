import { createReadStream } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { execa } from 'execa';
import { InputError } from '../errors.ts';
import { oneOf } from '../regex.ts';

/** The logs that are meant by names of files and folders, and their bytes, whatever they are packed with. */

export const STANDARD_INPUT = '-';
const HINT = 'name a file with a kernel log';
/**
 * What a folder holds besides logs is not read: this suffix, or a name that kernels, boot loaders and test labs use.
 */
const IS_LOG = new RegExp(
  oneOf(
    /\.(?:log|txt|dmesg|kmsg|out|journal\.txt)(?:\.\d+)?(?:\.(?:gz|xz|zst))?$/,
    /^(?:dmesg|console|kmsg|last_kmsg|kern|messages|syslog|journal|serial|devices_deferred)[\w.-]*$/,
  ),
);
const MAX_FILES = 100_000;
/** Bytes that a packed log may unpack to: a whole day of a talkative console, and no bomb. */
const MAX_UNPACKED = 4 * 2 ** 30;
const CHUNK = 1 << 18;

interface Packing {
  readonly name: string;
  readonly magic: readonly number[];
  /** What unpacks it from standard input to standard output; null for what Node.js does itself. */
  readonly command: readonly [string, ...string[]] | null;
}

const PACKINGS: readonly Packing[] = [
  { name: 'gzip', magic: [0x1f, 0x8b], command: null },
  { name: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], command: ['xz', '--decompress', '--stdout'] },
  { name: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd], command: ['zstd', '--decompress', '--stdout', '--quiet'] },
];

/**
 * The files that are meant: a folder stands for the logs below it, in the order of their names. Links are not followed.
 *
 * @throws InputError for a name that cannot be read, and a folder without logs
 */
export async function logFiles(names: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const name of names) {
    if (name === STANDARD_INPUT) files.push(name);
    else if (await isFolder(name)) files.push(...(await logsBelow(name)));
    else files.push(name);
  }
  return files;
}

async function isFolder(name: string): Promise<boolean> {
  try {
    return (await lstat(name)).isDirectory();
  } catch (error) {
    throw unreadable(name, error);
  }
}

async function logsBelow(folder: string): Promise<string[]> {
  const found: string[] = [];
  const folders = [folder];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    for await (const entry of await opendir(next)) {
      const path = join(next, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile() && IS_LOG.test(entry.name)) found.push(path);
      if (found.length > MAX_FILES) throw new InputError(`${folder} holds more than ${MAX_FILES} logs`, 'name fewer');
    }
  }
  if (found.length === 0) throw new InputError(`${folder} holds no logs`, 'name the files themselves');
  return found.sort();
}

/**
 * Gives the bytes of a log to `sink`, unpacked: what the first bytes say counts, not the name.
 *
 * @throws InputError when the file cannot be read or unpacked
 */
export async function readLog(file: string, sink: (chunk: Buffer) => void): Promise<void> {
  const input = file === STANDARD_INPUT ? process.stdin : createReadStream(file, { highWaterMark: CHUNK });
  const chunks = peeked(input);
  try {
    const { value: first } = await chunks.next();
    const packing = PACKINGS.find(({ magic }) => first !== undefined && magic.every((byte, at) => first[at] === byte));
    const all = rest(first, chunks);
    if (packing === undefined) for await (const chunk of all) sink(chunk);
    else await unpack(file, packing, all, sink);
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** Chunks of which the first is long enough to tell a packing by. */
async function* peeked(input: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
  let head: Buffer | null = Buffer.alloc(0);
  for await (const part of input) {
    const chunk = Buffer.isBuffer(part) ? part : Buffer.from(String(part));
    if (head === null) yield chunk;
    else {
      head = Buffer.concat([head, chunk]);
      if (head.length < 6) continue;
      yield head;
      head = null;
    }
  }
  if (head !== null && head.length > 0) yield head;
}

async function* rest(first: Buffer | undefined, chunks: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  if (first !== undefined) yield first;
  yield* chunks;
}

async function unpack(
  file: string,
  { name, command }: Packing,
  packed: AsyncGenerator<Buffer>,
  sink: (chunk: Buffer) => void,
): Promise<void> {
  let size = 0;
  const take = async (unpacked: AsyncIterable<unknown>): Promise<void> => {
    for await (const part of unpacked) {
      const chunk = Buffer.isBuffer(part) ? part : Buffer.from(String(part));
      size += chunk.length;
      if (size > MAX_UNPACKED) throw new InputError(`${file} unpacks to more than 4 GiB`, 'unpack it and name a part');
      sink(chunk);
    }
  };
  if (command === null) {
    try {
      await pipeline(packed, createGunzip(), take);
    } catch (error) {
      throw notWhole(file, name, error);
    }
    return;
  }
  const [program, ...words] = command;
  const child = execa(program, words, {
    encoding: 'buffer',
    buffer: false,
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'ignore',
  });
  const finished = child.then(
    () => null,
    (error: unknown) => error,
  );
  const [, , failure] = await Promise.all([
    // A program that has found an error reads no further: what counts is what it says at its end.
    pipeline(packed, child.stdin).catch(() => undefined),
    take(child.stdout).catch((error: unknown) => {
      child.kill();
      throw error;
    }),
    finished,
  ]);
  if (failure !== null) throw notWhole(file, name, failure);
}

function notWhole(file: string, packing: string, error: unknown): unknown {
  if (error instanceof InputError) return error;
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
    return new InputError(`${file} is packed with ${packing}, which is not installed`, `install ${packing}`, {
      cause: error,
    });
  return new InputError(`${file} is not a whole ${packing} file`, 'copy it again', { cause: error });
}

function unreadable(file: string, error: unknown): unknown {
  if (error instanceof InputError || !(error instanceof Error) || !('code' in error)) return error;
  return new InputError(`${file} cannot be read (${String(error.code)})`, HINT, { cause: error });
}

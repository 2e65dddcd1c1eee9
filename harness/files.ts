import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InputError } from './errors.ts';
import { isAbandoned, ownerToken } from './owner.ts';

/**
 * Files that somebody names: one of any size would fill the memory, and a device such as /dev/zero never ends. Both
 * functions throw {@link InputError} for more than `bytesMax` bytes, and what the file system says where a file cannot
 * be read.
 */

/**
 * All of a file that has to be a regular one: a kernel, a map, a record. Throws {@link InputError} for anything else; a
 * FIFO would wait for its writer.
 */
export async function readRegularFile(path: string, bytesMax: number): Promise<Buffer> {
  // Without O_NONBLOCK the open of a FIFO would wait already (fifo(7)).
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new InputError(`${path} is not a regular file`);
    if (found.size > bytesMax) throw tooLarge(path, bytesMax);
    return await readAtMost(file, path, bytesMax);
  } finally {
    await file.close();
  }
}

/** All of a file of any kind: also what a shell gives as `<(command)`. */
async function readAnyFile(path: string, bytesMax: number): Promise<Buffer> {
  const file = await open(path);
  try {
    return await readAtMost(file, path, bytesMax);
  } finally {
    await file.close();
  }
}

/** The same, as text. */
export async function readText(path: string, bytesMax: number): Promise<string> {
  return (await readAnyFile(path, bytesMax)).toString('utf8');
}

/** What is wrong with a name and not with this machine (open(2), read(2)). */
const WRONG_NAMES = ['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG', 'ENXIO', 'ENODEV'];

/** Of a file that a person has written. */
const WRITTEN_BYTES_MAX = 16 * 1024 * 1024;

interface NamedFile {
  readonly hint?: string;
  readonly bytesMax?: number;
  /** Only a regular one will do. */
  readonly isRegular?: boolean;
}

/**
 * All of a file that somebody names. Throws {@link InputError} for one that is too large, and for one that cannot be
 * read: `the WHAT PATH cannot be read (CODE)`.
 */
export async function readNamed(path: string, what: string, file: NamedFile = {}): Promise<Buffer> {
  const { hint, bytesMax = WRITTEN_BYTES_MAX, isRegular = false } = file;
  try {
    return await (isRegular ? readRegularFile : readAnyFile)(path, bytesMax);
  } catch (cause) {
    if (!isWrongName(cause)) throw cause;
    throw new InputError(`the ${what} ${path} cannot be read (${cause.code})`, hint, { cause });
  }
}

/** Whether a system call failed for what it was asked, as opposed to what the machine lacks. */
export function isWrongName(error: unknown): error is NodeJS.ErrnoException {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && WRONG_NAMES.includes(error.code)
  );
}

const CHUNK_BYTES = 1 << 20;

async function readAtMost(file: FileHandle, path: string, bytesMax: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let total = 0; total <= bytesMax; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES));
    if (bytesRead === 0) return Buffer.concat(pieces);
    pieces.push(buffer.subarray(0, bytesRead));
    total += bytesRead;
  }
  throw tooLarge(path, bytesMax);
}

function tooLarge(path: string, bytesMax: number): InputError {
  return new InputError(`${path} has more than ${bytesMax} bytes, the most that are read of such a file`);
}

/** `NAME.OWNER.RANDOM.part`, where OWNER is an {@link ownerToken}: a file that is being written. */
const PART = /\.(?<owner>\d+-\d+-[0-9a-f]{12})\.[\w-]+\.part$/;
/** Folders in which this process has already removed what killed ones left half-written. */
const swept = new Set<string>();

async function sweep(folder: string): Promise<void> {
  if (swept.has(folder)) return;
  swept.add(folder);
  for (const name of await readdir(folder).catch(() => [])) {
    const owner = PART.exec(name)?.groups?.owner;
    const path = join(folder, name);
    if (owner !== undefined && (await isAbandoned(owner, path))) await rm(path, { force: true }).catch(() => {});
  }
}

/**
 * Writes a file so that a reader sees the old content or the new one, never a part; with `flush` also after a power
 * cut. Throws what the file system says, and leaves nothing behind; what a process leaves that is killed meanwhile, the
 * next one to write into that folder removes.
 */
export async function replaceFile(path: string, content: string | Uint8Array, flush: boolean): Promise<void> {
  await sweep(dirname(path));
  const temporary = `${path}.${await ownerToken()}.${randomUUID()}.part`;
  try {
    await writeFile(temporary, content, { flush });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

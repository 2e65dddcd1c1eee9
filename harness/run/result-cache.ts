import { createHash } from 'node:crypto';
import { readFileSync, rmSync, utimesSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { bestEffort, ensureFolder, errorCode, writeAtomic } from '../kernel/cache.ts';
import type { RawBoot } from './boot.ts';

/** Part of every key: raise it when an entry's layout changes, or what is kept of a boot. */
const CACHE_VERSION = 3;

/** Boots that are kept, of 5 to 20 KiB each: enough for a few hundred nightly runs of the default matrix. */
const BYTES_MAX = 512 * 1024 * 1024;
/** An entry that would unpack to more than a console may have (run/boot.ts) is damaged. */
const UNPACKED_MAX = 96 * 1024 * 1024;

/** First line of an entry; console and firmware log follow, one behind the other. */
const headerSchema = z.discriminatedUnion('end', [
  z.object({ end: z.literal('exited'), code: z.literal(0), console: z.number().int(), firmwareLog: z.number().int() }),
  z.object({ end: z.literal('stopped'), console: z.number().int(), firmwareLog: z.number().int() }),
]);

const FASTEST = 1;

/**
 * Boots that ended by themselves or at a terminal event, by the content of all that they depend on. What is kept is
 * what the guest said, not what was made of it: a parser that has changed since reads it anew. Safe for several runs at
 * once; an entry is there as a whole or not at all.
 */
export class ResultCache {
  readonly #folder: string;
  readonly #qemu: string;
  #stored = false;

  private constructor(folder: string, qemu: string) {
    this.#folder = folder;
    this.#qemu = qemu;
  }

  /** `root`: the cache folder; `qemu`: what tells one QEMU from another (qemu/version.ts). */
  static async open(root: string, qemu: string): Promise<ResultCache> {
    const folder = join(root, 'boots');
    await bestEffort(() => ensureFolder(folder));
    return new ResultCache(folder, qemu);
  }

  /**
   * The boot of a cell with this fingerprint (run/prepare.ts), or null. A damaged entry is removed. At once, as a few
   * round trips through the thread pool take longer than an entry of usual size.
   */
  read(fingerprint: string): RawBoot | null {
    const path = this.#path(fingerprint);
    try {
      const boot = parseEntry(gunzipSync(readFileSync(path), { maxOutputLength: UNPACKED_MAX }));
      if (boot !== null) {
        // Entries that were used last are kept longest.
        const now = new Date();
        touch(path, now);
        return boot;
      }
    } catch (error) {
      const code = errorCode(error);
      if (code === 'ENOENT') return null;
      if (code === null || !(code.startsWith('Z_') || code === 'ERR_BUFFER_TOO_LARGE')) throw error;
    }
    try {
      rmSync(path, { force: true });
    } catch {
      // The cache cannot be written: it is passed over by every run.
    }
    return null;
  }

  /**
   * Keeps a boot, where the way it ended says that another would be the same. A cache that cannot be written keeps
   * nothing.
   */
  async write(fingerprint: string, boot: RawBoot): Promise<void> {
    const { end } = boot;
    if (end.end !== 'stopped' && !(end.end === 'exited' && end.code === 0)) return;
    const header = {
      ...(end.end === 'stopped' ? { end: end.end } : { end: end.end, code: 0 }),
      console: boot.console.length,
      firmwareLog: Buffer.byteLength(boot.firmwareLog),
    };
    const entry = Buffer.concat([
      Buffer.from(`${JSON.stringify(header)}\n`),
      boot.console,
      Buffer.from(boot.firmwareLog),
    ]);
    // gzip has a checksum: an entry that did not survive a power cut is noticed.
    const packed = gzipSync(entry, { level: FASTEST });
    const written = await bestEffort(async () => {
      await writeAtomic(this.#path(fingerprint), packed, false);
      return true;
    });
    this.#stored ||= written === true;
  }

  /** Removes entries that have turned out to be wrong. */
  async remove(fingerprints: readonly string[]): Promise<void> {
    for (const fingerprint of fingerprints) await rm(this.#path(fingerprint), { force: true });
  }

  /** Removes what was used longest ago beyond `bytesMax`; only after something was added, as looking costs time. */
  async trim(bytesMax = BYTES_MAX): Promise<void> {
    if (!this.#stored) return;
    const names = await readdir(this.#folder);
    const files = await Promise.all(
      names.map(async (name) => {
        const path = join(this.#folder, name);
        // Another run may be removing the same file.
        const found = await stat(path).catch(() => null);
        return { path, size: found?.size ?? 0, used: found?.mtimeMs ?? 0, whole: !name.includes('.') };
      }),
    );
    let kept = 0;
    const excess = files
      .filter(({ whole }) => whole)
      .sort((a, b) => b.used - a.used)
      .filter(({ size }) => {
        kept += size;
        return kept > bytesMax;
      });
    for (const { path } of excess) await rm(path, { force: true });
  }

  #path(fingerprint: string): string {
    const key = createHash('sha256').update(JSON.stringify([CACHE_VERSION, this.#qemu, fingerprint]));
    return join(this.#folder, key.digest('hex'));
  }
}

/** Of a cache of another user an entry's age stays as it is. */
function touch(path: string, now: Date): void {
  try {
    utimesSync(path, now, now);
  } catch (error) {
    if (errorCode(error) === null) throw error;
  }
}

function parseEntry(entry: Buffer): RawBoot | null {
  const feed = entry.indexOf(0x0a);
  const header = headerSchema.safeParse(parseJson(entry.toString('utf8', 0, Math.max(feed, 0))));
  if (!header.success) return null;
  const { data } = header;
  const body = entry.subarray(feed + 1);
  if (body.length !== data.console + data.firmwareLog) return null;
  return {
    end: data.end === 'stopped' ? { end: 'stopped' } : { end: 'exited', code: data.code, stderr: '' },
    console: body.subarray(0, data.console),
    firmwareLog: body.toString('utf8', data.console),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

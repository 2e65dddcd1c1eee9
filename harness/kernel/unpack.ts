import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { ExecaError, execa } from 'execa';
import { InfraError, InputError } from '../errors.ts';
import { behind, withDescendants } from '../launch.ts';
import { cancelled } from './cancel.ts';

/** Unpacks a .deb's files into `folder` (dpkg-deb(1), --extract). */
export async function extractDeb(
  deb: string,
  folder: string,
  { signal, isBehind = false }: { readonly signal?: AbortSignal | undefined; readonly isBehind?: boolean } = {},
): Promise<void> {
  const words = ['--extract', deb, folder];
  const program: Parameters<typeof behind> = isBehind ? behind('dpkg-deb', words) : ['dpkg-deb', words];
  try {
    await execa(...withDescendants(...program), cancelled(signal));
  } catch (error) {
    throw unpackError(error, deb);
  }
}

/**
 * Unpacks a tarball that has one top folder, as kernel releases have, into `folder` without that top folder.
 * GNU tar finds out the compression by itself and refuses members that would leave the folder. Kernels that are there
 * already, and boots, go first: a tree is only the beginning of a kernel.
 */
export async function unpackTarball(tarball: string, folder: string, signal?: AbortSignal): Promise<void> {
  await mkdir(folder, { recursive: true });
  try {
    const words = ['--extract', '--strip-components=1', '--no-same-owner', '--directory', folder, '--file', tarball];
    await execa(...withDescendants(...behind('tar', words)), {
      // Debian's source tarballs are xz files of many blocks, which unpack in parallel.
      env: { XZ_OPT: '--threads=0' },
      ...cancelled(signal),
    });
  } catch (error) {
    throw unpackError(error, tarball);
  }
}

/** Endings of compressed modules (CONFIG_MODULE_COMPRESS_*), and what unpacks them in place. */
const MODULE_COMPRESSION: readonly (readonly [ending: string, unpack: readonly string[]])[] = [
  ['xz', ['xz', '--decompress']],
  ['zst', ['zstd', '--decompress', '--rm', '--quiet']],
  ['gz', ['gzip', '--decompress']],
];
/** Files for one process of several that unpack at the same time. */
const FILES_A_PROCESS = 64;

/** Unpacks every compressed module below `folder` in place (Debian compresses them since Linux 6.6). */
export async function decompressModules(folder: string, signal?: AbortSignal): Promise<void> {
  for (const [ending, unpack] of MODULE_COMPRESSION) {
    try {
      const options = cancelled(signal);
      const find = execa('find', [folder, '-name', `*.ko.${ending}`, '-print0'], options);
      const processes = String(availableParallelism());
      const words = ['-0', '-r', '-n', String(FILES_A_PROCESS), '-P', processes, ...unpack];
      await find.pipe(...withDescendants('xargs', words), options);
    } catch (error) {
      throw unpackError(error, folder);
    }
  }
}

function unpackError(error: unknown, archive: string): unknown {
  if (!(error instanceof ExecaError) || error.isCanceled) return error;
  const text = (error.stderr ?? '').toString().trim().split('\n').slice(-2).join('; ');
  if (text.includes('No space left on device'))
    return new InfraError(
      `the disk is full: ${archive} cannot be unpacked`,
      'free 3000 MiB, or set XDG_CACHE_HOME to a folder on a larger disk',
      { cause: error },
    );
  return new InputError(`${archive} cannot be unpacked: ${text}`, undefined, { cause: error });
}

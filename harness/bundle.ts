import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';

/** How long a bundle of earlier sources is kept after its last start: a run that goes on may still load parts of it. */
const KEPT_MS = 7 * 24 * 60 * 60 * 1000;

/** What bootrace.js looks for before it starts a bundle: SHA-256 of each of its modules by name. */
const FILES = 'files.json';

async function hashes(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.mjs'));
  const hash = async (name: string) => createHash('sha256').update(await readFile(join(folder, name)));
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, (await hash(name)).digest('hex')])));
}

/**
 * Bundles the harness in folder `harness` with its packages, for a start without a transpiler: bootrace.js does so once
 * per content of the sources. Every verb stays a part of its own, loaded when asked for. Where that is not possible (a
 * read-only checkout, a full disk, a source with a syntax error) nothing is made and nothing thrown: the sources do as
 * well. The folder `target` is there as a whole or not at all, also when several starts make it, and only if
 * `isCurrent` still says that it belongs to the sources when they have been read.
 */
export async function makeBundle(harness: string, target: string, isCurrent: () => boolean): Promise<void> {
  const parent = dirname(target);
  const temporary = join(parent, `making-${randomUUID()}`);
  try {
    await mkdir(temporary, { recursive: true });
    await build({
      entryPoints: [join(harness, 'cli.ts')],
      outdir: temporary,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      sourcemap: 'linked',
      sourcesContent: false,
      // Packages in CommonJS call require() for modules of Node.js; zx imports createRequire under its own name.
      banner: {
        js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
      },
      plugins: [ownPlaces(harness), unbundled('esbuild')],
      logLevel: 'silent',
    });
    if (!isCurrent()) return;
    await writeFile(join(temporary, FILES), JSON.stringify(await hashes(temporary)));
    await rename(temporary, target);
    await removeOld(parent);
  } catch {
    // Also where another start was faster: its bundle stands, and is the same.
  } finally {
    await rm(temporary, { recursive: true, force: true }).catch(() => {});
  }
}

/** Sources name their data files relative to themselves: each keeps its own place. */
function ownPlaces(harness: string): Plugin {
  return {
    name: 'own-places',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        if (!path.startsWith(`${harness}/`)) return null;
        const contents = (await readFile(path, 'utf8'))
          .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href))
          .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)))
          .replaceAll('import.meta.filename', JSON.stringify(path));
        return { contents, loader: 'ts' };
      });
    },
  };
}

/** A package that finds its own files by where it lies. */
function unbundled(name: string): Plugin {
  return {
    name: `unbundled-${name}`,
    setup({ onResolve }) {
      onResolve({ filter: new RegExp(`^${name}$`) }, () => ({ path: import.meta.resolve(name), external: true }));
    },
  };
}

async function removeOld(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const path = join(parent, name);
    const { mtimeMs } = await stat(path);
    if (mtimeMs < Date.now() - KEPT_MS) await rm(path, { recursive: true, force: true });
  }
}

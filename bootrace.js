#!/usr/bin/env node
// The harness is TypeScript, and there is no build step to forget: the first start bundles it, and so does the next one after a change of a source.
// Where no bundle can be written, tsx runs the sources, which takes a few tenths of a second more at every start.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';

// Failure is what is left where nobody says otherwise (harness/errors.ts): neither "as expected" nor "unexpected", and 128 for `git bisect run`.
process.exitCode = process.argv[2] === 'check' ? 128 : 3;
// Until the harness guards the process itself (terminal/failure.ts).
process.once('uncaughtException', cannotStart);

const root = import.meta.dirname;

function cannotStart(error) {
  const [, missing] = /^Cannot find package '([^']+)'/.exec(error?.message ?? '') ?? [];
  const why = missing === undefined ? inspect(error) : `its package ${missing} is not installed: run npm ci in ${root}`;
  process.stderr.write(`bootrace cannot be started: ${why}\n`);
  process.exit();
}

const harness = join(root, 'harness');
const isPackage = basename(dirname(root)) === 'node_modules';
/** Bundles of a checkout lie in it; a package may be read-only, and keeps them in the user's cache, as harness/kernel/cache.ts says. */
const bundles = isPackage
  ? join(
      isAbsolute(process.env.XDG_CACHE_HOME ?? '') ? process.env.XDG_CACHE_HOME : join(homedir(), '.cache'),
      'bootrace',
      'bundles',
    )
  : join(root, 'node_modules', '.cache', 'bootrace');

function sourcesBelow(folder) {
  // Without `recursive`, which takes ten times as long.
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? sourcesBelow(path) : path.endsWith('.ts') ? [path] : [];
  });
}

/** Of the content of all that is bundled, and of where it lies: a bundle finds its data files by their absolute paths. */
function keyOfSources() {
  const hash = createHash('sha256');
  // The last one is written by npm whenever it installs anything.
  const around = [
    'bootrace.js',
    'package.json',
    'tsconfig.json',
    `${isPackage ? '..' : 'node_modules'}/.package-lock.json`,
  ];
  for (const file of [...around.map((name) => join(root, name)), ...sourcesBelow(harness)]) {
    const content = existsSync(file) ? readFileSync(file) : '';
    hash.update(`${file}\n${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

/** Whether all that was bundled is there as it was written: `files.json` (harness/bundle.ts) has the hash of each file. */
function isWhole(bundle) {
  try {
    const files = Object.entries(JSON.parse(readFileSync(join(bundle, 'files.json'), 'utf8')));
    const isSame = ([name, hash]) =>
      createHash('sha256')
        .update(readFileSync(join(bundle, name)))
        .digest('hex') === hash;
    return files.length > 0 && files.every(isSame);
  } catch {
    return false;
  }
}

/** Runs the sources as they are. */
async function runSources() {
  const { register } = await import('tsx/esm/api');
  // Modules that are loaded before tsx do not go through its thread, file by file.
  await Promise.all(['commander', 'execa', 'p-queue', 'yaml', 'zod'].map((name) => import(name)));
  register();
  await import('./harness/cli.ts');
}

async function start() {
  const key = keyOfSources();
  const bundle = join(bundles, key);
  if (!isWhole(bundle)) {
    try {
      rmSync(bundle, { recursive: true, force: true });
    } catch {
      // Read-only, or of another user: the sources do as well.
    }
    const { register } = await import('tsx/esm/api');
    const unregister = register();
    const { makeBundle } = await import('./harness/bundle.ts');
    await makeBundle(harness, bundle, () => keyOfSources() === key);
    await unregister();
    if (!isWhole(bundle)) return runSources();
  }
  try {
    // The day of its last start: long-unused ones are removed when the next is made.
    const now = new Date();
    utimesSync(bundle, now, now);
  } catch {
    // Read-only: then nobody removes it either.
  }
  process.setSourceMapsEnabled(true);
  await import(pathToFileURL(join(bundle, 'cli.mjs')).href);
}

await start().catch(cannotStart);

#!/usr/bin/env node
// The harness is TypeScript, and there is no build step to forget: the first start bundles it, and so does the next one after a change of a source.
// Where no bundle can be written, tsx runs the sources, which takes a few tenths of a second more at every start.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = import.meta.dirname;
const harness = join(root, 'harness');

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
  const around = ['bootrace.js', 'package.json', 'tsconfig.json', 'node_modules/.package-lock.json'];
  for (const file of [...around.map((name) => join(root, name)), ...sourcesBelow(harness)]) {
    const content = existsSync(file) ? readFileSync(file) : '';
    hash.update(`${file}\n${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

const key = keyOfSources();
const bundle = join(root, 'node_modules', '.cache', 'bootrace', key);
const entry = join(bundle, 'cli.mjs');
if (!existsSync(entry)) {
  const { register } = await import('tsx/esm/api');
  const unregister = register();
  const { makeBundle } = await import('./harness/bundle.ts');
  await makeBundle(harness, bundle, () => keyOfSources() === key);
  await unregister();
}
if (existsSync(entry)) {
  try {
    // The day of its last start: long-unused ones are removed when the next is made.
    const now = new Date();
    utimesSync(bundle, now, now);
  } catch {
    // Read-only: then nobody removes it either.
  }
  process.setSourceMapsEnabled(true);
  await import(pathToFileURL(entry).href);
} else {
  const { register } = await import('tsx/esm/api');
  // Modules that are loaded before tsx do not go through its thread, file by file.
  await Promise.all(['commander', 'execa', 'p-queue', 'yaml', 'zod'].map((name) => import(name)));
  register();
  await import('./harness/cli.ts');
}

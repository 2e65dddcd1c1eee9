import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { RunRecord } from './record.ts';

const ROOT = new URL('../../', import.meta.url);
const packageSchema = z.object({ version: z.string() });

/** Version of this harness, and its commit where it runs from a git checkout. */
export async function harnessVersion(): Promise<RunRecord['harness']> {
  const { version } = packageSchema.parse(JSON.parse(await readFile(new URL('package.json', ROOT), 'utf8')));
  return { version, commit: await headCommit() };
}

/** What HEAD points to (gitrepository-layout(5)); null outside a checkout or where the ref is packed. */
async function headCommit(): Promise<string | null> {
  const read = (path: string) => readFile(new URL(`.git/${path}`, ROOT), 'utf8').catch(() => '');
  const head = (await read('HEAD')).trim();
  const [, ref] = /^ref: (refs\/[\w./-]+)$/.exec(head) ?? [];
  const commit = ref === undefined ? head : (await read(ref)).trim();
  return /^[0-9a-f]{40,64}$/.test(commit) ? commit : null;
}

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { dir } from 'tmp-promise';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { bootrace } from './cli.ts';

/* A known bug whose kernels the default matrix builds; the others need kernels of their own (docs/zoo.md). */

const search = z.object({
  found: z.object({ boot: z.number(), part: z.string() }).nullable(),
  boots: z.number(),
});
const resultSchema = z.array(z.object({ problem: z.string().nullable(), found: search, clean: search }));

test('the missing guard of the SMMU is found blind, on the kernel that misses it alone', async () => {
  const folder = await dir({ unsafeCleanup: true });
  const words = ['zoo', 'scm-guard-6.1', '--clean', '12', '--no-explain', '--json'];
  const { stdout, stderr, exitCode } = await bootrace(words, { cwd: folder.path });
  await folder.cleanup();
  expect(exitCode, stderr).toBe(0);
  const [result] = resultSchema.parse(JSON.parse(stdout));
  expect(result?.problem).toBeNull();
  expect(result?.found.found?.boot).toBeLessThan(32);
  expect(result?.clean).toEqual({ found: null, boots: 12 });
});

test('a known bug that is not found fails the night', async () => {
  const folder = await dir({ unsafeCleanup: true });
  const words = ['zoo', 'scm-guard-6.1', '--budget', '1', '--clean', '1', '--no-explain'];
  const { stdout, stderr, exitCode } = await bootrace(words, { cwd: folder.path });
  const [kept] = await readdir(join(folder.path, 'results'));
  await folder.cleanup();
  expect(exitCode, stderr).toBe(1);
  expect(stdout).toContain('not found in 1 boot\n');
  expect(stdout).toContain(`1 known bug: 0 found, 1 not as expected; records in results/${kept}`);
});

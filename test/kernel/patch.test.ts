import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import fc from 'fast-check';
import { withDir } from 'tmp-promise';
import { describe, expect, it } from 'vitest';
import { applyHunks, type FilePatch, parsePatch } from '../../harness/kernel/patch.ts';
import { patchedFiles } from '../../harness/kernel/patched-tree.ts';

function parse(text: string): readonly FilePatch[] {
  const parsed = parsePatch(text);
  if (!parsed.ok) throw new Error(`line ${parsed.line}: ${parsed.problem}`);
  return parsed.files;
}

const OLD = ['one', 'two', 'three', 'four', 'five', 'six', ''].join('\n');
const PATCH = `Subject: words before the patch
---
 a.c | 2 +-

--- a/drivers/a.c\t2020-10-30
+++ b/drivers/a.c
@@ -2,3 +2,3 @@ int words(void)
 two
-three
+THREE
 four
--\x20
2.39
`;

describe('a patch', () => {
  it('is applied where its context stands', () => {
    const [file] = parse(PATCH);
    expect(file).toMatchObject({ path: 'drivers/a.c', kind: 'change' });
    expect(applyHunks(OLD, file?.hunks ?? [])).toEqual({ ok: true, text: OLD.replace('three', 'THREE') });
    expect(applyHunks(`zero\nnought\n${OLD}`, file?.hunks ?? [])).toEqual({
      ok: true,
      text: `zero\nnought\n${OLD.replace('three', 'THREE')}`,
    });
  });

  it('is refused where its context differs, naming patch, hunk and file', async () => {
    const patch = { path: 'p.patch', text: PATCH };
    await expect(patchedFiles([patch], async () => OLD.replace('four', 'FOUR'))).rejects.toThrow(
      'p.patch:7: hunk 1 of 1 does not apply to drivers/a.c: @@ -2,3 +2,3 @@',
    );
    await expect(patchedFiles([patch], async () => null)).rejects.toThrow('p.patch: there is no drivers/a.c');
  });

  it('keeps the order of its hunks: none is put before the one it follows', () => {
    const change = (oldStart: number, to: string) => ({ header: '', line: 1, oldStart, before: ['a'], after: [to] });
    expect(applyHunks('a\na\n', [change(1, 'b'), change(2, 'c')])).toEqual({ ok: true, text: 'b\nc\n' });
    expect(applyHunks('a\na\n', [change(2, 'b'), change(1, 'c')])).toMatchObject({ ok: false, number: 2 });
  });

  it('applies on top of the patch before it', async () => {
    const second = PATCH.replace('-three', '-THREE').replace('+THREE', '+3');
    const files = await patchedFiles(
      [
        { path: '1', text: PATCH },
        { path: '2', text: second },
      ],
      async () => OLD,
    );
    expect(files.get('drivers/a.c')).toBe(OLD.replace('three', '3'));
  });

  it.each([
    ['--- a/../../etc/passwd\n+++ b/../../etc/passwd\n@@ -1 +1 @@\n-a\n+b\n', 'leaves the source tree'],
    ['--- a//etc/passwd\n+++ b//etc/passwd\n@@ -1 +1 @@\n-a\n+b\n', 'leaves the source tree'],
    ['--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n-b\n', 'ends too early'],
    ['--- a/x\n+++ b/x\n@@ -1 +1,9999 @@\n-a\n+b\n', 'ends too early'],
    ['rename from a\nrename to b\n', 'rename'],
    ['--- a/x\n+++ b/x\n', 'without a hunk'],
    ['nothing\n', 'no change'],
  ])('%j is refused', (text, problem) => {
    expect(parsePatch(text)).toMatchObject({ ok: false, problem: expect.stringContaining(problem) });
  });

  it('of diff -u turns the old file into the new one, whatever the two are', async () => {
    const line = fc.constantFrom('a', 'b', 'c', '', '-d', '+e', '@@ -1 +1 @@');
    const file = fc.array(line, { minLength: 1, maxLength: 12 }).map((lines) => `${lines.join('\n')}\n`);
    await withDir(
      async ({ path }) => {
        await fc.assert(
          fc.asyncProperty(file, file, fc.integer({ min: 1, max: 3 }), async (before, after, context) => {
            fc.pre(before !== after);
            await writeFile(join(path, 'old'), before);
            await writeFile(join(path, 'new'), after);
            const { stdout } = await execa(
              'diff',
              [`-U${context}`, '--label', 'a/x', '--label', 'b/x', join(path, 'old'), join(path, 'new')],
              { reject: false, stripFinalNewline: false },
            );
            expect(applyHunks(before, parse(stdout)[0]?.hunks ?? [])).toEqual({ ok: true, text: after });
          }),
          { numRuns: 30 },
        );
      },
      { unsafeCleanup: true },
    );
  });
});

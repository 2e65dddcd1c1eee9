import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cacheRoot } from '../../harness/kernel/cache.ts';
import { debianSource } from '../../harness/kernel/source/debian.ts';
import { sourceFolder } from '../../harness/kernel/source/source-tree.ts';
import { DEFAULT_MATRIX, loadMatrix } from '../../harness/matrix/matrix-file.ts';
import { formatJunit } from '../../harness/report/junit.ts';
import { formatKtap } from '../../harness/report/ktap.ts';
import { aCell, aCrash, aRun, threadRun, withCells } from '../report/builders.ts';

/** Texts at which kunit_parser.py or an XML parser could stop. */
const HOSTILE = 'Kernel panic - not syncing: VFS: # SKIP ]]></failure> reboot: System halted \u0000\ufffe';

const whole = threadRun();
const bad = {
  ...withCells(whole, (cell) =>
    cell.row === 'T10'
      ? {
          verdict: 'null-deref',
          asExpected: false,
          crash: aCrash({ title: HOSTILE, text: [HOSTILE], trace: [HOSTILE] }),
        }
      : cell.row === 'T7'
        ? { verdict: 'infra-error', asExpected: false, reason: HOSTILE }
        : null,
  ),
  flakes: [{ id: whole.cells[0]?.id ?? '', what: 'order' as const, repetition: 2 }],
};

describe('reports read by the tools they are for', () => {
  let folder = '';
  let kernel = '';
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bootrace-validators-'));
    kernel = sourceFolder(await debianSource(cacheRoot(), '6.1', () => {}));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** The summary of the kernel's own parser of KTAP (tools/testing/kunit). */
  async function kunit(text: string): Promise<string> {
    const file = join(folder, 'results.ktap');
    writeFileSync(file, text);
    const tool = join(kernel, 'tools/testing/kunit/kunit.py');
    const env = { PYTHONDONTWRITEBYTECODE: '1' };
    const { stdout } = await execa('python3', [tool, 'parse', file], { cwd: kernel, env, reject: false });
    return stdout;
  }

  it('kunit.py counts every cell of the whole matrix as passed', async () => {
    const output = await kunit(formatKtap(whole));
    expect(output).toMatch(new RegExp(`Ran ${whole.cells.length} tests: passed: ${whole.cells.length}\\s*$`, 'm'));
    expect(output).not.toMatch(/ERROR/);
  });

  it('kunit.py counts every cell of the matrix that comes with bootrace', async () => {
    const cells = (await loadMatrix(DEFAULT_MATRIX)).map(({ id, axes, kernel: recipe, linkage }) => {
      const record = aCell({ id, axes: { ...axes } });
      return { ...record, kernel: { ...record.kernel, recipe, linkage } };
    });
    const output = await kunit(formatKtap(aRun(cells)));
    expect(output).toMatch(new RegExp(`Ran ${cells.length} tests: passed: ${cells.length}\\s*$`, 'm'));
    expect(output).not.toMatch(/ERROR|crashed/i);
  });

  it('kunit.py counts surprises, lost boots and flakes as failed, and is not misled by a log', async () => {
    const output = await kunit(formatKtap(bad));
    const cells = whole.cells.length;
    expect(output).toMatch(new RegExp(`Ran ${cells + 1} tests: passed: ${cells - 2}, failed: 3\\s*$`, 'm'));
  });

  it('an XML parser accepts the JUnit report and finds each test case', async () => {
    const count = 'import sys, xml.etree.ElementTree as t; print(len(t.parse(sys.stdin).findall(".//testcase")))';
    const { stdout } = await execa('python3', ['-c', count], { input: formatJunit(bad, 'results/x') });
    expect(Number(stdout)).toBe(whole.cells.length + 1);
  });
});

import { describe, expect, test } from 'vitest';
import { InputError } from '../../harness/errors.ts';
import { DEFAULT_MATRIX, loadCellFile, loadMatrix, loadPreview } from '../../harness/matrix/matrix-file.ts';

describe('the default matrix', () => {
  test('has a cell for every row, and enough of them', async () => {
    const cells = await loadMatrix(DEFAULT_MATRIX);
    expect(cells.length).toBeGreaterThanOrEqual(90);
    const rows = new Set(cells.flatMap((cell) => cell.row ?? []));
    expect([...rows].sort()).toEqual(['T1', 'T10', 'T11', 'T2', 'T3', 'T4', 'T5', 'T6', 'T7', 'T8', 'T9']);
    expect(new Set(cells.map((cell) => cell.id)).size).toBe(cells.length);
    for (const { id } of cells) expect(id).toMatch(/^[a-z0-9][a-z0-9._+=-]*$/);
  });

  test('expects the two crashes where the thread and its own modules row have them', async () => {
    const cells = await loadMatrix(DEFAULT_MATRIX);
    for (const row of ['T8', 'T11']) {
      for (const cell of cells.filter((other) => other.row === row)) {
        expect(cell.kernel).toMatch(/-unfixed$/);
        expect(cell.expect).toMatchObject({
          verdicts: ['null-deref'],
          function: 'qcom_scm_qsmmu500_wait_safe_toggle',
          address: '0x0',
        });
      }
    }
  });

  test("asks the thread's question of a kernel that nobody has to compile first", async () => {
    expect(await loadPreview(DEFAULT_MATRIX)).toMatchObject({
      row: 'T8',
      kernel: expect.stringMatching(/^debian-stock:/),
      gates: expect.arrayContaining([{ gate: 'force', symbol: 'qcom_scm_is_available', value: 1 }]),
      expect: { verdicts: ['null-deref'], function: 'qcom_scm_qsmmu500_wait_safe_toggle' },
    });
  });

  test('boots nothing twice', async () => {
    const cells = await loadMatrix(DEFAULT_MATRIX);
    const boots = cells.map(({ id, row, claim, axes, expect: _, ...boot }) => JSON.stringify(boot));
    expect(new Set(boots).size).toBe(boots.length);
  });
});

test('a file that cannot be read is an input error', async () => {
  await expect(loadMatrix('/nonexistent/m.yaml')).rejects.toThrow(InputError);
  await expect(loadCellFile('/')).rejects.toThrow('cannot read /: EISDIR');
});

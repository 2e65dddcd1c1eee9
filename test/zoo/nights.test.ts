import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { loadMatrix } from '../../harness/matrix/matrix-file.ts';
import { readEntries, ZOO } from '../../harness/zoo/folder.ts';

const file = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const COMMAND = /npm run zoo -- ([\w.-]+(?: [\w.-]+)*)$/m;

test.each(['.github/workflows/nightly.yml', 'ci/gitlab-ci.yml'])(
  '%s hunts known bugs, on kernels that the matrix builds',
  async (path) => {
    const [, names = ''] = COMMAND.exec(await readFile(file(path), 'utf8')) ?? [];
    const entries = await readEntries(ZOO, names.split(' '));
    expect(entries.length).toBeGreaterThanOrEqual(4);
    expect(entries.every(({ outOfReach }) => outOfReach === null)).toBe(true);
    const cells = await loadMatrix(file('matrix.yaml'));
    const built = new Set(cells.map(({ kernel }) => kernel));
    expect(entries.flatMap(({ buggy, fixed }) => [buggy, fixed]).filter((kernel) => !built.has(kernel))).toEqual([]);
  },
);

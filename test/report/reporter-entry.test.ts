import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { REPORTERS, type Reporter, writeReports } from '../../harness/report/reporters.ts';
import { REPORTER } from '../../harness/terminal/option-values.ts';
import { aCell, aRun } from './builders.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A reporter is one entry: what it is, where it goes, what it says. */
const IDS: Reporter = {
  about: 'one cell per line',
  file: null,
  format: ({ cells }) => cells.map(({ id, verdict }) => `${id} ${verdict}\n`).join(''),
};

test('an entry is all that a reporter needs', async () => {
  const run = aRun([aCell({ id: 'one' }), aCell({ id: 'two', verdict: 'hang', asExpected: false })]);
  let text = '';
  const write = (part: string) => {
    text += part;
  };
  const request = { name: 'ids', reporter: IDS, file: null };
  await writeReports([request], { run, folder: '.' }, { columns: 80, colour: false, write });
  expect(text).toBe('one bound\ntwo hang\n');
});

test('the help names every reporter', () => {
  const names = REPORTER.description.replace('; repeatable', '').split(/, | or /);
  expect(names.sort()).toEqual(Object.keys(REPORTERS).sort());
});

test.each(['about', 'file', 'format'])('an entry without %s does not compile', async (part) => {
  const parts = { about: `about: 'x'`, file: 'file: null', format: `format: () => ''` };
  const left = Object.entries(parts).flatMap(([name, text]) => (name === part ? [] : [text]));
  // Below the repository, whose compiler options and types it has.
  const folder = await mkdtemp(join(tmpdir(), 'reporter-'));
  try {
    const file = join(folder, 'entry.ts');
    await writeFile(
      file,
      `import type { Reporter } from '${ROOT}harness/report/reporters.ts';\nexport const entry: Reporter = { ${left.join(', ')} };\n`,
    );
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: `${ROOT}tsconfig.json`,
        include: [file],
        exclude: [],
        compilerOptions: { typeRoots: [`${ROOT}node_modules/@types`] },
      }),
    );
    const { stdout } = await execa(join(ROOT, 'node_modules/.bin/tsc'), ['--noEmit', '-p', folder], { reject: false });
    expect(stdout).toContain(`Property '${part}' is missing`);
  } finally {
    await rm(folder, { recursive: true });
  }
});

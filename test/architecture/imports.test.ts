import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withDir } from 'tmp-promise';
import { describe, expect, test } from 'vitest';
import { wrongImports } from './floors.ts';
import { cUses, cycles, typescriptImports } from './modules.ts';

const HARNESS = fileURLToPath(new URL('../../harness', import.meta.url));

describe('the harness', () => {
  const imports = typescriptImports(HARNESS);

  test('is read', () => expect(imports.length).toBeGreaterThan(500));

  test('imports only from lower floors, no command another, and nothing pure starts a process', () => {
    expect(wrongImports(imports)).toEqual([]);
  });

  test('has no two files that import each other', () => expect(cycles(imports)).toEqual([]));

  test('has no two C files that call each other', () => {
    expect(cycles(cUses(join(HARNESS, 'guest/init')))).toEqual([]);
    expect(cycles(cUses(join(HARNESS, 'firmware')))).toEqual([]);
  });
});

/** What the rules say about files that are made for the purpose. */
function findings(files: Readonly<Record<string, string>>): Promise<{ wrong: string[]; cycles: string[][] }> {
  return withDir(
    async ({ path }) => {
      for (const [name, text] of Object.entries(files)) {
        await mkdir(dirname(join(path, name)), { recursive: true });
        await writeFile(join(path, name), text);
      }
      const imports = typescriptImports(path);
      return { wrong: wrongImports(imports), cycles: [...cycles(imports), ...cycles(cUses(path))] };
    },
    { unsafeCleanup: true },
  );
}

describe('planted breaks', () => {
  test('what goes down is fine', async () => {
    const files = {
      'commands/one.ts': `import { a } from './one.options.ts'; import { b } from '../report/b.ts';`,
      'commands/one.options.ts': 'export const a = 1;',
      'report/b.ts': `import type { C } from '../model/c.ts'; export const b = 1;`,
      'model/c.ts': 'export type C = string;',
      'firmware/a.c': '/* b() */\n#include "b.h"\nint a(void)\n{\n\treturn b();\n}\n',
      'firmware/b.c': 'static int c(void)\n{\n\treturn 0;\n}\nint b(void)\n{\n\treturn c();\n}\n',
    };
    expect(await findings(files)).toEqual({ wrong: [], cycles: [] });
  });

  test('an import up', async () => {
    const { wrong } = await findings({
      'model/cell.ts': `import type { A } from '../report/a.ts'; export type B = A;`,
      'report/a.ts': 'export type A = string;',
    });
    expect(wrong).toEqual(['model/cell.ts imports up: report/a.ts']);
  });

  test('a cycle in TypeScript, through a re-export and an import when needed', async () => {
    const files = {
      'run/a.ts': `export { b } from './b.ts'; export const a = 1;`,
      'run/b.ts': `export const b = () => import('./c.ts');`,
      'run/c.ts': `import { a } from './a.ts'; export const c = a;`,
    };
    expect((await findings(files)).cycles).toEqual([['run/a.ts', 'run/b.ts', 'run/c.ts']]);
  });

  test('a cycle in C', async () => {
    const files = {
      'firmware/a.c': 'void a(void)\n{\n\tb(1);\n}\n',
      'firmware/b.c': 'void b(int n)\n{\n\tif (n)\n\t\ta();\n}\n',
    };
    expect((await findings(files)).cycles).toEqual([['firmware/a.c', 'firmware/b.c']]);
  });

  test('a cycle in C through a variable, and one through assembly', async () => {
    const files = {
      'firmware/a.c': 'u32 counted;\nvoid a(void)\n{\n\tb();\n}\n',
      'firmware/b.c': 'void b(void)\n{\n\tcounted++;\n}\n',
      'guest/c.c': 'void c(void)\n{\n\tenter();\n}\n',
      'guest/entry.S': '\t.global enter\nenter:\n\tbl c\n',
    };
    expect((await findings(files)).cycles).toEqual([
      ['firmware/a.c', 'firmware/b.c'],
      ['guest/c.c', 'guest/entry.S'],
    ]);
  });

  test('a command that imports a command', async () => {
    const { wrong } = await findings({
      'commands/check.ts': `import { x } from './doctor.ts'; export const y = x;`,
      'commands/doctor.ts': 'export const x = 1;',
    });
    expect(wrong).toEqual(['commands/check.ts imports a command: commands/doctor.ts']);
  });

  test('a report that starts a process', async () => {
    const { wrong } = await findings({ 'report/table.ts': `import { execa } from 'execa'; export const a = execa;` });
    expect(wrong).toEqual(['report/table.ts starts processes: execa']);
  });

  test('a room that nobody gave a floor', async () => {
    const { wrong } = await findings({ 'attic/a.ts': `import { b } from '../errors.ts';`, 'errors.ts': '' });
    expect(wrong).toEqual(['attic/a.ts is in a room that has no floor']);
  });
});

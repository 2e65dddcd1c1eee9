import { cp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { withDir } from 'tmp-promise';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Declarations of options; each names the option with which a value gets its name. */
const DECLARATION = /(['"])--(?:no-)?([a-z][a-z-]*)(?=[ '"])/g;

/** Where options are declared, below `root`. */
async function declarations(root: string): Promise<string[]> {
  const verbs = (await readdir(join(root, 'harness/commands'))).filter((name) => name.endsWith('.options.ts'));
  return [
    ...verbs.map((name) => join(root, 'harness/commands', name)),
    join(root, 'harness/terminal/option-values.ts'),
  ];
}

function camelCase(name: string): string {
  return name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** The verb of a file of commands/, or `shared`; what reads the options of a large one may be in VERB-request.ts. */
function verbOf(file: string): string {
  return /commands\/([\w-]+?)(?:\.options|-request)?\.ts$/.exec(file)?.[1] ?? 'shared';
}

test('an option that is renamed in its declaration alone does not compile', () =>
  withDir(
    async ({ path }) => {
      for (const name of ['harness', 'package.json', 'tsconfig.json'])
        await cp(join(ROOT, name), join(path, name), { recursive: true });
      await symlink(join(ROOT, 'node_modules'), join(path, 'node_modules'));
      const compile = () => execa(join(ROOT, 'node_modules/.bin/tsc'), ['--noEmit'], { cwd: path, reject: false });
      expect((await compile()).stdout).toBe('');

      // All at once: each must be missed by a name of its own.
      const renamed = new Set<string>();
      for (const file of await declarations(path)) {
        const text = await readFile(file, 'utf8');
        await writeFile(
          file,
          text.replaceAll(DECLARATION, (option, _quote, name: string) => {
            renamed.add(`${verbOf(file)} ${camelCase(name)}`);
            return `${option}-renamed`;
          }),
        );
      }
      expect(renamed.size).toBeGreaterThan(30);
      const { stdout } = await compile();
      const missed = [...stdout.matchAll(/^harness\/(\S+)\(.*Property '(\w+)' (?:does not exist|is missing)/gm)];
      const seen = new Set(
        missed.flatMap(([, file = '', name]) =>
          // The wiring in cli.ts may be all that reads an option.
          file === 'cli.ts'
            ? [...renamed].filter((one) => one.endsWith(` ${name}`))
            : [`${verbOf(file)} ${name}`, `shared ${name}`],
        ),
      );
      expect([...renamed].filter((name) => !seen.has(name))).toEqual([]);
    },
    { unsafeCleanup: true },
  ));

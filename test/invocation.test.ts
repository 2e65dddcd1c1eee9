import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { withDir } from 'tmp-promise';
import { expect, test } from 'vitest';
import { commandLine, commandLineAnywhere, shellQuote } from '../harness/invocation.ts';

const WORDS = ['cell', "it's here.yaml"];
const QUOTED = `cell 'it'\\''s here.yaml'`;

test('a command is printed as it works where the user is', () => {
  const home = '/src/boot race';
  expect(commandLine(WORDS, { home, cwd: home })).toBe(`npm run -s bootrace -- ${QUOTED}`);
  for (const cwd of [`${home}/docs`, '/src', '/src/boot race 2', '/'])
    expect(commandLine(WORDS, { home, cwd })).toBe(`node '/src/boot race/bootrace.js' ${QUOTED}`);
  expect(commandLine(WORDS, { home: '/u/node_modules/bootrace', cwd: '/u' })).toBe(`npx bootrace ${QUOTED}`);
});

test('a command for any folder runs from any folder, and the shell reads its words back', () =>
  withDir(
    async ({ path }) => {
      const home = join(path, "boot 'race'");
      await mkdir(home);
      await writeFile(join(home, 'bootrace.js'), 'console.log(JSON.stringify(process.argv.slice(2)));\n');
      const words = ['check', '--shows', `null-deref: $(id) "x" 'y' \\ z;`, ''];
      const { stdout } = await execa('sh', ['-c', commandLineAnywhere(words, home)], { cwd: '/' });
      expect(JSON.parse(stdout)).toEqual(words);
    },
    { unsafeCleanup: true },
  ));

test('the printed command of this copy reaches this copy', async () => {
  const version = await execa('sh', ['-c', commandLineAnywhere(['--version'])], { cwd: '/' });
  expect(version.stdout).toMatch(/^\d+\.\d+\.\d+$/);
  const help = await execa('sh', ['-c', commandLineAnywhere(['check', '--help'])], { cwd: '/' });
  expect(help.stdout).toContain('git bisect run');
});

test('plain words stay readable', () => {
  expect(shellQuote('6.1-unfixed.builtin.node=last')).toBe('6.1-unfixed.builtin.node=last');
});

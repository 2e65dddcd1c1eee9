import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import { expect, test } from 'vitest';
import { ROOT } from './commands.ts';

const COMMANDS = join(ROOT, 'harness/commands');

/** Options by verb, hidden ones too, as the declarations have them. */
const declared = new Map<string, readonly string[]>();
for (const file of (await readdir(COMMANDS)).filter((name) => name.endsWith('.options.ts'))) {
  const exported: Record<string, unknown> = await import(join(COMMANDS, file));
  for (const verb of Object.values(exported))
    if (verb instanceof Command)
      declared.set(verb.name(), [...verb.options.flatMap(({ long }) => long ?? []), '--help']);
}
const all = new Set([...declared.values()].flat().concat('--version'));

/** Options that a page's sentences name and that do not exist; lines of code are held against the verbs by another test. */
function unknownOptions(page: string): string[] {
  const text = page.replaceAll(/^ {4}.*$/gm, '').replaceAll(/^```[\s\S]*?^```/gm, '');
  const named = [...text.matchAll(/(?<![\w-])--[a-z][\w-]+/g)].map(([option]) => option).filter((one) => !all.has(one));
  const inCode = [...text.matchAll(/`(?:bisect )?([a-z]+) ([^`]*)`/g)].flatMap(([, verb = '', rest = '']) => {
    const options = declared.get(verb);
    const used = rest.match(/(?<![\w-])--[a-z][\w-]+/g) ?? [];
    return options === undefined ? [] : used.filter((one) => !options.includes(one)).map((one) => `${verb} ${one}`);
  });
  return [...named, ...inCode];
}

const docs = (await readdir(join(ROOT, 'docs'))).map((name) => `docs/${name}`);
const pages = [...(await readdir(ROOT)), ...docs].filter((name) => name.endsWith('.md'));

test.each(pages)('the options that %s names exist', async (page) => {
  expect(unknownOptions(await readFile(join(ROOT, page), 'utf8'))).toEqual([]);
});

test('an option that does not exist is found, and one of another verb', () => {
  expect(declared.size).toBeGreaterThan(15);
  expect(unknownOptions('with `explore --rebind` or --no-boot\n\n    other --program\n')).toEqual([]);
  expect(unknownOptions('with `explore --bind N` or (--no-bot)')).toEqual(['--bind', '--no-bot', 'explore --bind']);
  expect(unknownOptions('`sweep --rebind`')).toEqual(['sweep --rebind']);
});

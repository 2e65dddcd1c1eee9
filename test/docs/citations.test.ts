import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const FOLDERS = ['harness', 'scripts', 'test'];
/** Names that stand for many files, or for one of a reader's own. */
const MADE_UP = /^(?:VERB\b|findings\.md$|summary\.md$)/;

/** Files of TypeScript and Markdown that comments name. */
function cited(file: string): string[] {
  const comments = readFileSync(join(ROOT, file), 'utf8').match(/\/\*[\s\S]*?\*\/|(?<!:)\/\/[^\n]*/g) ?? [];
  return comments.flatMap((text) => text.match(/(?<![\w./-])(?:[\w-]+\/)*[\w.-]+\.(?:tsx?|md)\b/g) ?? []);
}

test('comments cite files of this repository', () => {
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  );
  const all = [...files, ...readdirSync(ROOT), ...readdirSync(join(ROOT, 'docs')).map((name) => join('docs', name))];
  const sources = ['bootrace.js', ...files.filter((file) => /\.(?:tsx?|[chS])$/.test(file))];
  expect(sources.length).toBeGreaterThan(400);
  const wrong = sources.flatMap((file) =>
    cited(file)
      .filter((name) => !MADE_UP.test(basename(name)))
      .filter((name) => !all.some((other) => other === name || other.endsWith(`/${name}`)))
      .map((name) => `${file}: ${name}`),
  );
  expect(wrong).toEqual([]);
});

/** Files of this repository that a page names; a part in capitals stands for a name of the reader's own. */
function named(page: string): string[] {
  const paths = page.match(/(?<=`)(?:boards|ci|docs|harness|kernel-configs|scripts|test|zoo)\/[\w./-]+(?=`)/g) ?? [];
  return paths.filter((path) => !/\b[A-Z]+\b/.test(path));
}

test('pages name files of this repository', () => {
  const docs = readdirSync(join(ROOT, 'docs')).map((name) => join('docs', name));
  const pages = [...readdirSync(ROOT), ...docs].filter((name) => name.endsWith('.md'));
  const found = pages.flatMap((page) => named(readFileSync(join(ROOT, page), 'utf8')).map((path) => ({ page, path })));
  expect(found.length).toBeGreaterThan(40);
  expect(found.filter(({ path }) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test('only one function says how bootrace is called', () => {
  const harness = readdirSync(join(ROOT, 'harness'), { recursive: true, encoding: 'utf8' });
  const others = harness
    .filter((name) => /\.tsx?$/.test(name) && name !== 'invocation.ts')
    .filter((name) => /npx bootrace|npm run -s bootrace/.test(readFileSync(join(ROOT, 'harness', name), 'utf8')));
  expect(others).toEqual([]);
});

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const HARNESS = join(import.meta.dirname, '../../harness');
const COLUMNS = 120;

test('no line of harness/ is longer than 120 columns', () => {
  const files = readdirSync(HARNESS, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(?:tsx?|[chS]|css)$/.test(name),
  );
  expect(files.length).toBeGreaterThan(200);
  const long = files.flatMap((file) =>
    readFileSync(join(HARNESS, file), 'utf8')
      .split('\n')
      .flatMap((line, n) =>
        line.replaceAll('\t', ' ').length > COLUMNS ? [`${file}:${n + 1}: ${line.length} columns`] : [],
      ),
  );
  expect(long).toEqual([]);
});

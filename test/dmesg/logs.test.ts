import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { classifyBytes } from '../../harness/verdict/classify.ts';

// Recorded and made logs with what they mean: adding a case is adding NAME.log and NAME.json. The JSON holds the parts of
// the classification that the case is about; `crashes` always lists all of them.
const FOLDER = join(import.meta.dirname, '../logs');
const OPTIONS = { knownIssues: [], today: '2026-01-01' };

describe('recorded logs', () => {
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.log'))) {
    it(file, () => {
      const expected = JSON.parse(readFileSync(join(FOLDER, file.replace(/\.log$/, '.json')), 'utf8'));
      const found = classifyBytes(file, readFileSync(join(FOLDER, file)), OPTIONS);
      expect(found.crashes.map((crash) => crash.title)).toHaveLength(expected.crashes.length);
      expect(found).toMatchObject(expected);
    });
  }
});

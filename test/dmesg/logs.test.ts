import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { classifyBytes } from '../../harness/verdict/classify.ts';
import { formatExpectation, parseExpectation, updatedExpectation } from './expectation.ts';

// Recorded and made logs with what they mean: adding a case is adding NAME.log and NAME.json. The JSON holds the parts of
// the classification that the case is about; `crashes` always lists all of them. `npm run update-logs` rewrites the JSON
// files to what is found now, and shows the difference (CONTRIBUTING.md).
const FOLDER = join(import.meta.dirname, '../logs');
const OPTIONS = { knownIssues: [], today: '2026-01-01' };
const UPDATE = process.env.UPDATE_LOGS !== undefined;

function classifyLog(file: string) {
  return classifyBytes(file, readFileSync(join(FOLDER, file)), OPTIONS);
}

const logs = readdirSync(FOLDER).filter((name) => name.endsWith('.log'));

describe('recorded logs', () => {
  for (const file of logs) {
    it(file, () => {
      const path = join(FOLDER, file.replace(/\.log$/, '.json'));
      const found = classifyLog(file);
      if (UPDATE) {
        const before = existsSync(path) ? parseExpectation(readFileSync(path, 'utf8')) : null;
        writeFileSync(path, formatExpectation(updatedExpectation(found, before)));
        return;
      }
      const expected = parseExpectation(readFileSync(path, 'utf8'));
      expect(found.crashes.map((crash) => crash.title)).toHaveLength([expected.crashes].flat().length);
      expect(found).toMatchObject(expected);
    });
  }
});

describe('the update', () => {
  const file = 'boot-6.1-builtin-null.log';

  test('leaves alone what is right', () => {
    for (const log of logs.filter((_, n) => n % 10 === 0)) {
      const text = readFileSync(join(FOLDER, log.replace(/\.log$/, '.json')), 'utf8');
      expect(formatExpectation(updatedExpectation(classifyLog(log), parseExpectation(text)))).toBe(text);
    }
  });

  test('changes values and keeps the choice of parts', () => {
    const before = { verdict: 'bound', crashes: [{ kind: 'panic', probing: { driver: 'none' } }, { kind: 'oops' }] };
    expect(updatedExpectation(classifyLog(file), before)).toEqual({
      verdict: 'null-deref',
      crashes: [{ kind: 'null-deref', probing: { driver: 'arm-smmu' } }],
    });
  });

  test('says the place and the name of a crash that was not expected, and writes a first expectation', () => {
    const crash = {
      line: 369,
      lastLine: 415,
      kind: 'null-deref',
      title: 'unable to handle kernel NULL pointer dereference in qcom_scm_qsmmu500_wait_safe_toggle',
      function: 'qcom_scm_qsmmu500_wait_safe_toggle',
    };
    const found = classifyLog(file);
    expect(updatedExpectation(found, { crashes: [] })).toEqual({ crashes: [crash] });
    const first = updatedExpectation(found, null);
    expect(first).toMatchObject({ verdict: 'null-deref', crashes: [crash], bound: ['9000000.serial', 'soc'] });
    expect(Object.keys(first)).not.toContain('rejected');
  });
});

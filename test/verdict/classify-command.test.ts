import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dir } from 'tmp-promise';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { classify } from '../../harness/commands/classify.ts';

const LOGS = join(import.meta.dirname, '../logs');
const printed: string[] = [];

beforeEach(() => {
  printed.length = 0;
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed.push(String(text));
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

const log = (name: string): string => join(LOGS, `${name}.log`);

describe('bootrace classify', () => {
  it('prints one JSON object a file, in the order of the files', async () => {
    expect(await classify([log('arm64-4.19-null'), log('clean-noise')], { json: true })).toBe(1);
    const results: unknown = JSON.parse(printed.join(''));
    expect(results).toMatchObject([
      { file: log('arm64-4.19-null'), verdict: 'null-deref', crashes: [{ kind: 'null-deref', module: 'foo_phy' }] },
      { file: log('clean-noise'), crashes: [], deferrals: [{ device: '3000000.gpu', outcome: 'pending' }] },
    ]);
  });

  it('says in words what happened, where and in whose probe', async () => {
    expect(await classify([log('probing-crash')], {})).toBe(1);
    const text = printed.join('');
    expect(text).toContain('unable to handle kernel NULL pointer dereference in foo_drv_setup');
    expect(text).toContain('while foo-drv probed 1000.foo');
    expect(text).toContain('events_unbound async_run_entry_fn');
  });

  it('tells a boot that went through from one that did not and from no verdict', async () => {
    expect(await classify([log('userspace-quotes')], {})).toBe(0);
    expect(await classify([log('warn-3.10'), log('userspace-quotes')], {})).toBe(1);
    const folder = await dir({ unsafeCleanup: true });
    try {
      const empty = join(folder.path, 'empty.log');
      await writeFile(empty, '');
      expect(await classify([empty], {})).toBe(3);
      expect(await classify([empty, log('warn-3.10')], {})).toBe(1);
    } finally {
      await folder.cleanup();
    }
  });

  it('takes known issues into account', async () => {
    const folder = await dir({ unsafeCleanup: true });
    try {
      const file = join(folder.path, 'known-issues.yaml');
      const entry = (expires: string): string =>
        `- { device: 3000000.gpu, reason: no firmware, link: 'https://example.org', expires: ${expires} }\n`;
      await writeFile(file, entry('9999-12-31'));
      expect(await classify([log('clean-noise')], { knownIssues: file })).toBe(0);
      expect(printed.join('')).toContain('no firmware');
      await writeFile(file, entry('2020-01-01'));
      expect(await classify([log('clean-noise')], { knownIssues: file })).toBe(1);
      expect(printed.join('')).toContain('expired on 2020-01-01');
    } finally {
      await folder.cleanup();
    }
  });

  it('names a file that cannot be read', async () => {
    await expect(classify([log('no-such-log')], {})).rejects.toThrow(/no-such-log.* cannot be read \(ENOENT\)/);
  });

  it('prints no control characters of the log', async () => {
    const folder = await dir({ unsafeCleanup: true });
    try {
      const file = join(folder.path, 'console.log');
      await writeFile(
        file,
        '[    1.000000] foo: probe of dev\u009b2J\u0007 failed with error -22\n[    2.000000] Run /init as init process\n',
      );
      await classify([file], {});
      expect(printed.join('').replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    } finally {
      await folder.cleanup();
    }
  });
});

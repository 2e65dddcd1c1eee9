import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { dir } from 'tmp-promise';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { classify } from '../../harness/commands/classify.ts';
import { classificationsSchema } from './classification-schema.ts';

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

  it('says once why functions further in are not to blame', async () => {
    expect(await classify([log('blocked-task-alone')], {})).toBe(1);
    const text = printed.join('');
    expect(text).toContain('not __mutex_lock, __mutex_lock_slowpath, mutex_lock: each takes, ');
    expect(text.match(/: each waits/g)).toHaveLength(1);
  });

  it('names the function to blame where the title does not', async () => {
    expect(await classify([log('sysfs-duplicate'), log('probing-crash')], {})).toBe(1);
    expect(printed.join('').match(/^ +to blame: .*$/gm)).toEqual(['    to blame: foo_hwmon_register']);
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

  it('reads what gzip, xz and zstd packed, whatever the file is called', async () => {
    await inFolder(async (folder) => {
      const text = await readFile(log('warn-3.10'));
      const plain = join(folder, 'plain.log');
      await writeFile(plain, text);
      await writeFile(join(folder, 'a.log'), gzipSync(text));
      execFileSync('xz', ['--keep', '--suffix=.packed', plain]);
      execFileSync('zstd', ['--quiet', plain, '-o', join(folder, 'b.log')]);
      const files = ['a.log', 'plain.log.packed', 'b.log', 'plain.log'].map((name) => join(folder, name));
      expect(await classify(files, { json: true })).toBe(1);
      const results: { crashes: unknown }[] = JSON.parse(printed.join(''));
      expect(results).toHaveLength(4);
      for (const result of results) expect(result.crashes).toEqual(results[3]?.crashes);
    });
  });

  it('says so when a packed log is not whole', async () => {
    await inFolder(async (folder) => {
      const text = await readFile(log('boot-6.1-clean'));
      await writeFile(join(folder, 'whole.log'), text);
      execFileSync('xz', ['--keep', join(folder, 'whole.log')]);
      const packed = { gzip: gzipSync(text), xz: await readFile(join(folder, 'whole.log.xz')) };
      for (const [name, bytes] of Object.entries(packed)) {
        await writeFile(join(folder, 'cut'), bytes.subarray(0, 900));
        await expect(classify([join(folder, 'cut')], {}), name).rejects.toThrow(`is not a whole ${name} file`);
      }
    });
  });

  it('takes the logs of a folder, and sums up', async () => {
    await inFolder(async (folder) => {
      await mkdir(join(folder, 'cell'));
      await writeFile(join(folder, 'cell', 'console.log'), await readFile(log('userspace-quotes')));
      await writeFile(join(folder, 'cell', 'cell.json'), 'BUG: no log');
      await writeFile(join(folder, 'b.txt'), await readFile(log('warn-3.10')));
      await writeFile(join(folder, 'c.log'), '[    1.000000] usb 1-1: new device\n');
      expect(await classify([folder], {})).toBe(1);
      const text = printed.join('');
      expect(text).toContain('3 logs: 1 warning, 1 fragment, 1 bound');
      expect(text).not.toContain('cell.json');
      await mkdir(join(folder, 'empty'));
      await expect(classify([join(folder, 'empty')], {})).rejects.toThrow('holds no logs');
    });
  });

  it('calls an excerpt a fragment', async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'part.log');
      await writeFile(file, '[    1.000000] usb 1-1: new device\n');
      expect(await classify([file], {})).toBe(3);
      expect(printed.join('')).toMatch(
        /fragment.*the log has no beginning or end; it shows no crash, and the driver core speaks of no device/,
      );
    });
  });

  it('prints JSON of the schema that is published', async () => {
    const schema = z.toJSONSchema(classificationsSchema, { io: 'output' });
    // Written anew by `npx vitest run test/verdict -u`.
    await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot('../../docs/classify.schema.json');
    const logs = readdirSync(LOGS).filter((name) => name.endsWith('.log'));
    await classify(
      logs.map((name) => join(LOGS, name)),
      { json: true },
    );
    const ajv = new Ajv2020({ strict: false });
    const results: unknown = JSON.parse(printed.join(''));
    expect(ajv.validate(schema, results), ajv.errorsText()).toBe(true);
    expect(ajv.validate(schema, [{ verdict: 'bound' }])).toBe(false);
  });
});

async function inFolder(work: (path: string) => Promise<void>): Promise<void> {
  const folder = await dir({ unsafeCleanup: true });
  try {
    await work(folder.path);
  } finally {
    await folder.cleanup();
  }
}

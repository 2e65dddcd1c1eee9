import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { withDir } from 'tmp-promise';
import { expect, test } from 'vitest';
import { type RawBoot, replayBoot } from '../../harness/run/boot.ts';
import { fingerprintOf, type PreparedCell } from '../../harness/run/prepare.ts';
import { ResultCache } from '../../harness/run/result-cache.ts';

const inFolder = (body: (path: string) => Promise<void>) => () =>
  withDir(({ path }) => body(path), { unsafeCleanup: true });

const POWERED_OFF = '[    0.100000] Run /init as init process\n[    0.700000] reboot: Power down\n';

function aBoot(over: Partial<RawBoot> = {}): RawBoot {
  return {
    console: Buffer.from(POWERED_OFF),
    firmwareLog: '1 delayed firmware:scm 6000\n',
    end: { end: 'stopped' },
    ...over,
  };
}

async function onlyEntry(root: string): Promise<string> {
  const [name, ...others] = await readdir(join(root, 'boots'));
  if (name === undefined || others.length > 0) throw new Error('expected one entry');
  return join(root, 'boots', name);
}

test(
  'a boot comes back as it was, bytes that are no text included',
  inFolder(async (root) => {
    const cache = await ResultCache.open(root, 'QEMU 7.2');
    const boot = aBoot({ console: Buffer.from([0, 0xff, 0x0a, 0x80, 0x0d]) });
    await cache.write('f', boot);
    expect((await ResultCache.open(root, 'QEMU 7.2')).read('f')).toEqual(boot);
    const exited = aBoot({ end: { end: 'exited', code: 0, stderr: '' } });
    await cache.write('g', exited);
    expect(cache.read('g')).toEqual(exited);
  }),
);

test(
  'another fingerprint or another QEMU has no boot',
  inFolder(async (root) => {
    const cache = await ResultCache.open(root, 'QEMU 7.2');
    await cache.write('f', aBoot());
    expect(cache.read('g')).toBeNull();
    expect((await ResultCache.open(root, 'QEMU 9.0')).read('f')).toBeNull();
  }),
);

test.each<RawBoot['end']>([
  { end: 'silent', stderr: '' },
  { end: 'killed', signal: 'SIGKILL', stderr: '' },
  { end: 'exited', code: 1, stderr: 'no such device' },
])('a boot whose end says nothing about the next one is not kept: %j', (end) =>
  withDir(
    async ({ path }) => {
      const cache = await ResultCache.open(path, 'QEMU');
      await cache.write('f', aBoot({ end }));
      expect(await readdir(join(path, 'boots'))).toEqual([]);
    },
    { unsafeCleanup: true },
  ),
);

test(
  'a damaged entry is no boot, and gives way to the next one',
  inFolder(async (root) => {
    const cache = await ResultCache.open(root, 'QEMU');
    await cache.write('f', aBoot());
    const entry = await onlyEntry(root);
    const bytes = await readFile(entry);
    const damages = [
      bytes.subarray(0, bytes.length - 9),
      Buffer.from(bytes.map((byte, at) => (at === 30 ? byte ^ 0x40 : byte))),
      Buffer.alloc(0),
      Buffer.from('not gzip'),
    ];
    for (const damaged of damages) {
      await writeFile(entry, damaged);
      expect(cache.read('f')).toBeNull();
      expect(await readdir(join(root, 'boots'))).toEqual([]);
    }
  }),
);

test(
  'an entry whose parts have other lengths than it says is no boot',
  inFolder(async (root) => {
    const cache = await ResultCache.open(root, 'QEMU');
    await cache.write('f', aBoot());
    const entry = await onlyEntry(root);
    const whole = gunzipSync(await readFile(entry));
    for (const other of [whole.subarray(0, -3), Buffer.concat([whole, Buffer.from('more')])]) {
      await writeFile(entry, gzipSync(other));
      expect(cache.read('f')).toBeNull();
    }
    await writeFile(entry, gzipSync(whole));
    expect(cache.read('f')).toEqual(aBoot());
  }),
);

test('another table of gates, input or word of QEMU is another boot', () => {
  const one = fingerprintOf({ image: 'a' }, Buffer.from([1]), ['-smp', '1']);
  expect(fingerprintOf({ image: 'a' }, Buffer.from([1]), ['-smp', '1'])).toBe(one);
  const others = [
    fingerprintOf({ image: 'a' }, Buffer.from([2]), ['-smp', '1']),
    fingerprintOf({ image: 'a' }, null, ['-smp', '1']),
    fingerprintOf({ image: 'b' }, Buffer.from([1]), ['-smp', '1']),
    fingerprintOf({ image: 'a' }, Buffer.from([1]), ['-smp', '2']),
  ];
  expect(new Set([one, ...others]).size).toBe(1 + others.length);
});

test(
  'what was used longest ago goes first when the boots outgrow their room',
  inFolder(async (root) => {
    const cache = await ResultCache.open(root, 'QEMU');
    const folder = join(root, 'boots');
    const names = new Map<string, string>();
    for (const [day, fingerprint] of ['old', 'older', 'young'].entries()) {
      const before = new Set(await readdir(folder));
      await cache.write(fingerprint, aBoot());
      const name = (await readdir(folder)).find((one) => !before.has(one));
      if (name === undefined) throw new Error('nothing was written');
      names.set(fingerprint, name);
      await utimes(join(folder, name), 1000 + day, 1000 + day);
    }
    await writeFile(join(folder, `${names.get('old')}.being-written`), 'x');
    // A read makes the first one the youngest.
    expect(cache.read('old')).not.toBeNull();
    const size = (await readFile(join(folder, names.get('old') ?? ''))).length;
    await cache.trim(2 * size);
    expect((await readdir(folder)).sort()).toEqual(
      [names.get('old'), `${names.get('old')}.being-written`, names.get('young')].sort(),
    );
  }),
);

function inFolderOf(path: string): PreparedCell {
  const file = join(path, 'x');
  const files = {
    firmware: file,
    image: file,
    deviceTree: file,
    initramfs: file,
    plan: '',
    modules: null,
    gates: null,
    boardPlan: null,
    registers: [],
    firmwareLog: join(path, 'firmware.log'),
  };
  return {
    folder: path,
    files,
    machine: { cpus: 1, shift: 4, board: null, cpu: 'cortex-a57' },
    hasConsole: false,
    devices: [],
    survivesOops: false,
    inputs: {},
    fingerprint: '',
  };
}

test(
  'a kept boot is cut where a new one would have been ended, and leaves the same files',
  inFolder(async (path) => {
    const boot = aBoot({ console: Buffer.from(`${POWERED_OFF}[    0.700100] what came before QEMU was gone\n`) });
    const replayed = replayBoot(inFolderOf(path), boot);
    expect(replayed?.console.toString()).toBe(POWERED_OFF);
    expect(replayed?.events.at(-1)).toMatchObject({ event: 'shutdown', line: 2 });
    expect(await readFile(join(path, 'console.log'), 'utf8')).toBe(POWERED_OFF);
    expect(await readFile(join(path, 'firmware.log'), 'utf8')).toBe(boot.firmwareLog);
  }),
);

test(
  'a boot that was ended where the parser of today goes on has to be done again',
  inFolder(async (path) => {
    const console = Buffer.from('[    0.100000] Run /init as init process\n');
    expect(replayBoot(inFolderOf(path), aBoot({ console }))).toBeNull();
    const exited = aBoot({ console, end: { end: 'exited', code: 0, stderr: '' } });
    expect(replayBoot(inFolderOf(path), exited)?.console).toEqual(console);
  }),
);

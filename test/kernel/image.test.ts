import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { imagePages, imageRelease, openImage, probeImage } from '../../harness/kernel/image.ts';

const HEADER_SIZE = 64;

/** An arm64 Image as booting.rst describes it: 64 bytes of header, then content. */
function image(content = 'Linux version 6.1.0-test (x@y) #1', memory?: number): Buffer {
  const header = Buffer.alloc(HEADER_SIZE);
  header.write('ARM\x64', 0x38, 'latin1');
  const body = Buffer.from(content, 'latin1');
  header.writeBigUInt64LE(BigInt(memory ?? HEADER_SIZE + body.length), 0x10);
  return Buffer.concat([header, body]);
}

function zboot(payload: Buffer, compression: string): Buffer {
  const header = Buffer.alloc(0x60);
  header.write('MZ\0\0zimg', 0, 'latin1');
  header.writeUInt32LE(header.length, 8);
  header.writeUInt32LE(payload.length, 12);
  header.write(compression, 24, 'latin1');
  return Buffer.concat([header, payload]);
}

function elf(machine: number): Buffer {
  const file = Buffer.alloc(128);
  file.write('\x7fELF', 0, 'latin1');
  file.writeUInt16LE(machine, 18);
  return file;
}

const packed = (program: 'xz' | 'zstd') =>
  execFileSync(program, ['--compress', '--stdout'].slice(program === 'xz' ? 0 : 1), { input: image() });

describe('a kernel file', () => {
  it('is taken plain, gzipped, or as an EFI zboot image', () => {
    for (const file of [image(), gzipSync(image()), zboot(gzipSync(image()), 'gzip')]) {
      expect(openImage(file)).toEqual({ ok: true, image: image() });
    }
  });

  const bzImage = Buffer.alloc(1024);
  bzImage.write('HdrS', 0x202, 'latin1');
  it.each([
    ['an x86 kernel', bzImage, 'is an x86 bzImage, not an arm64 Image'],
    ['an x86 vmlinux', elf(62), 'ELF file for x86-64 machines'],
    ['an arm64 vmlinux', elf(183), 'ELF file for arm64 machines, not the flat arch/arm64/boot/Image'],
    ['nothing', Buffer.alloc(0), 'is cut short: it is empty'],
    ['a part of a header', image().subarray(0, 40), 'is cut short: it has 40 bytes only'],
    ['half an Image', image('x'.repeat(1000), 4000), 'is cut short: it has 1064 bytes'],
    ['a cut gzip', gzipSync(image('x'.repeat(5000))).subarray(0, 40), 'is a gzip archive that cannot be unpacked'],
    ['a cut zboot', zboot(gzipSync(image()), 'gzip').subarray(0, 120), 'is cut short'],
    ['a zboot of another kind', zboot(gzipSync(image()), 'lzo'), 'lzo compression; give the plain Image'],
    [
      'a cut zboot of xz',
      zboot(packed('xz').subarray(0, 60), 'xzkern'),
      'is a zboot image for EFI that cannot be unpacked',
    ],
    ['a gzip of something else', gzipSync(elf(62)), 'is a gzip archive, but what is inside is an ELF file'],
    ['text', Buffer.from('x'.repeat(200)), 'is no kernel that bootrace knows'],
  ])('that is %s is refused by name', (_, file, problem) => {
    expect(openImage(file)).toEqual({ ok: false, problem: expect.stringContaining(problem) });
  });

  it.each([
    ['xz', packed('xz')],
    ['zstd', packed('zstd')],
    ['a zboot with xz', zboot(packed('xz'), 'xzkern')],
    ['a zboot with zstd', zboot(packed('zstd'), 'zstd22')],
  ])('in %s is unpacked', (_, file) => {
    expect(openImage(file)).toEqual({ ok: true, image: image() });
  });

  it('with EFI sections is cut short where one ends after the file', () => {
    const file = image('x'.repeat(400));
    const PE = 64;
    file.write('MZ', 0, 'latin1');
    file.writeUInt32LE(PE, 0x3c);
    file.write('PE\0\0', PE, 'latin1');
    file.writeUInt16LE(1, PE + 6);
    file.writeUInt16LE(0, PE + 20);
    const section = PE + 24;
    file.writeUInt32LE(100, section + 16);
    file.writeUInt32LE(file.length - 100, section + 20);
    expect(probeImage(file)).toEqual({ is: 'arm64-image' });
    expect(probeImage(file.subarray(0, -1))).toMatchObject({ is: 'truncated' });
  });

  it('of any content is judged without an exception', () => {
    const magics = ['', 'MZ\0\0zimg', '\x7fELF', '\x1f\x8b\x08', 'MZ'];
    fc.assert(
      fc.property(
        fc.constantFrom(...magics),
        fc.uint8Array({ maxLength: 200 }),
        fc.boolean(),
        (magic, bytes, arm64) => {
          const file = Buffer.concat([Buffer.from(magic, 'latin1'), bytes]);
          if (arm64 && file.length >= HEADER_SIZE) file.write('ARM\x64', 0x38, 'latin1');
          expect(typeof openImage(file).ok).toBe('boolean');
        },
      ),
    );
  });

  it('tells its release by its banner', () => {
    expect(imageRelease(image())).toBe('6.1.0-test');
    expect(imageRelease(image('Linux version %s and Linux version 6.12.1+deb12-arm64 (b@d)'))).toBe(
      '6.12.1+deb12-arm64',
    );
    expect(imageRelease(image('Linux version '))).toBeNull();
  });
});

// Flags of kernels that were booted: 0x0a and 0x0c are Debian's 6.12, plain and with 16 KiB pages.
it.each([
  [0x00, 4],
  [0x0a, 4],
  [0x0c, 16],
  [0x0e, 64],
])('the flags 0x%s of an Image are pages of %d KiB', (flags, pages) => {
  const file = image();
  file.writeUInt8(flags, 0x18);
  expect(imagePages(file)).toBe(pages);
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stripModule } from '../../harness/kernel/strip.ts';

/** A relocatable file with the named sections, each of eight bytes. */
function module(...names: string[]): Buffer {
  const strings = `\0${[...names, '.shstrtab'].join('\0')}\0`;
  const file = Buffer.alloc(64 + 8 + strings.length + 64 * (names.length + 2));
  file.write('\x7fELF\x02\x01', 0, 'latin1');
  const table = 72 + strings.length;
  file.writeBigUInt64LE(BigInt(table), 0x28);
  file.writeUInt16LE(names.length + 2, 0x3c);
  file.writeUInt16LE(names.length + 1, 0x3e);
  file.write(strings, 72, 'latin1');
  [...names, '.shstrtab'].forEach((name, index) => {
    const header = table + 64 * (index + 1);
    file.writeUInt32LE(strings.indexOf(`\0${name}\0`) + 1, header);
    file.writeBigUInt64LE(2n, header + 8);
    file.writeBigUInt64LE(BigInt(name === '.shstrtab' ? 72 : 64), header + 0x18);
    file.writeBigUInt64LE(BigInt(name === '.shstrtab' ? strings.length : 8), header + 0x20);
  });
  return file;
}

function sign(file: Buffer, size: number): Buffer {
  const info = Buffer.alloc(12);
  info.writeUInt32BE(size, 8);
  return Buffer.concat([file, Buffer.alloc(size), info, Buffer.from('~Module signature appended~\n')]);
}

test('BTF and the signature go, the rest stays', () => {
  const file = module('.text', '.BTF', '.BTF.base');
  const stripped = stripModule(sign(file, 400));
  expect(stripped.length).toBe(file.length);
  expect(stripped.includes('\0.text\0')).toBe(true);
  expect(stripped.includes('.BTF')).toBe(false);
  expect(stripped.subarray(0, 72)).toEqual(file.subarray(0, 72));
});

test('a module without either is left alone', () => {
  expect(stripModule(module('.text', '.data'))).toEqual(module('.text', '.data'));
});

test('no bytes make it throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(400), (bytes, at) => {
      const file = module('.text', '.BTF');
      file.set(bytes.subarray(0, Math.max(0, file.length - at)), Math.min(at, file.length));
      expect(() => stripModule(file)).not.toThrow();
    }),
  );
});

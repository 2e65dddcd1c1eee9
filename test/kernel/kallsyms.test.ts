import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readKallsyms } from '../../harness/kernel/kallsyms.ts';

/** An Image's tables as scripts/kallsyms.c lays them out, in the orders of several versions of Linux. */

interface Layout {
  /** Of every label: `.balign`. */
  readonly align: 4 | 8;
  /** Before the number of names, behind the token index, or relative to their own places behind it. */
  readonly offsets: 'first' | 'last' | 'places';
  /** The base stands there, or a relocation puts it there. */
  readonly base: 'value' | 'relocation';
  readonly seqs: boolean;
}

const LAYOUTS: Readonly<Record<string, Layout>> = {
  '5.10': { align: 8, offsets: 'first', base: 'relocation', seqs: false },
  '6.1': { align: 8, offsets: 'first', base: 'value', seqs: true },
  '6.12': { align: 8, offsets: 'last', base: 'relocation', seqs: true },
  '6.16': { align: 8, offsets: 'last', base: 'value', seqs: true },
  '7.2': { align: 4, offsets: 'places', base: 'value', seqs: true },
};

const BASE = 0xffff_8000_8000_0000n;
const TEXT = 0x1_0000;
/** Tokens of two characters, in place of characters that no name has. */
const PAIRS = new Map([
  ['_i', 0x01],
  ['pr', 0x02],
]);

interface Symbol {
  readonly offset: number;
  readonly type: string;
  readonly name: string;
}

function numbers(size: 2 | 4, values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(size * values.length);
  values.forEach((value, n) => {
    if (size === 2) bytes.writeUInt16LE(value, 2 * n);
    else bytes.writeInt32LE(value | 0, 4 * n);
  });
  return bytes;
}

function compressed(text: string): Buffer {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const pair = PAIRS.get(text.slice(at, at + 2));
    bytes.push(pair ?? text.charCodeAt(at));
    if (pair !== undefined) at++;
  }
  const { length } = bytes;
  return Buffer.from(length < 0x80 ? [length, ...bytes] : [(length & 0x7f) | 0x80, length >> 7, ...bytes]);
}

function imageWith(symbols: readonly Symbol[], { align, offsets, base, seqs }: Layout): Buffer {
  // Text of the kernel, with pointers into it.
  let image = Buffer.concat([Buffer.from('0\x001\x002\x003\x00\x00', 'latin1'), Buffer.alloc(TEXT - 10, 0x1f)]);
  const pad = (to: number) => {
    image = Buffer.concat([image, Buffer.alloc((to - (image.length % to)) % to)]);
  };
  const put = (bytes: Buffer) => {
    pad(align);
    const place = image.length;
    image = Buffer.concat([image, bytes]);
    return place;
  };
  const pointers = Buffer.alloc(800);
  for (let n = 0; n < 100; n++) pointers.writeBigUInt64LE(BASE + BigInt(8 * n), 8 * n);
  put(pointers);
  const first = BigInt(symbols[0]?.offset ?? 0);
  let basePlace = 0;
  const putOffsets = () => {
    put(
      numbers(
        4,
        symbols.map(({ offset }) => offset - Number(first)),
      ),
    );
    pad(8);
    const value = Buffer.alloc(8);
    if (base === 'value') value.writeBigUInt64LE(BASE + first);
    basePlace = put(value);
  };
  const names = symbols.map(({ type, name }) => compressed(type + name));
  const markers: number[] = [];
  let length = 0;
  names.forEach((name, n) => {
    if (n % 256 === 0) markers.push(length);
    length += name.length;
  });
  const tokens = Array.from({ length: 256 }, (_, code) => {
    const pair = [...PAIRS].find(([, token]) => token === code)?.[0];
    return pair ?? (code === 0 ? '' : String.fromCharCode(code));
  });
  const starts: number[] = [];
  tokens.reduce((at, token) => {
    starts.push(at);
    return at + token.length + 1;
  }, 0);
  if (offsets === 'first') putOffsets();
  put(numbers(4, [symbols.length]));
  put(Buffer.concat(names));
  put(numbers(4, markers));
  if (seqs && offsets === 'first') put(Buffer.alloc(3 * symbols.length, 7));
  put(Buffer.from(tokens.map((token) => `${token}\0`).join(''), 'latin1'));
  put(numbers(2, starts));
  if (offsets === 'last') putOffsets();
  if (offsets === 'places') {
    pad(align);
    const place = image.length;
    put(
      numbers(
        4,
        symbols.map(({ offset }, n) => offset - (place + 4 * n)),
      ),
    );
  }
  if (seqs && offsets !== 'first') put(Buffer.alloc(3 * symbols.length, 7));
  const relocation = Buffer.alloc(48);
  const words = [BASE + 0x40n, 1027n, BASE + 0x80n, BASE + BigInt(basePlace), 1027n, BASE + first];
  for (const [n, word] of words.entries()) relocation.writeBigUInt64LE(word, 8 * n);
  pad(8);
  if (base === 'relocation') put(relocation);
  return image;
}

const symbolsOf = (names: readonly string[], first: number): Symbol[] =>
  names.map((name, n) => ({ offset: first + 16 * n, type: n % 3 === 0 ? 't' : 'T', name }));

const MANY = Array.from({ length: 1500 }, (_, n) => `pr_init_${n}`);

describe.each(Object.entries(LAYOUTS))('tables of Linux %s', (_version, layout) => {
  test('are read as the kernel would', () => {
    // Without CONFIG_KALLSYMS_ALL the first symbol is not that of the Image's first byte.
    for (const first of [0, TEXT]) {
      const symbols = symbolsOf(MANY, first);
      const lines = symbols.map(
        ({ offset, type, name }) => `${(BASE + BigInt(offset)).toString(16)} ${type} ${name}\n`,
      );
      expect(readKallsyms(imageWith(symbols, layout))).toBe(lines.join(''));
    }
  });

  test('with any names', () => {
    const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.$]{0,200}$/);
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 40 }), (some) => {
        const symbols = symbolsOf([...some, ...MANY], TEXT);
        const read = readKallsyms(imageWith(symbols, layout)) ?? '';
        expect(read.split('\n').slice(0, some.length)).toEqual(
          some.map((text, n) => `${(BASE + BigInt(TEXT + 16 * n)).toString(16)} ${n % 3 === 0 ? 't' : 'T'} ${text}`),
        );
      }),
      { numRuns: 20 },
    );
  });

  test('that are cut short or damaged are none, or name nothing that is not there', () => {
    const image = imageWith(symbolsOf(MANY, TEXT), layout);
    const there = new Set(readKallsyms(image)?.split('\n'));
    fc.assert(
      fc.property(fc.integer({ min: TEXT, max: image.length }), (length) => {
        const cut = readKallsyms(image.subarray(0, length)) ?? '';
        expect(cut.split('\n').filter((line) => line !== '' && !there.has(line))).toEqual([]);
      }),
      { numRuns: 50 },
    );
    const tables = image.indexOf('0\x001\x002\x003\x004\x00', TEXT, 'latin1');
    const damaged = Buffer.from(image);
    damaged.fill(0, tables, tables + 8);
    expect(readKallsyms(damaged)).toBeNull();
  });
});

test('a file that is made to be looked at for ever is given up', () => {
  const image = imageWith(symbolsOf(MANY, TEXT), { align: 8, offsets: 'last', base: 'value', seqs: false });
  // Each word is a number of names, and each of those names is three bytes long; none has markers.
  const endless = Buffer.alloc(8_000_000, Buffer.from([0x03, 0x10, 0x20, 0x00]));
  const tables = image.subarray(image.lastIndexOf('0\x001\x002\x003\x004\x00', undefined, 'latin1') - 200);
  const started = performance.now();
  expect(readKallsyms(Buffer.concat([endless, tables]))).toBeNull();
  expect(performance.now() - started).toBeLessThan(20_000);
});

test('a file without such tables has no symbols', () => {
  expect(readKallsyms(Buffer.alloc(0))).toBeNull();
  expect(readKallsyms(Buffer.alloc(4096))).toBeNull();
  expect(
    readKallsyms(Buffer.from('0\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00'.repeat(100), 'latin1')),
  ).toBeNull();
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFields, type Field, MemoryImage, word } from '../../harness/devices/register-image.ts';

/** Fields that do not overlap: one a word, anywhere in it. */
const anyFields = fc
  .uniqueArray(
    fc
      .record({ index: fc.nat(64), bit: fc.nat(31), width: fc.integer({ min: 1, max: 32 }), raw: fc.maxSafeNat() })
      .map(({ index, bit, width, raw }) => {
        const fits = Math.min(width, 32 - bit);
        return { register: index * 4, bit, width: fits, value: raw % 2 ** fits };
      }),
    { selector: ({ register }) => register, minLength: 1, maxLength: 20 },
  )
  .map((all) => ({
    fields: Object.fromEntries(all.map(({ value: _, ...field }, index): [string, Field] => [`F${index}`, field])),
    values: Object.fromEntries(all.map(({ value }, index): [string, number] => [`F${index}`, value])),
  }));

describe('images of register files', () => {
  it('hold every field at its place, and zero elsewhere', () => {
    fc.assert(
      fc.property(anyFields, ({ fields, values }) => {
        const image = encodeFields(fields, values);
        const view = new DataView(image.buffer);
        let bits = 0;
        for (const [name, { register, bit, width }] of Object.entries(fields)) {
          const got = (BigInt(view.getUint32(register, true)) >> BigInt(bit)) & ((1n << BigInt(width)) - 1n);
          expect(got).toBe(BigInt(values[name] ?? -1));
          bits += got.toString(2).replaceAll('0', '').length;
        }
        const set = [...image].reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0);
        expect(set).toBe(bits);
      }),
    );
  });

  it.each([4, -1, 0.5, Number.NaN])('refuse %d in two bits', (value) => {
    expect(() => encodeFields({ MODE: { register: 0, bit: 3, width: 2 } }, { MODE: value })).toThrow(
      `field MODE has 2 bits and cannot hold ${value}`,
    );
  });

  it('hold a whole word', () => {
    expect([...encodeFields({ MAGIC: word(4) }, { MAGIC: 0xfedc_ba98 })]).toEqual([0, 0, 0, 0, 0x98, 0xba, 0xdc, 0xfe]);
  });

  it('refuse what lies outside of memory', () => {
    const image = new MemoryImage(4);
    expect(() => image.u32(1, 0)).toThrow(RangeError);
    expect(() => image.text(0, 4, 'five!')).toThrow('longer than 4 bytes');
  });
});

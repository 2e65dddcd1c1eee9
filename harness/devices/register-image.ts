import { namesOf } from '../model/names.ts';

/** One field of a register, or of a packed word in memory. */
export interface Field {
  /** Offset of the 32-bit little-endian word from the start of the image, in bytes. */
  readonly register: number;
  /** Least significant bit. */
  readonly bit: number;
  /** Bits. */
  readonly width: number;
}

/** A whole register as one field. */
export function word(register: number): Field {
  return { register, bit: 0, width: 32 };
}

const WORD = Uint32Array.BYTES_PER_ELEMENT;

/**
 * Little-endian image of the named fields, as long as the last of them needs; everything else reads as zero.
 * Throws RangeError for a value that its field cannot hold.
 */
export function encodeFields<Name extends string>(
  fields: Readonly<Record<Name, Field>>,
  values: Readonly<Record<Name, number>>,
): Uint8Array {
  const names = namesOf(fields);
  const image = new DataView(new ArrayBuffer(Math.max(0, ...names.map((name) => fields[name].register + WORD))));
  for (const name of names) {
    const { register, bit, width } = fields[name];
    const value = values[name];
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** width) {
      throw new RangeError(`field ${name} has ${width} bits and cannot hold ${value}`);
    }
    image.setUint32(register, (image.getUint32(register, true) | (value << bit)) >>> 0, true);
  }
  return new Uint8Array(image.buffer);
}

/** Little-endian memory of a given size that is written by offset; a write outside of it throws RangeError. */
export class MemoryImage {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
  }

  u16(offset: number, value: number): void {
    this.#view.setUint16(offset, value, true);
  }

  u32(offset: number, value: number): void {
    this.#view.setUint32(offset, value, true);
  }

  copy(offset: number, bytes: Uint8Array): void {
    this.bytes.set(bytes, offset);
  }

  /** ASCII in `size` bytes, padded with zeros; not terminated where it fills them. */
  text(offset: number, size: number, text: string): void {
    const bytes = new TextEncoder().encode(text);
    if (bytes.length > size) throw new RangeError(`${text} is longer than ${size} bytes`);
    this.bytes.set(bytes, offset);
  }
}

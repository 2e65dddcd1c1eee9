/**
 * Layouts of structures that the harness writes and the firmware's C code reads. Each is described once, here in
 * TypeScript: {@link encode} writes it, {@link cStruct} says it in C. Little endian; members lie where a C compiler for
 * arm64 puts them, and the C side asserts that (AAPCS64: a member is aligned to its own size).
 */

type Scalar = 'u8' | 'u16' | 'u32' | 'u64';
const SCALAR_SIZE: Readonly<Record<Scalar, number>> = { u8: 1, u16: 2, u32: 4, u64: 8 };

/** Text of at most `text - 1` bytes that ends in NUL. */
interface Text {
  readonly text: number;
}

/** A number, a text, a structure, or so many of them. */
type Member = Plain | { readonly array: Plain; readonly length: number };
type Plain = Scalar | Text | Struct<Members>;
type Members = Readonly<Record<string, Member>>;

export interface Struct<M extends Members> {
  /** Of the C struct. */
  readonly name: string;
  readonly members: M;
  /** Bytes from the start, by member. */
  readonly offsets: ReadonlyMap<string, number>;
  readonly size: number;
  readonly alignment: number;
}

type PlainValue<P> = P extends 'u64'
  ? bigint | number
  : P extends Scalar
    ? number
    : P extends Struct<infer M>
      ? Values<M>
      : string;
type Value<T extends Member> = T extends { readonly array: infer P } ? readonly PlainValue<P>[] : PlainValue<T>;
/** What {@link encode} wants for each member. Arrays that are shorter than their length go on with zeros. */
export type Values<M extends Members> = { readonly [Name in keyof M]: Value<M[Name]> };

/** The same by the structure. */
export type ValuesOf<S> = S extends Struct<infer M> ? Values<M> : never;

/**
 * Describes a structure; `name` is that of the C struct. Throws RangeError where a compiler would leave a gap: name it
 * instead.
 */
export function struct<const M extends Members>(name: string, members: M): Struct<M> {
  const offsets = new Map<string, number>();
  let at = 0;
  let alignment = 1;
  for (const [key, member] of Object.entries<Member>(members)) {
    const extent = extentOf(member);
    if (at % extent.alignment !== 0) throw new RangeError(`struct ${name} has a gap before ${key}`);
    offsets.set(key, at);
    at += extent.size * extent.count;
    alignment = Math.max(alignment, extent.alignment);
  }
  if (at % alignment !== 0) throw new RangeError(`struct ${name} has a gap at its end`);
  return { name, members, offsets, size: at, alignment };
}

function extentOf(member: Member): { readonly size: number; readonly alignment: number; readonly count: number } {
  if (typeof member === 'string') return { size: SCALAR_SIZE[member], alignment: SCALAR_SIZE[member], count: 1 };
  if ('text' in member) return { size: member.text, alignment: 1, count: 1 };
  if ('array' in member) return { ...extentOf(member.array), count: member.length };
  return { size: member.size, alignment: member.alignment, count: 1 };
}

/**
 * The bytes of a structure. Throws RangeError for a number that does not fit its member, a text that is too long and
 * too many elements.
 */
export function encode<M extends Members>(layout: Struct<M>, values: Values<M>): Uint8Array {
  const view = new DataView(new ArrayBuffer(layout.size));
  write(view, 0, layout, values);
  return new Uint8Array(view.buffer);
}

function write(
  view: DataView,
  start: number,
  layout: Struct<Members>,
  values: Readonly<Record<string, unknown>>,
): void {
  for (const [key, member] of Object.entries(layout.members)) {
    const at = start + (layout.offsets.get(key) ?? 0);
    const what = `${layout.name}.${key}`;
    const [plain, most] = typeof member === 'object' && 'array' in member ? [member.array, member.length] : [member, 1];
    const value = values[key];
    const items: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (items.length > most) throw new RangeError(`${what} has room for ${most}, and not for ${items.length}`);
    const { size } = extentOf(plain);
    for (const [index, item] of items.entries()) writePlain(view, at + index * size, plain, item, what);
  }
}

function writePlain(view: DataView, at: number, member: Plain, value: unknown, what: string): void {
  if (typeof member === 'object' && 'members' in member) {
    write(view, at, member, Object(value));
  } else if (typeof member === 'object') {
    const bytes = new TextEncoder().encode(String(value));
    if (bytes.length >= member.text)
      throw new RangeError(`${what}: ${String(value)} is longer than ${member.text - 1} bytes`);
    new Uint8Array(view.buffer).set(bytes, at);
  } else {
    const bits = SCALAR_SIZE[member] * 8;
    const number = typeof value === 'bigint' ? value : BigInt(Number(value));
    if (number !== BigInt.asUintN(bits, number) && number !== BigInt.asIntN(bits, number))
      throw new RangeError(`${what} has ${bits} bits and cannot hold ${number}`);
    for (let byte = 0; byte < bits / 8; byte++)
      view.setUint8(at + byte, Number(BigInt.asUintN(8, number >> BigInt(8 * byte))));
  }
}

/** The structure in C, with assertions that the compiler lays it out as {@link encode} does. */
export function cStruct({ name, members, offsets, size }: Struct<Members>): string {
  const tag = `struct ${name}`;
  return [
    `${tag} {`,
    ...Object.entries(members).map(([key, member]) => `\t${declaration(key, member)};`),
    '};',
    `_Static_assert(sizeof(${tag}) == ${size}, "${tag}");`,
    ...[...offsets].map(
      ([key, offset]) => `_Static_assert(__builtin_offsetof(${tag}, ${key}) == ${offset}, "${tag}.${key}");`,
    ),
    '',
  ].join('\n');
}

function declaration(key: string, member: Member, count = ''): string {
  if (typeof member === 'string') return `${member} ${key}${count}`;
  if ('array' in member) return declaration(key, member.array, `[${member.length}]`);
  if ('text' in member) return `char ${key}${count}[${member.text}]`;
  return `struct ${member.name} ${key}${count}`;
}

/**
 * The symbols that an arm64 Image carries for its own /proc/kallsyms (CONFIG_KALLSYMS), read from the file: layouts of
 * scripts/kallsyms.c, Linux 5.10 to 7.2. Pure.
 *
 * Names are made of 256 tokens. Tokens of one character stand in the table at that character, and digits are in every
 * kernel's names: the ten of them are found as text. From there the other tables are found by how they refer to each
 * other, and each is checked against the next.
 */

interface Tokens {
  readonly texts: readonly string[];
  /** Offset of kallsyms_token_table, and of what stands behind kallsyms_token_index. */
  readonly start: number;
  readonly end: number;
}

const TOKENS = 256;
const DIGITS = '0\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00';
const FIRST_DIGIT = 0x30;
/** Names between two of kallsyms_markers. */
const MARKED = 256;
/** Fewer than the smallest kernel has, and more than any (a distribution's: 0.2 million). */
const SYMBOLS = { least: 1000, most: 4_000_000 } as const;
/** Of kallsyms_seqs_of_names, which 6.2 to 6.3 and some stable releases have between markers and tokens. */
const SEQ_SIZE = 3;
/** Compressed names are shorter. */
const MOST_BYTES_OF_NAME = 64;
/** KSYM_NAME_LEN (include/linux/kallsyms.h, 6.1 and later), and characters of all names: Debian's 7.2 has 9 million. */
const LONGEST_NAME = 512;
const MOST_TEXT = 100_000_000;
/** What is looked at before an Image that is none is given up: a real one has one table, and its names are near it. */
const MOST_TABLES = 8;
const MOST_NAMES = 50_000_000;
/** R_AARCH64_RELATIVE (ELF for the Arm 64-bit Architecture, "Dynamic relocations"). */
const RELATIVE_RELOCATION = 1027;
const RELOCATION_SIZE = 24;

function align(offset: number, to: number): number {
  return Math.ceil(offset / to) * to;
}

/**
 * `ADDRESS TYPE NAME` a line, as in /proc/kallsyms, of a plain arm64 Image that boots with `nokaslr`; null where it has
 * no such tables.
 */
export function readKallsyms(image: Buffer): string | null {
  const budget = { tables: MOST_TABLES, names: MOST_NAMES };
  for (let at = image.indexOf(DIGITS, 0, 'latin1'); at !== -1; at = image.indexOf(DIGITS, at + 1, 'latin1')) {
    const tokens = readTokens(image, at);
    if (tokens === null) continue;
    if (budget.tables-- === 0) return null;
    const names = findNames(image, tokens, budget);
    if (names === null) continue;
    const addresses = findAddresses(image, tokens.end, names);
    if (addresses !== null) return format(image, tokens, names, addresses);
  }
  return null;
}

/** The table that has its digits at `digits`, with the index behind it that says where each token begins. */
function readTokens(image: Buffer, digits: number): Tokens | null {
  let end = digits;
  for (let token = FIRST_DIGIT; token < TOKENS; token++) {
    end = image.indexOf(0, end) + 1;
    if (end === 0) return null;
  }
  for (const alignment of [8, 4, 2]) {
    const index = align(end, alignment);
    if (index + 2 * TOKENS > image.length) return null;
    const start = digits - image.readUInt16LE(index + 2 * FIRST_DIGIT);
    if (start < 0) continue;
    const texts: string[] = [];
    let at = start;
    for (let token = 0; token < TOKENS && image.readUInt16LE(index + 2 * token) === at - start; token++) {
      const stop = image.indexOf(0, at);
      if (stop - at > LONGEST_NAME) break;
      texts.push(image.toString('latin1', at, stop));
      at = stop + 1;
    }
    if (texts.length === TOKENS && at === end) return { texts, start, end: index + 2 * TOKENS };
  }
  return null;
}

interface Names {
  readonly count: number;
  /** Offset of kallsyms_num_syms, and of kallsyms_names. */
  readonly counted: number;
  readonly start: number;
}

/** Length of a compressed name: one byte, or two since 6.1 (ULEB128). */
function lengthAt(image: Buffer, at: number): { readonly length: number; readonly text: number } {
  const low = image[at] ?? 0;
  if (low < 0x80) return { length: low, text: at + 1 };
  return { length: (low & 0x7f) | ((image[at + 1] ?? 0) << 7), text: at + 2 };
}

/** The names lie before the tokens: their number, the names, and a marker for every 256th of them. */
function findNames(image: Buffer, { start: end }: Tokens, budget: { names: number }): Names | null {
  const first = Math.max(0, end - SYMBOLS.most * MOST_BYTES_OF_NAME);
  for (let at = end - (end % 4); at >= first; at -= 4) {
    const count = image.readUInt32LE(at);
    if (count < SYMBOLS.least || count > SYMBOLS.most || count > end - at || !mayHaveMarkers(image, count, end))
      continue;
    const isPadded = at % 8 === 0 && image.readUInt32LE(at + 4) === 0;
    const start = at + (isPadded ? 8 : 4);
    if (budget.names <= 0) return null;
    if (hasMarkers(image, start, count, end, budget)) return { count, counted: at, start };
  }
  return null;
}

/** Most padding between two tables and behind both. */
const MOST_PADDING = 20;

/** Whether so many names can have their first two markers right before the tokens, or before seqs_of_names. */
function mayHaveMarkers(image: Buffer, count: number, end: number): boolean {
  const size = 4 * Math.ceil(count / MARKED);
  return [0, SEQ_SIZE * count].some((between) => {
    const last = end - between - size;
    for (let at = last - (last % 4); at >= Math.max(0, last - MOST_PADDING); at -= 4) {
      const second = image.readUInt32LE(at + 4);
      if (image.readUInt32LE(at) === 0 && second > MARKED && second < MARKED * LONGEST_NAME) return true;
    }
    return false;
  });
}

function hasMarkers(image: Buffer, start: number, count: number, end: number, budget: { names: number }): boolean {
  const markers: number[] = [];
  let at = start;
  for (let n = 0; n < count; n++) {
    if (n % MARKED === 0) markers.push(at - start);
    const { length, text } = lengthAt(image, at);
    if (length === 0 || budget.names-- <= 0) return false;
    at = text + length;
    if (at > end) return false;
  }
  return [8, 4].some((alignment) => {
    const table = align(at, alignment);
    return (
      table + 4 * markers.length <= end && markers.every((offset, n) => image.readUInt32LE(table + 4 * n) === offset)
    );
  });
}

/**
 * kallsyms_offsets, 32 bits a symbol. Since 6.4 they lie behind the token index, until then before the number of names;
 * in both the base that they count from follows. In 7.2 each counts from its own place, and there is no base.
 */
function findAddresses(image: Buffer, tokensEnd: number, { count, counted }: Names): bigint[] | null {
  const size = 4 * count;
  const imageBase = baseOf(image);
  if (imageBase === null) return null;
  const own = align(tokensEnd, 4);
  const places = [8, 4].flatMap((alignment) => {
    const behind = align(tokensEnd, alignment);
    return [
      { offsets: behind, baseAt: align(behind + size, 8) },
      { offsets: counted - 8 - align(size, alignment), baseAt: counted - 8 },
    ];
  });
  for (const { offsets, baseAt } of places) {
    if (offsets < 0 || offsets + size > image.length || baseAt + 8 > image.length) continue;
    const read = (n: number) => image.readUInt32LE(offsets + 4 * n);
    const base = isAscending(read, count) ? baseAtPlace(image, baseAt, imageBase) : null;
    if (base !== null) return Array.from({ length: count }, (_, n) => base + BigInt(read(n)));
  }
  // The first symbol, of the text, lies before the tables. Others have a base that this file does not hold.
  if (own + size > image.length || image.readInt32LE(own) >= 0) return null;
  const read = (n: number) => own + 4 * n + image.readInt32LE(own + 4 * n);
  return isAscending(read, count) ? Array.from({ length: count }, (_, n) => imageBase + BigInt(read(n))) : null;
}

/** Addresses ascend, from one within the Image on. */
function isAscending(read: (n: number) => number, count: number): boolean {
  let last = 0;
  for (let n = 0; n < count; n++) {
    const offset = read(n);
    if (offset < last) return false;
    last = offset;
  }
  return last > 0;
}

/** The kernel lies behind the area of its modules, which has at least 128 MiB (arch/arm64/include/asm/memory.h). */
const AREA_BITS = 27;

/** Address of the Image's first byte: where most of its pointers to itself point. Null where there are none. */
function baseOf(image: Buffer): bigint | null {
  const counts = new Map<string, number>();
  for (let at = 0; at + 8 <= image.length; at += 8) {
    if (image.readUInt16LE(at + 6) !== 0xffff) continue;
    const low = image.readUInt32LE(at);
    const area = ((low >>> AREA_BITS) << AREA_BITS) >>> 0;
    if (low - area >= image.length) continue;
    const base = `${image.readUInt32LE(at + 4)} ${area}`;
    counts.set(base, (counts.get(base) ?? 0) + 1);
  }
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  if (most === undefined) return null;
  const [high = 0n, area = 0n] = most[0].split(' ').map(BigInt);
  return (high << 32n) | area;
}

/**
 * kallsyms_relative_base. Where the linker left zero, the kernel puts it there by itself, with a relocation for that
 * place (arch/arm64/kernel/pi/relocate.c).
 */
function baseAtPlace(image: Buffer, place: number, imageBase: bigint): bigint | null {
  const base = image.readBigUInt64LE(place);
  if (base !== 0n) return base >= imageBase ? base : null;
  const target = imageBase + BigInt(place);
  for (let at = 0; at + RELOCATION_SIZE <= image.length; at += 8) {
    if (image.readUInt32LE(at + 8) !== RELATIVE_RELOCATION || image.readUInt32LE(at + 12) !== 0) continue;
    if (image.readBigUInt64LE(at) === target) return image.readBigUInt64LE(at + 16);
  }
  return null;
}

function format(image: Buffer, { texts }: Tokens, names: Names, addresses: readonly bigint[]): string | null {
  const lines: string[] = [];
  let size = 0;
  let at = names.start;
  for (let n = 0; n < names.count; n++) {
    const { length, text } = lengthAt(image, at);
    at = text + length;
    let name = '';
    for (let byte = text; byte < at; byte++) name += texts[image[byte] ?? 0] ?? '';
    size += name.length;
    if (name.length > LONGEST_NAME || size > MOST_TEXT) return null;
    lines.push(`${(addresses[n] ?? 0n).toString(16).padStart(16, '0')} ${name.slice(0, 1)} ${name.slice(1)}`);
  }
  return `${lines.join('\n')}\n`;
}

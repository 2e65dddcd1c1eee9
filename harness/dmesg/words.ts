/**
 * Finds any of many words in one pass, as Wu and Manber do ("A fast algorithm for multi-pattern searching", 1994): a
 * table says by two neighbouring characters how far away the next word's part is at least. A regular expression of a
 * hundred alternatives tries each of them at each character, which takes several times as long.
 */

/** Characters of a word that the table is made of. */
const PART = 3;
/** Letters by how often they stand in a kernel log: the rarer a part is, the less often it has to be looked at. */
const COMMON = ' e0tinarosdc1mlu2p:.f3hgb4v';

interface Known {
  readonly word: string;
  readonly bytes: Buffer;
  /** Where the part ends in the word. */
  readonly end: number;
  readonly index: number;
}

export class Words {
  /** How far to go on by the two characters up to a place: 0 where a word's part may end there. */
  readonly #step = new Uint8Array(1 << 16).fill(PART - 1);
  /** By the last two characters of the part. */
  readonly #known = new Map<number, Known[]>();

  /** @param words of ASCII or latin1 characters, two at least */
  constructor(words: readonly string[]) {
    for (const [index, word] of words.entries()) {
      if (word.length < 2) throw new Error(`"${word}" is too short to be looked for`);
      const end = rarestPart(word) + PART;
      const key = pair(word.charCodeAt(end - 2), word.charCodeAt(end - 1));
      const known = this.#known.get(key) ?? [];
      known.push({ word, bytes: Buffer.from(word, 'latin1'), end, index });
      this.#known.set(key, known);
      this.#step[key] = 0;
      // Any character may stand before a word of two.
      const before = end < PART ? null : word.charCodeAt(end - PART);
      for (let first = before ?? 0; first <= (before ?? 0xff); first++) {
        const earlier = pair(first, word.charCodeAt(end - 2));
        this.#step[earlier] = Math.min(1, this.#step[earlier] ?? 0);
      }
    }
  }

  /** The end of the first part of a word that stands whole between two places; `to` where none does. */
  next(bytes: Uint8Array, from: number, to: number): number {
    const steps = this.#step;
    for (let at = from + 1; at < to; ) {
      const key = ((bytes[at - 1] ?? 0) << 8) | (bytes[at] ?? 0);
      const step = steps[key] ?? 0;
      if (step === 0) {
        for (const known of this.#known.get(key) ?? []) if (isAt(bytes, at + 1 - known.end, known, from, to)) return at;
      }
      at += step === 0 ? 1 : step;
    }
    return to;
  }

  /** Whether one of the words stands in the text. */
  isIn(text: string): boolean {
    const steps = this.#step;
    for (let at = 1; at < text.length; ) {
      const key = pair(text.charCodeAt(at - 1), text.charCodeAt(at));
      const step = steps[key] ?? 0;
      if (step === 0) {
        for (const { word, end } of this.#known.get(key) ?? []) if (text.startsWith(word, at + 1 - end)) return true;
      }
      at += step === 0 ? 1 : step;
    }
    return false;
  }

  /** Places in the list of the words that stand in the text, ascending; null for none. */
  found(text: string): number[] | null {
    const steps = this.#step;
    let found: number[] | null = null;
    for (let at = 1; at < text.length; ) {
      const key = pair(text.charCodeAt(at - 1), text.charCodeAt(at));
      const step = steps[key] ?? 0;
      if (step === 0) {
        for (const { word, end, index } of this.#known.get(key) ?? []) {
          if (!text.startsWith(word, at + 1 - end)) continue;
          if (found === null) found = [index];
          else if (!found.includes(index)) found.push(index);
        }
      }
      at += step === 0 ? 1 : step;
    }
    return found === null || found.length === 1 ? found : found.sort((a, b) => a - b);
  }
}

function isAt(bytes: Uint8Array, start: number, { bytes: word }: Known, from: number, to: number): boolean {
  if (start < from || start + word.length > to) return false;
  for (let n = 0; n < word.length; n++) if (bytes[start + n] !== word[n]) return false;
  return true;
}

/** Two characters as one number; of a character beyond latin1, which no word has, the low byte. */
function pair(first: number, second: number): number {
  return ((first & 0xff) << 8) | (second & 0xff);
}

/** Where the part of a word begins that is rarest, by its last two characters; -1 for a word of two. */
function rarestPart(word: string): number {
  let best = word.length - PART;
  let rarity = -1;
  for (let at = 0; at + PART <= word.length; at++) {
    const found = rank(word.charAt(at + 1)) + rank(word.charAt(at + 2));
    if (found <= rarity) continue;
    best = at;
    rarity = found;
  }
  return best;
}

function rank(character: string): number {
  const at = COMMON.indexOf(character);
  return at < 0 ? COMMON.length : at;
}

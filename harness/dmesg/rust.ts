/**
 * Names of Rust functions as their authors wrote them: the "v0" mangling, RFC 2603 and the rustc book
 * (symbol-mangling/v0). Constants and lifetimes in generic arguments are left out; a reader of a log needs the path.
 */

const MAX_DEPTH = 48;
const MAX_LENGTH = 400;

const BASIC: Readonly<Record<string, string>> = {
  a: 'i8',
  b: 'bool',
  c: 'char',
  d: 'f64',
  e: 'str',
  f: 'f32',
  h: 'u8',
  i: 'isize',
  j: 'usize',
  l: 'i32',
  m: 'u32',
  n: 'i128',
  o: 'u128',
  p: '_',
  s: 'i16',
  t: 'u16',
  u: '()',
  v: '...',
  x: 'i64',
  y: 'u64',
  z: '!',
};

class Unreadable extends Error {}

class Demangler {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  path(): string {
    return this.#nested(() => {
      switch (this.#take()) {
        case 'C':
          return this.#identifier();
        case 'N': {
          const space = this.#take();
          const parent = this.path();
          const name = this.#identifier();
          if (/[A-Z]/.test(space)) return `${parent}::{${space === 'C' ? 'closure' : 'shim'}}`;
          return name === '' ? parent : `${parent}::${name}`;
        }
        case 'M':
          this.#implPath();
          return `<${this.#type()}>`;
        case 'X': {
          this.#implPath();
          const type = this.#type();
          return `<${type} as ${this.path()}>`;
        }
        case 'Y': {
          const type = this.#type();
          return `<${type} as ${this.path()}>`;
        }
        case 'I': {
          const path = this.path();
          const args: string[] = [];
          while (!this.#eat('E')) {
            if (this.#eat('L')) this.#base62();
            else if (this.#eat('K')) this.#constant();
            else args.push(this.#type());
          }
          return args.length === 0 ? path : `${path}<${args.join(', ')}>`;
        }
        case 'B':
          return this.#back(() => this.path());
        default:
          throw new Unreadable();
      }
    });
  }

  #type(): string {
    return this.#nested(() => {
      const sign = this.#take();
      const basic = BASIC[sign];
      if (basic !== undefined) return basic;
      switch (sign) {
        case 'A': {
          const type = this.#type();
          this.#constant();
          return `[${type}; _]`;
        }
        case 'S':
          return `[${this.#type()}]`;
        case 'T': {
          const types: string[] = [];
          while (!this.#eat('E')) types.push(this.#type());
          return `(${types.join(', ')})`;
        }
        case 'R':
        case 'Q':
          if (this.#eat('L')) this.#base62();
          return `${sign === 'R' ? '&' : '&mut '}${this.#type()}`;
        case 'P':
          return `*const ${this.#type()}`;
        case 'O':
          return `*mut ${this.#type()}`;
        case 'B':
          return this.#back(() => this.#type());
        default:
          this.#at -= 1;
          return this.path();
      }
    });
  }

  #implPath(): void {
    if (this.#eat('s')) this.#base62();
    this.path();
  }

  #constant(): void {
    if (this.#eat('p')) return;
    if (this.#eat('B')) {
      this.#base62();
      return;
    }
    this.#take();
    while (!this.#eat('_')) this.#take();
  }

  #identifier(): string {
    if (this.#eat('s')) this.#base62();
    this.#eat('u');
    const digits = /^(?:0|[1-9]\d{0,3})/.exec(this.#text.slice(this.#at))?.[0];
    if (digits === undefined) throw new Unreadable();
    this.#at += digits.length;
    this.#eat('_');
    const name = this.#text.slice(this.#at, this.#at + Number(digits));
    if (name.length !== Number(digits)) throw new Unreadable();
    this.#at += name.length;
    return name;
  }

  #base62(): number {
    const match = /^([0-9a-zA-Z]{0,12})_/.exec(this.#text.slice(this.#at));
    if (match === null) throw new Unreadable();
    this.#at += match[0].length;
    const digits = match[1] ?? '';
    if (digits === '') return 0;
    const value = (sign: string): number =>
      '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'.indexOf(sign);
    return [...digits].reduce((sum, sign) => sum * 62 + value(sign), 0) + 1;
  }

  /** What stands at an earlier place once more. */
  #back(read: () => string): string {
    const begin = this.#at - 1;
    const target = this.#base62();
    if (target >= begin) throw new Unreadable();
    const here = this.#at;
    this.#at = target;
    const found = read();
    this.#at = here;
    return found;
  }

  #nested(read: () => string): string {
    if (++this.#depth > MAX_DEPTH) throw new Unreadable();
    const found = read();
    this.#depth -= 1;
    if (found.length > MAX_LENGTH) throw new Unreadable();
    return found;
  }

  #take(): string {
    const sign = this.#text[this.#at];
    if (sign === undefined) throw new Unreadable();
    this.#at += 1;
    return sign;
  }

  #eat(sign: string): boolean {
    if (this.#text[this.#at] !== sign) return false;
    this.#at += 1;
    return true;
  }
}

/** `_RNvMs3_..._4nodeNtB5_4Node10update_ref` is `<...::node::Node>::update_ref`; any other name stays as it is. */
export function rustName(symbol: string): string {
  if (!symbol.startsWith('_R')) return symbol;
  try {
    return new Demangler(symbol.slice(2)).path();
  } catch (error) {
    if (error instanceof Unreadable) return symbol;
    throw error;
  }
}

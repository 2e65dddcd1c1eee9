import { type Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { z } from 'zod';
import { InputError } from './errors.ts';
import { didYouMean } from './suggest.ts';

/** Hand-written files are a few kilobytes; anything near this is not one of them. */
const LARGEST_FILE = 1024 * 1024;
/** How much of an offending value an error message shows. */
const SNIPPET = 40;

/** A value with the place in the text that each part of it came from. */
export interface Located<T> {
  readonly value: T;
  /**
   * `matrix.yaml:12:7`, line and column counted from 1, of the value at `path`, or of the nearest parent that exists.
   * With `key`, of the key that it stands under.
   */
  readonly at: (path: readonly PropertyKey[], part?: 'key') => string;
  /** Checks a part of the value, which stands at `path`, against a schema that depends on the rest of it. */
  readonly check: <U>(path: readonly PropertyKey[], schema: z.ZodType<U>, part: unknown) => U;
}

/**
 * Reads YAML 1.2 and checks it against `schema`. Plain scalars with a fraction stay strings, because what looks like
 * one in these files is a version: `5.10` is not 5.1.
 *
 * @param file name of the file as error messages show it
 * @throws InputError with file, line and column, what was expected and what was found
 */
export function parseYaml<T>(text: string, file: string, schema: z.ZodType<T>): Located<T> {
  if (text.length > LARGEST_FILE) {
    throw new InputError(`${file} is larger than ${LARGEST_FILE / 1024} KiB`, 'name a hand-written YAML file');
  }
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || tag.tag !== 'tag:yaml.org,2002:float'),
  });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const [broken] = [...document.errors, ...document.warnings];
  if (broken !== undefined) throw new InputError(`${place(broken.pos[0])}: ${firstSentence(broken.message)}`);
  const at: Located<T>['at'] = (path, part) => place(offsetOf(document, path, part === 'key'));
  let content: unknown;
  try {
    content = document.toJS();
  } catch (error) {
    // toJS() refuses aliases that would expand without bound (yaml's maxAliasCount).
    throw new InputError(`${file}: ${error instanceof Error ? firstSentence(error.message) : 'unreadable aliases'}`);
  }
  const check: Located<T>['check'] = (path, part, input) => {
    const result = part.safeParse(input);
    if (result.success) return result.data;
    const issues = result.error.issues.map((issue) => ({ ...issue, path: [...path, ...issue.path] }));
    throw new InputError(describe(document, text, at, issues));
  };
  return { value: check([], schema, content), at, check };
}

/** Keys of a map with more of them are not all named where an unknown one is. */
const MOST_NAMED = 12;

/**
 * `z.strictObject` whose error for an unknown key names the nearest known one.
 */
export function strictMap<S extends z.core.$ZodLooseShape>(shape: S) {
  const known = Object.keys(shape);
  const all = known.length < MOST_NAMED ? ` (expected ${known.join(', ')})` : '';
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `unknown key ${issue.keys[0]}${didYouMean(issue.keys[0] ?? '', known)}${all}`
        : undefined,
  });
}

/** `z.enum` whose error names the values, and the one nearest to what was found. */
export function oneOf<const V extends readonly string[]>(values: V) {
  return z.enum(values, {
    error: (issue) =>
      `expected ${values.length === 1 ? values[0] : `one of ${values.join(', ')}`}${
        typeof issue.input === 'string' ? didYouMean(issue.input, values) : ''
      }`,
  });
}

function describe(
  document: Document.Parsed,
  text: string,
  at: Located<unknown>['at'],
  issues: readonly z.core.$ZodIssue[],
): string {
  const [issue] = issues;
  if (issue === undefined) return `${at([])}: not as expected`;
  const where = issue.path.length === 0 ? '' : `${issue.path.map(String).join('.')}: `;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  if (issue.code === 'unrecognized_keys') {
    return `${at([...issue.path, issue.keys[0] ?? ''], 'key')}: ${where}${issue.message}${more}`;
  }
  // A sentence of its own, which names what was found.
  if (issue.code === 'custom' && !issue.message.startsWith('expected '))
    return `${at(issue.path)}: ${where}${issue.message}${more}`;
  const found = nodeAt(document, issue.path);
  const there = found === null ? 'nothing' : snippet(found, text);
  return `${at(issue.path)}: ${where}${expected(issue)}, found ${there}${more}`;
}

/** What zod expected, in words; the schemas' own messages already say `expected ...`. */
function expected(issue: z.core.$ZodIssue): string {
  if (issue.message.startsWith('expected ')) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${TYPE_WORDS[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `expected ${issue.values.map(String).join(' or ')}`;
    case 'invalid_union': {
      // Only a discriminated union that found no variant says which discriminator and which values it knows.
      if (!('options' in issue) || !Array.isArray(issue.options)) return 'expected another kind of value';
      return `expected one of ${issue.options.map(String).join(', ')}`;
    }
    case 'too_small':
      return `expected at least ${issue.minimum}`;
    case 'too_big':
      return `expected at most ${issue.maximum}`;
    default:
      return issue.message;
  }
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  string: 'a string',
  int: 'a whole number',
  number: 'a whole number',
};

function snippet(node: Node, text: string): string {
  if (isMap(node)) return 'a mapping';
  if (isSeq(node)) return 'a list';
  const [start, end] = node.range ?? [0, 0];
  const source = text.slice(start, Math.min(end, start + SNIPPET));
  return source.trim() === '' ? 'nothing' : source;
}

function nodeAt(document: Document.Parsed, path: readonly PropertyKey[]): Node | null {
  let node: Node | null = document.contents;
  for (const key of path) {
    node = child(document, node, key);
    if (node === null) return null;
  }
  return node;
}

/**
 * Start of the value at `path`, or of its key where that is asked for or the value is not a scalar; of the nearest
 * parent where there is neither.
 */
function offsetOf(document: Document.Parsed, path: readonly PropertyKey[], key: boolean): number {
  let node: Node | null = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const [index, name] of path.entries()) {
    const parent: Node | null = node === null ? null : dereferenced(document, node);
    const keyNode = isMap(parent) ? pairOf(parent, name)?.key : undefined;
    node = child(document, node, name);
    const wantsKey = isScalar(keyNode) && ((key && index === path.length - 1) || !isScalar(node));
    offset = (wantsKey ? keyNode.range?.[0] : node?.range?.[0]) ?? offset;
    if (node === null) return offset;
  }
  return offset;
}

/**
 * The node under `key`. Where a schema took a list or a scalar for a mapping or list with only it inside, the path has
 * a key more than the text, and the node itself is what it leads to.
 */
function child(document: Document.Parsed, node: Node | null, key: PropertyKey): Node | null {
  const parent = node === null ? null : dereferenced(document, node);
  if (isMap(parent) && typeof key !== 'number') return asNode(pairOf(parent, key)?.value);
  if (isSeq(parent) && typeof key === 'number') return asNode(parent.items[key]);
  return parent;
}

function pairOf(map: { items: readonly { key: unknown; value: unknown }[] }, key: PropertyKey) {
  return map.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(key));
}

function dereferenced(document: Document.Parsed, node: Node): Node {
  return isAlias(node) ? (node.resolve(document) ?? node) : node;
}

function asNode(value: unknown): Node | null {
  return isNode(value) ? value : null;
}

/** The longest message of the parser's that is shown: it quotes a whole line of what may be no YAML at all. */
const LONGEST_MESSAGE = 160;

function firstSentence(message: string): string {
  const sentence = (message.split('\n')[0] ?? message).replace(/[.:]$/, '');
  return sentence.length > LONGEST_MESSAGE ? `${sentence.slice(0, LONGEST_MESSAGE)}...` : sentence;
}

/**
 * Unified diffs as `git format-patch` and `diff -u` write them, applied strictly: context must match, only its line may
 * differ.
 */

export interface Hunk {
  /** The `@@ ... @@` line. */
  readonly header: string;
  /** 1-based line in the patch file, for messages. */
  readonly line: number;
  /** 1-based line in the old file; 0 for a file that is created. */
  readonly oldStart: number;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

export interface FilePatch {
  /** Relative to the top of the source tree. */
  readonly path: string;
  readonly kind: 'change' | 'create' | 'delete';
  readonly hunks: readonly Hunk[];
}

export type ParsedPatch =
  | { readonly ok: true; readonly files: readonly FilePatch[] }
  | { readonly ok: false; readonly line: number; readonly problem: string };

export type PatchResult =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly hunk: Hunk; readonly number: number };

const HUNK = /^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@/;
const NO_FILE = '/dev/null';

/** `a/drivers/x.c` or `b/drivers/x.c` without the first part (patch -p1); null when it would leave the tree. */
function targetPath(text: string): string | null {
  const name = text.split('\t')[0]?.trim() ?? '';
  if (name === NO_FILE) return NO_FILE;
  const parts = name.split('/').slice(1);
  const leaves = parts.length === 0 || parts.some((part) => part === '' || part === '.' || part === '..');
  return leaves ? null : parts.join('/');
}

/** Reads a patch; text before and between its files, such as the mail's header, is skipped. */
export function parsePatch(text: string): ParsedPatch {
  const lines = text.split('\n');
  const files: FilePatch[] = [];
  let at = 0;
  const fail = (problem: string): ParsedPatch => ({ ok: false, line: at + 1, problem });
  while (at < lines.length) {
    const line = lines[at] ?? '';
    if (line.startsWith('rename from ') || line.startsWith('GIT binary patch'))
      return fail('a rename or a binary change is not supported');
    if (!line.startsWith('--- ') || !(lines[at + 1] ?? '').startsWith('+++ ')) {
      at++;
      continue;
    }
    const from = targetPath(line.slice(4));
    const to = targetPath((lines[at + 1] ?? '').slice(4));
    if (from === null || to === null || (from === NO_FILE && to === NO_FILE))
      return fail('the file name leaves the source tree');
    at += 2;
    const hunks: Hunk[] = [];
    while (at < lines.length) {
      const header = lines[at] ?? '';
      const range = HUNK.exec(header);
      if (range === null) break;
      const headerLine = at + 1;
      let oldLeft = Number(range[2] ?? 1);
      let newLeft = Number(range[4] ?? 1);
      const before: string[] = [];
      const after: string[] = [];
      at++;
      while (oldLeft > 0 || newLeft > 0) {
        const body = lines[at];
        // Some mailers strip the blank of an empty context line.
        const mark = body === '' ? ' ' : body?.[0];
        const rest = body?.slice(1) ?? '';
        if (body === undefined || (mark !== ' ' && mark !== '-' && mark !== '+' && mark !== '\\'))
          return fail(`the hunk of line ${headerLine} ends too early`);
        if (mark === ' ' || mark === '-') {
          before.push(rest);
          oldLeft--;
        }
        if (mark === ' ' || mark === '+') {
          after.push(rest);
          newLeft--;
        }
        at++;
      }
      if (oldLeft < 0 || newLeft < 0) return fail(`the hunk of line ${headerLine} is longer than it says`);
      hunks.push({ header, line: headerLine, oldStart: Number(range[1]), before, after });
    }
    if (hunks.length === 0) return fail('a file without a hunk');
    const kind = from === NO_FILE ? 'create' : to === NO_FILE ? 'delete' : 'change';
    files.push({ path: kind === 'create' ? to : from, kind, hunks });
  }
  return files.length === 0 ? fail('no change in unified diff format found') : { ok: true, files };
}

/**
 * Applies the hunks of one file, each where its lines stand nearest to where it expects them. `text` is empty for a new
 * file.
 */
export function applyHunks(text: string, hunks: readonly Hunk[]): PatchResult {
  let lines = text === '' ? [''] : text.split('\n');
  let shift = 0;
  let from = 0;
  for (const [index, hunk] of hunks.entries()) {
    const expected = Math.max(hunk.oldStart - 1, 0) + shift;
    const found = findNearest(lines, hunk.before, expected, from);
    if (found === null) return { ok: false, hunk, number: index + 1 };
    lines = [...lines.slice(0, found), ...hunk.after, ...lines.slice(found + hunk.before.length)];
    shift = found - Math.max(hunk.oldStart - 1, 0) + hunk.after.length - hunk.before.length;
    from = found + hunk.after.length;
  }
  return { ok: true, text: lines.join('\n') };
}

function findNearest(
  lines: readonly string[],
  wanted: readonly string[],
  expected: number,
  from: number,
): number | null {
  const last = lines.length - wanted.length;
  const matches = (start: number) =>
    start >= from && start <= last && wanted.every((line, offset) => lines[start + offset] === line);
  for (let distance = 0; distance <= lines.length; distance++) {
    if (matches(expected + distance)) return expected + distance;
    if (distance > 0 && matches(expected - distance)) return expected - distance;
  }
  return null;
}

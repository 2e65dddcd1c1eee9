import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { lstat, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { execa } from 'execa';
import { cacheRoot, ensureFolder, publish } from '../../harness/kernel/cache.ts';
import { takeLock } from '../../harness/kernel/lock.ts';
import { debianSource } from '../../harness/kernel/source/debian.ts';
import {
  OUTPUT_PREFIX,
  pristineFolder,
  type SourceTree,
  sourceFolder,
} from '../../harness/kernel/source/source-tree.ts';

/** One commit of a made-up history: files are edited by replacing a text that must be there. */
export interface MadeCommit {
  /** Also the name of its tag. */
  readonly name: string;
  readonly subject: string;
  readonly edits: readonly { readonly file: string; readonly from: string; readonly to: string }[];
  /** Names; by default the commit before. */
  readonly parents?: readonly string[];
}

/** Folders that no build for the stand-in SoC looks into; their Kconfig files and makefiles stay, as kbuild reads those of all. */
const LEFT_OUT = [
  /^arch\/(?!arm64\/)/,
  /^(?:Documentation|samples|sound|usr\/include)\//,
  /^tools\/(?!include\/|arch\/)/,
  /^drivers\/(?:accel|ata|comedi|crypto|gpu|hid|hwmon|iio|infiniband|input|isdn|md|media|mtd|net|scsi|staging|usb|video)\//,
  /^fs\/(?:bcachefs|btrfs|ceph|cifs|ext4|f2fs|gfs2|jfs|nfs|nfsd|ntfs3|ocfs2|reiserfs|smb|ubifs|xfs)\//,
  /^net\//,
];
const ALWAYS = /(?:^|\/)(?:Kconfig|Makefile|Kbuild)[^/]*$/;

const DATE = '1604016000 +0000';
const PERSON = `A U Thor <author@example.com> ${DATE}`;

/**
 * A bare repository with a made-up history on the source of Linux 6.1, the part of it that a build needs. Its first commit is tagged `base`. It is made
 * once and stays in the cache; equal histories have equal hashes.
 */
export async function kernelHistory(commits: readonly MadeCommit[]): Promise<string> {
  const root = await ensureFolder(cacheRoot());
  const tree = await debianSource(root, '6.1', () => {});
  const maker = await readFile(new URL(import.meta.url), 'utf8');
  const key = createHash('sha256')
    .update(JSON.stringify([tree.id, commits, maker]))
    .digest('hex');
  const parent = await ensureFolder(join(root, 'test-histories'));
  const target = join(parent, `${key.slice(0, 16)}.git`);
  if ((await readdir(parent)).includes(`${key.slice(0, 16)}.git`)) return target;
  const temporary = await mkdtemp(join(parent, 'unfinished-'));
  const lock = await takeLock(`${tree.folder}.lock`, () => {});
  try {
    await execa('git', ['init', '--quiet', '--bare', '--initial-branch=main', temporary]);
    const settings = ['-c', 'core.compression=1', '-C', temporary];
    const git = execa('git', [...settings, 'fast-import', '--quiet', '--depth=0'], { stdout: 'inherit' });
    const write = async (chunk: string | Buffer) => {
      if (!git.stdin.write(chunk)) await once(git.stdin, 'drain');
    };
    await writeStream(tree, commits, write);
    git.stdin.end();
    await git;
    await publish(temporary, target);
  } finally {
    await lock.release();
    await rm(temporary, { recursive: true, force: true });
  }
  return target;
}

async function writeStream(
  tree: SourceTree,
  commits: readonly MadeCommit[],
  write: (chunk: string | Buffer) => Promise<void>,
): Promise<void> {
  const data = async (bytes: Buffer) => {
    await write(`data ${bytes.length}\n`);
    await write(bytes);
    await write('\n');
  };
  const header = async (name: string, mark: number, subject: string) => {
    await write(`commit refs/heads/main\nmark :${mark}\nauthor ${PERSON}\ncommitter ${PERSON}\n`);
    await data(Buffer.from(`${subject}\n\nA commit of bootrace's own tests: ${name}.\n`));
  };
  await header('base', 1, 'Linux 6.1, in part');
  for (const path of await filesOf(sourceFolder(tree))) {
    const pristine = join(pristineFolder(tree), path);
    const file = (await isThere(pristine)) ? pristine : join(sourceFolder(tree), path);
    const stat = await lstat(file);
    const mode = stat.isSymbolicLink() ? '120000' : (stat.mode & 0o100) === 0 ? '100644' : '100755';
    await write(`M ${mode} inline ${path}\n`);
    await data(stat.isSymbolicLink() ? Buffer.from(await readlink(file)) : await readFile(file));
  }
  const marks = new Map([['base', 1]]);
  const texts = new Map<string, Map<string, string>>([['base', new Map()]]);
  let before = 'base';
  for (const [at, { name, subject, edits, parents = [before] }] of commits.entries()) {
    const mark = at + 2;
    await header(name, mark, subject);
    const [first = 'base', ...others] = parents;
    await write(`from :${marks.get(first)}\n`);
    for (const other of others) await write(`merge :${marks.get(other)}\n`);
    const mine = new Map(texts.get(first));
    for (const { file, from, to } of edits) {
      const text = mine.get(file) ?? (await readPristine(tree, file));
      if (!text.includes(from)) throw new Error(`commit ${name}: ${file} has no "${from}"`);
      mine.set(
        file,
        text.replace(from, () => to),
      );
    }
    // Of a merge, what the other side changed comes along.
    for (const other of others)
      for (const [file, text] of texts.get(other) ?? []) if (!mine.has(file)) mine.set(file, text);
    for (const [file, text] of mine) {
      await write(`M 100644 inline ${file}\n`);
      await data(Buffer.from(text));
    }
    marks.set(name, mark);
    texts.set(name, mine);
    before = name;
  }
  for (const [name, mark] of marks) await write(`reset refs/tags/${name}\nfrom :${mark}\n\n`);
}

async function readPristine(tree: SourceTree, file: string): Promise<string> {
  return readFile(join(pristineFolder(tree), file), 'utf8').catch(() =>
    readFile(join(sourceFolder(tree), file), 'utf8'),
  );
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

async function filesOf(source: string): Promise<string[]> {
  const found: string[] = [];
  const visit = async (folder: string): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name);
      const name = relative(source, path);
      if (name.startsWith(OUTPUT_PREFIX)) continue;
      if (entry.isDirectory()) await visit(path);
      else if (ALWAYS.test(name) || !LEFT_OUT.some((pattern) => pattern.test(name))) found.push(name);
    }
  };
  await visit(source);
  return found;
}

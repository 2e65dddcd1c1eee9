import { InputError } from '../errors.ts';

/** One entry of an archive. Paths are relative, without `.` and `..`; folders come before what is in them. */
export type CpioEntry =
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly bytes: Uint8Array }
  | { readonly kind: 'directory'; readonly path: string; readonly mode: number }
  | {
      readonly kind: 'character-device';
      readonly path: string;
      readonly mode: number;
      readonly major: number;
      readonly minor: number;
    };

/** The format "newc" as Linux Documentation/driver-api/early-userspace/buffer-format.rst defines it. */
const MAGIC = '070701';
const TRAILER = 'TRAILER!!!';
const ALIGNMENT = 4;
/** The kernel takes the path's length with its NUL, at most PATH_MAX (init/initramfs.c, do_header()). */
const PATH_SIZE = 4096;
const SIZE_MAX = 0xffff_ffff;

/** include/uapi/linux/stat.h: S_IFREG, S_IFDIR, S_IFCHR. */
const FILE_TYPE = { file: 0o100000, directory: 0o040000, 'character-device': 0o020000 } as const;
const PERMISSIONS = 0o7777;

/**
 * A cpio archive, newc format, as the kernel unpacks it. The bytes depend on the entries alone: every entry belongs to
 * root, was changed at time 0, and the inode numbers count from 1. The length is a multiple of 4, so that archives can
 * be put one behind the other. Throws {@link InputError} for a path that would leave the archive's root.
 */
export function writeCpio(entries: readonly CpioEntry[]): Uint8Array {
  const parts = entries.flatMap((entry, index) => encodeEntry(entry, index + 1));
  parts.push(...encode(TRAILER, { inode: 0, mode: 0, links: 1, major: 0, minor: 0 }, new Uint8Array()));
  return Buffer.concat(parts);
}

function encodeEntry(entry: CpioEntry, inode: number): Uint8Array[] {
  checkPath(entry.path);
  const mode = FILE_TYPE[entry.kind] | (entry.mode & PERMISSIONS);
  switch (entry.kind) {
    case 'file':
      return encode(entry.path, { inode, mode, links: 1, major: 0, minor: 0 }, entry.bytes);
    case 'directory':
      return encode(entry.path, { inode, mode, links: 2, major: 0, minor: 0 }, new Uint8Array());
    case 'character-device':
      return encode(entry.path, { inode, mode, links: 1, major: entry.major, minor: entry.minor }, new Uint8Array());
  }
}

function checkPath(path: string): void {
  const isClean = path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
  if (!isClean || path.includes('\0') || path === TRAILER || Buffer.byteLength(path) >= PATH_SIZE) {
    throw new InputError(`${JSON.stringify(path)} cannot be a path in the initramfs`);
  }
}

interface Header {
  readonly inode: number;
  readonly mode: number;
  readonly links: number;
  readonly major: number;
  readonly minor: number;
}

/** Header, path and content, each padded. */
function encode(path: string, header: Header, bytes: Uint8Array): Uint8Array[] {
  if (bytes.length > SIZE_MAX) throw new InputError(`the file ${path} is too large for the initramfs`);
  const name = Buffer.from(`${path}\0`);
  const fields = [
    header.inode,
    header.mode,
    0, // uid
    0, // gid
    header.links,
    0, // mtime
    bytes.length,
    0, // major and minor of the device that holds the file
    0,
    header.major,
    header.minor,
    name.length,
    0, // checksum, of another format
  ];
  const head = Buffer.from(MAGIC + fields.map((field) => field.toString(16).padStart(8, '0').toUpperCase()).join(''));
  return [head, name, padding(head.length + name.length), bytes, padding(bytes.length)];
}

function padding(length: number): Uint8Array {
  return new Uint8Array((ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT);
}

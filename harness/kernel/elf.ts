import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** Reads up to `length` bytes of a file at `offset`; fewer where it ends before. */
export type ReadAt = (offset: number, length: number) => Promise<Uint8Array>;

/**
 * A section header (ELF-64 Object File Format 1.5, table 8). Sizes and offsets are those of the file, in bytes,
 * unchecked.
 */
interface Section {
  readonly name: string;
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  /** Of a symbol table: the section with its names. */
  readonly link: number;
}

interface ElfFile {
  /** `e_machine`: {@link EM_AARCH64} and others. */
  readonly machine: number;
  readonly sections: readonly Section[];
}

export const EM_AARCH64 = 183;
const SHT_SYMTAB = 2;
/** Of a symbol that another file defines. */
const SHN_UNDEF = 0;
/** nm(1)'s letter by the types of symbols that name code or data: STT_NOTYPE, as of assembly, STT_OBJECT, STT_FUNC. */
const LETTERS: Readonly<Record<number, string>> = { 0: 'T', 1: 'D', 2: 'T' };

/** "\x7fELF", class ELFCLASS64, data ELFDATA2LSB. */
const MAGIC = [0x7f, 0x45, 0x4c, 0x46, 2, 1];
const HEADER_SIZE = 64;
const SECTION_HEADER_SIZE = 64;
const SYMBOL_SIZE = 24;
/** Symbols and their names of a distribution's kernel take some 25 MB; what says more is no kernel. */
const MOST_BYTES = 256 * 1024 * 1024;

/** Header and sections of an ELF64 little-endian file; null when the file is not one. */
export async function readElf(read: ReadAt): Promise<ElfFile | null> {
  const header = await read(0, HEADER_SIZE);
  if (header.length < HEADER_SIZE || MAGIC.some((byte, at) => header[at] !== byte)) return null;
  const view = viewOf(header);
  const tableOffset = number64(view, 0x28);
  const count = view.getUint16(0x3c, true);
  const table = await read(tableOffset, count * SECTION_HEADER_SIZE);
  if (table.length < count * SECTION_HEADER_SIZE) return null;
  const headers = viewOf(table);
  const bare = Array.from({ length: count }, (_, index) => {
    const at = index * SECTION_HEADER_SIZE;
    return {
      name: headers.getUint32(at, true),
      type: headers.getUint32(at + 4, true),
      offset: number64(headers, at + 0x18),
      size: number64(headers, at + 0x20),
      link: headers.getUint32(at + 0x28, true),
    };
  });
  const named = bare[view.getUint16(0x3e, true)];
  if (named === undefined) return null;
  const names = await readSection(read, named);
  const sections = bare.map((section) => ({ ...section, name: zeroTerminated(names, section.name) }));
  return { machine: view.getUint16(0x12, true), sections };
}

/** What a section holds, or as much of it as the file has; nothing where it claims to be larger than any kernel's. */
export async function readSection(read: ReadAt, section: Pick<Section, 'offset' | 'size'>): Promise<Uint8Array> {
  return section.size > MOST_BYTES ? new Uint8Array() : read(section.offset, section.size);
}

/** The defined symbols of `elf` as lines of a System.map, `ADDRESS TYPE NAME`; null where it was stripped of them. */
export async function symbolLines(read: ReadAt, elf: ElfFile): Promise<string | null> {
  const table = elf.sections.find(({ type }) => type === SHT_SYMTAB);
  const strings = table === undefined ? undefined : elf.sections[table.link];
  if (table === undefined || strings === undefined) return null;
  const symbols = await readSection(read, table);
  const names = await readSection(read, strings);
  const view = viewOf(symbols);
  const lines: string[] = [];
  for (let at = 0; at + SYMBOL_SIZE <= symbols.length; at += SYMBOL_SIZE) {
    const letter = LETTERS[view.getUint8(at + 4) & 0xf];
    if (letter === undefined || view.getUint16(at + 6, true) === SHN_UNDEF) continue;
    const name = zeroTerminated(names, view.getUint32(at, true));
    // $x and $d say where code and literals begin (ELF for the Arm 64-bit Architecture, mapping symbols).
    if (name === '' || name.startsWith('$')) continue;
    lines.push(
      `${view
        .getBigUint64(at + 8, true)
        .toString(16)
        .padStart(16, '0')} ${letter} ${name}`,
    );
  }
  return lines.length === 0 ? null : `${lines.join('\n')}\n`;
}

/** Opens a file for {@link ReadAt} while `use` runs. Throws what opening it throws. */
export async function withFile<T>(path: string, use: (read: ReadAt) => Promise<T>): Promise<T> {
  // A FIFO has no size and no symbols; without O_NONBLOCK it would wait for its writer (fifo(7)).
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return await use(readerOf(file, (await file.stat()).size));
  } finally {
    await file.close();
  }
}

function readerOf(file: FileHandle, size: number): ReadAt {
  return async (offset, length) => {
    // A length that the file only claims is not allocated.
    const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
    return bytes.subarray(0, bytesRead);
  };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A 64-bit offset or size; one that is larger than any file is as wrong as the largest that can be said exactly. */
function number64(view: DataView, at: number): number {
  return Math.min(Number(view.getBigUint64(at, true)), Number.MAX_SAFE_INTEGER);
}

/** Longest name of a kernel symbol (KSYM_NAME_LEN, include/linux/kallsyms.h); section names are shorter. */
const LONGEST_NAME = 512;

function zeroTerminated(bytes: Uint8Array, start: number): string {
  const name = bytes.subarray(start, start + LONGEST_NAME);
  const end = name.indexOf(0);
  return Buffer.from(end < 0 ? name : name.subarray(0, end)).toString('latin1');
}

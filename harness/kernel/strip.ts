/** Takes out of a module what the loader would only spend time on. */

/**
 * scripts/sign-file.c: what a signed module ends with, behind `struct module_signature`, whose last word is the
 * signature's size, big endian.
 */
const SIGNED = Buffer.from('~Module signature appended~\n');
const SIGNATURE_HEADER = 12;

/** ELF-64 Object File Format 1.5: the header, and of a section header the fields that are changed. */
const HEADER_SIZE = 64;
const SECTION_TABLE = 0x28;
const SECTION_COUNT = 0x3c;
const NAMES_INDEX = 0x3e;
const SECTION_SIZE = 64;
const FLAGS = 8;
const OFFSET = 0x18;
const SIZE = 0x20;
/**
 * BTF is parsed at every load (kernel/bpf/btf.c, btf_module_notify()), which costs more than most of the modules
 * themselves.
 */
const UNWANTED = /^\.BTF(?:\.base)?$/;

/**
 * The module without its signature, which would no longer fit, and without BTF: those sections stay in the table, empty
 * and under another name. A file that is no 64-bit ELF file comes back as it is.
 */
export function stripModule(file: Buffer): Buffer {
  const bytes = Buffer.from(withoutSignature(file));
  if (bytes.length < HEADER_SIZE || bytes.toString('latin1', 0, 4) !== '\x7fELF') return file;
  const table = Number(bytes.readBigUInt64LE(SECTION_TABLE));
  const count = bytes.readUInt16LE(SECTION_COUNT);
  const header = (index: number) => table + index * SECTION_SIZE;
  if (header(count) > bytes.length || bytes.readUInt16LE(NAMES_INDEX) >= count) return file;
  const names = Number(bytes.readBigUInt64LE(header(bytes.readUInt16LE(NAMES_INDEX)) + OFFSET));
  for (let index = 0; index < count; index++) {
    const at = names + bytes.readUInt32LE(header(index));
    const end = bytes.indexOf(0, at);
    if (at >= bytes.length || !UNWANTED.test(bytes.toString('latin1', at, end))) continue;
    bytes.write('-', at, 'latin1');
    bytes.writeBigUInt64LE(0n, header(index) + FLAGS);
    bytes.writeBigUInt64LE(0n, header(index) + SIZE);
  }
  return bytes;
}

function withoutSignature(file: Buffer): Buffer {
  const end = file.length - SIGNED.length;
  if (end < SIGNATURE_HEADER || !file.subarray(end).equals(SIGNED)) return file;
  const size = file.readUInt32BE(end - 4);
  return size + SIGNATURE_HEADER > end ? file : file.subarray(0, end - SIGNATURE_HEADER - size);
}

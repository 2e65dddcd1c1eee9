import { spawnSync } from 'node:child_process';
import { gunzipSync } from 'node:zlib';

/** Programs that unpack what Node.js 20 cannot, from standard input to standard output. */
const PROGRAMS = {
  xz: ['xz', '--decompress', '--stdout'],
  zstd: ['zstd', '--decompress', '--stdout'],
} as const;
type Compression = 'gzip' | keyof typeof PROGRAMS;

/**
 * What the first bytes of a file say about booting it (Documentation/arch/arm64/booting.rst, "Call the kernel image").
 */
export type ImageProbe =
  | { readonly is: 'arm64-image' }
  | { readonly is: Compression }
  /** A self-decompressing EFI image with the real one inside (Linux 6.1 and later, CONFIG_EFI_ZBOOT). */
  | { readonly is: 'efi-zboot'; readonly payload: number; readonly size: number; readonly compression: string }
  | { readonly is: 'truncated'; readonly detail: string }
  | { readonly is: 'other'; readonly what: string };

/** Offset and text of `ARM\x64` in the header of an arm64 Image (booting.rst). */
const ARM64_MAGIC = { offset: 0x38, text: 'ARM\x64' } as const;
/** Offset of the 64-bit `image_size`: the memory the kernel needs, .bss included (booting.rst). */
const IMAGE_SIZE_OFFSET = 0x10;
export const IMAGE_HEADER_SIZE = 64;
/**
 * drivers/firmware/efi/libstub/zboot-header.S: "MZ", then "zimg", payload offset and size, and the compression's name.
 */
const ZBOOT = { offset: 4, text: 'zimg', payload: 8, size: 12, compression: 24, compressionLength: 32 } as const;

/** Files that are mistaken for an arm64 Image; the offsets are those of each format's own header. */
const OTHERS: readonly { readonly offset: number; readonly bytes: string; readonly what: string }[] = [
  { offset: 0x202, bytes: 'HdrS', what: 'an x86 bzImage' },
  { offset: 0x24, bytes: '\x18\x28\x6f\x01', what: 'a 32-bit Arm zImage' },
  { offset: 0x38, bytes: 'RSC\x05', what: 'a RISC-V Image' },
  { offset: 0, bytes: '\xd0\x0d\xfe\xed', what: 'a device tree blob' },
  { offset: 0, bytes: '\x27\x05\x19\x56', what: 'a U-Boot uImage' },
  { offset: 0, bytes: '070701', what: 'an initramfs' },
];

/** e_machine values (ELF-64 Object File Format and the processors' supplements). */
const ELF_MACHINES: Readonly<Record<number, string>> = {
  3: 'x86',
  40: '32-bit Arm',
  62: 'x86-64',
  183: 'arm64',
  243: 'RISC-V',
};

/** Says what a kernel file is. `file` is all of it. */
export function probeImage(file: Buffer): ImageProbe {
  const at = (offset: number, text: string) =>
    file.subarray(offset, offset + text.length).equals(Buffer.from(text, 'latin1'));
  if (file.length === 0) return { is: 'truncated', detail: 'it is empty' };
  if (at(0, '\x1f\x8b')) return { is: 'gzip' };
  if (at(0, '\xfd7zXZ\0')) return { is: 'xz' };
  if (at(0, '\x28\xb5\x2f\xfd')) return { is: 'zstd' };
  if (at(0, '\x7fELF')) {
    const MACHINE_OFFSET = 18;
    const machine =
      file.length >= IMAGE_HEADER_SIZE ? (ELF_MACHINES[file.readUInt16LE(MACHINE_OFFSET)] ?? 'some') : 'some';
    return { is: 'other', what: `an ELF file for ${machine} machines, not the flat arch/arm64/boot/Image` };
  }
  if (file.length >= IMAGE_HEADER_SIZE && at(0, 'MZ') && at(ZBOOT.offset, ZBOOT.text)) return zboot(file);
  if (file.length >= IMAGE_HEADER_SIZE && at(ARM64_MAGIC.offset, ARM64_MAGIC.text)) {
    const detail = missingPart(file);
    return detail === null ? { is: 'arm64-image' } : { is: 'truncated', detail };
  }
  const other = OTHERS.find(({ offset, bytes }) => at(offset, bytes));
  if (other !== undefined) return { is: 'other', what: other.what };
  if (file.length < IMAGE_HEADER_SIZE) return { is: 'truncated', detail: `it has ${file.length} bytes only` };
  return { is: 'other', what: 'no kernel that bootrace knows' };
}

/** Bytes of memory that a plain Image needs, .bss included. `header`: its first {@link IMAGE_HEADER_SIZE} bytes. */
export function imageMemory(header: Buffer): number {
  return Number(header.readBigUInt64LE(IMAGE_SIZE_OFFSET));
}

/** Sizes of pages, in KiB. */
export type PageKib = 4 | 16 | 64;

/** Offset of the 64-bit `flags`, whose bits 1 and 2 are the size of pages (booting.rst). */
const FLAGS_OFFSET = 0x18;
/** By those bits; the first is a kernel that does not say (before Linux 4.6). */
const PAGES: readonly PageKib[] = [4, 4, 16, 64];

/** The pages of a plain Image. `header`: its first {@link IMAGE_HEADER_SIZE} bytes. */
export function imagePages(header: Buffer): PageKib {
  return PAGES[(header.readUInt8(FLAGS_OFFSET) >> 1) & (PAGES.length - 1)] ?? 4;
}

function zboot(file: Buffer): ImageProbe {
  const payload = file.readUInt32LE(ZBOOT.payload);
  const size = file.readUInt32LE(ZBOOT.size);
  if (payload + size > file.length)
    return { is: 'truncated', detail: `its compressed kernel ends at byte ${payload + size} of ${file.length}` };
  const name = file.toString('latin1', ZBOOT.compression, ZBOOT.compression + ZBOOT.compressionLength);
  return { is: 'efi-zboot', payload, size, compression: name.split('\0')[0] ?? '' };
}

/** What of an Image is missing, as far as its own header tells; null when nothing is. */
function missingPart(file: Buffer): string | null {
  const end = endOfPeSections(file);
  if (end !== null && end > file.length) return `its sections end at byte ${end} of ${file.length}`;
  const memory = file.readBigUInt64LE(IMAGE_SIZE_OFFSET);
  // Without an EFI header only the size in memory is known; .bss, which is not in the file, is never most of it.
  const LEAST_SHARE = 2n;
  if (BigInt(file.length) * LEAST_SHARE < memory)
    return `it has ${file.length} bytes, and needs ${memory} bytes of memory`;
  return null;
}

/**
 * End of the last section of an Image that is an EFI program too (PE Format, COFF file header and section table); null
 * when it is none.
 */
function endOfPeSections(file: Buffer): number | null {
  const PE_OFFSET = 0x3c;
  const COFF_HEADER_SIZE = 24;
  const SECTION_SIZE = 40;
  const pe = file.readUInt32LE(PE_OFFSET);
  if (file.toString('latin1', 0, 2) !== 'MZ' || pe + COFF_HEADER_SIZE > file.length) return null;
  if (file.toString('latin1', pe, pe + 4) !== 'PE\0\0') return null;
  const count = file.readUInt16LE(pe + 6);
  const table = pe + COFF_HEADER_SIZE + file.readUInt16LE(pe + 20);
  if (table + count * SECTION_SIZE > file.length) return table + count * SECTION_SIZE;
  const ends = Array.from({ length: count }, (_, index) => {
    const section = table + index * SECTION_SIZE;
    return file.readUInt32LE(section + 16) + file.readUInt32LE(section + 20);
  });
  return Math.max(0, ...ends);
}

/** More than any kernel, in bytes: a file that has or unpacks to more is an attack or a mistake. */
export const LARGEST_IMAGE = 512 * 1024 * 1024;

export type ImageResult =
  | { readonly ok: true; readonly image: Buffer }
  | { readonly ok: false; readonly problem: string };

/** The plain arm64 Image inside `file`, which may be gzip or an EFI zboot image around it. */
export function openImage(file: Buffer): ImageResult {
  const probe = probeImage(file);
  switch (probe.is) {
    case 'arm64-image':
      return { ok: true, image: file };
    case 'truncated':
      return { ok: false, problem: `is cut short: ${probe.detail}` };
    case 'other':
      return { ok: false, problem: `is ${probe.what}, not an arm64 Image` };
    case 'gzip':
    case 'xz':
    case 'zstd':
      return unpacked(file, probe.is, `${probe.is} archive`);
    case 'efi-zboot': {
      const payload = file.subarray(probe.payload, probe.payload + probe.size);
      const compression = COMPRESSIONS.find((known) => ZBOOT_NAMES[known].includes(probe.compression));
      return compression === undefined
        ? { ok: false, problem: `is a zboot image for EFI with ${probe.compression} compression; give the plain Image` }
        : unpacked(payload, compression, 'zboot image for EFI');
    }
  }
}

const COMPRESSIONS: readonly Compression[] = ['gzip', 'xz', 'zstd'];
/** What drivers/firmware/efi/libstub/Makefile.zboot calls them, Linux 6.1 to 7.0. */
const ZBOOT_NAMES: Readonly<Record<Compression, readonly string[]>> = {
  gzip: ['gzip'],
  xz: ['xz', 'xzkern'],
  zstd: ['zstd', 'zstd22'],
};

/** Throws what went wrong. */
function decompress(compressed: Buffer, compression: Compression): Buffer {
  if (compression === 'gzip') return gunzipSync(compressed, { maxOutputLength: LARGEST_IMAGE });
  const [program, ...options] = PROGRAMS[compression];
  const { stdout, stderr, error, status } = spawnSync(program, options, {
    input: compressed,
    maxBuffer: LARGEST_IMAGE,
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(stderr.toString('utf8').trim().split('\n')[0]);
  return stdout;
}

function unpacked(compressed: Buffer, compression: Compression, what: string): ImageResult {
  let image: Buffer;
  try {
    image = decompress(compressed, compression);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { ok: false, problem: `is a ${what} that cannot be unpacked: ${error.message}` };
  }
  const inner = probeImage(image);
  if (inner.is === 'arm64-image') return { ok: true, image };
  const problem =
    inner.is === 'truncated' ? `is cut short: ${inner.detail}` : `is ${inner.is === 'other' ? inner.what : inner.is}`;
  return { ok: false, problem: `is a ${what}, but what is inside ${problem}` };
}

/** `uname -r` of an uncompressed kernel: its banner (init/version.c, linux_banner); null when it has none. */
export function imageRelease(image: Buffer): string | null {
  const BANNER = 'Linux version ';
  const LONGEST_RELEASE = 64;
  for (let found = image.indexOf(BANNER); found >= 0; found = image.indexOf(BANNER, found + 1)) {
    const start = found + BANNER.length;
    const release = /^\d[^\s%]*(?= )/.exec(image.toString('latin1', start, start + LONGEST_RELEASE))?.[0];
    if (release !== undefined) return release;
  }
  return null;
}

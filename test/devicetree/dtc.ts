import { execa } from 'execa';

/** The real tools that the reader and the writer are checked against (Debian's device-tree-compiler). */

type Format = 'dts' | 'dtb';

async function dtc(from: Format, to: Format, input: Uint8Array | string, options: readonly string[]) {
  const { stdout } = await execa('dtc', ['-q', '-I', from, '-O', to, ...options, '-o', '-', '-'], {
    input,
    encoding: 'buffer',
    stripFinalNewline: false,
  });
  return stdout;
}

/** The blob that dtc makes of a source. */
export function compile(dts: string, ...options: readonly string[]): Promise<Uint8Array> {
  return dtc('dts', 'dtb', dts, options);
}

/** The source that dtc makes of a blob. */
export async function decompile(dtb: Uint8Array, ...options: readonly string[]): Promise<string> {
  return Buffer.from(await dtc('dtb', 'dts', dtb, options)).toString('latin1');
}

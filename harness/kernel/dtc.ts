import { execa } from 'execa';
import { InputError } from '../errors.ts';
import { commandLine } from '../invocation.ts';

/**
 * Compiles a device tree source with the real dtc (1.6.1 or later), with `__symbols__` so that edits may name labels.
 * Throws {@link InputError} with dtc's own message when the source does not compile or dtc is missing.
 */
export async function compileDeviceTree(source: string): Promise<Uint8Array> {
  const result = await execa('dtc', ['-q', '-@', '-I', 'dts', '-O', 'dtb', '-o', '-', source], {
    encoding: 'buffer',
    reject: false,
    stdin: 'ignore',
  });
  if (result.failed) {
    const said = new TextDecoder().decode(result.stderr).trim();
    throw new InputError(
      `${source} does not compile: ${said === '' ? result.shortMessage : said.split('\n')[0]}`,
      `see \`${commandLine(['doctor'])}\` if dtc is missing`,
      { cause: result.cause },
    );
  }
  return result.stdout;
}

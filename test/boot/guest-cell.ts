import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

const GUESTS = fileURLToPath(new URL('guests/', import.meta.url));

/** Compiles the guest in `guests/SOURCE.S` into PATH.o and PATH.img; returns the path of the latter. */
export async function compileGuest(
  path: string,
  source: string,
  defines: Readonly<Record<string, string | number>>,
): Promise<string> {
  const words = Object.entries(defines).map(([key, value]) => `-D${key}=${value}`);
  await execa('aarch64-linux-gnu-gcc', ['-c', ...words, '-o', `${path}.o`, join(GUESTS, `${source}.S`)]);
  await execa('aarch64-linux-gnu-objcopy', ['-O', 'binary', `${path}.o`, `${path}.img`]);
  return `${path}.img`;
}

/** Compiles the guest in `guests/SOURCE.S` and writes a cell file, in `folder`, that boots it; returns its path. */
export async function guestCell(
  folder: string,
  source: string,
  defines: Readonly<Record<string, string | number>>,
  expected: string,
): Promise<string> {
  const name = [
    source,
    ...Object.entries(defines).flatMap(([key, value]) => (value === 1 ? [key.toLowerCase()] : [])),
  ].join('-');
  const image = await compileGuest(join(folder, name), source, defines);
  const cell = join(folder, `${name}.yaml`);
  const plan = 'plan: [{ step: settle, ms: 500 }]';
  await writeFile(cell, `id: ${name}\nkernel: 'image:${image}'\n${plan}\nexpect: { verdict: ${expected} }\n`);
  return cell;
}

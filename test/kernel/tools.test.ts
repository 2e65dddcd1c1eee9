import { existsSync } from 'node:fs';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withDir } from 'tmp-promise';
import { describe, expect, it } from 'vitest';
import { InfraError } from '../../harness/errors.ts';
import { checkTools, ensureTools, type Machine, reaches } from '../../harness/kernel/tools.ts';

/** A machine whose only programs are the given scripts. */
const onMachine =
  (programs: Record<string, string>, options: Partial<Machine>, test: (machine: Machine) => Promise<void>) => () =>
    withDir(
      async ({ path }) => {
        const osRelease = join(path, 'os-release');
        await writeFile(osRelease, 'NAME="Some Linux"\nID=some\nID_LIKE="ubuntu debian"\n');
        for (const [name, script] of Object.entries(programs)) {
          await writeFile(join(path, name), `#!/bin/sh\n${script}\n`);
          await chmod(join(path, name), 0o755);
        }
        await test({ path, osRelease, root: false, ...options });
      },
      { unsafeCleanup: true },
    );

const say = () => {};
const names = async (machine: Machine) =>
  (await checkTools({ versions: false, tests: true }, machine)).map(({ name }) => name);

describe('missing tools', () => {
  it(
    'are listed with one line to install them',
    onMachine({ 'apt-get': 'exit 1' }, {}, async (machine) => {
      await expect(ensureTools({ install: true, tests: true, say }, machine)).rejects.toMatchObject({
        exitCode: 2,
        message: expect.stringMatching(/^these tools are missing: qemu-system-aarch64, dtc, /),
        hint: expect.stringMatching(
          /^run: sudo apt-get install -y --no-install-recommends bc binutils-aarch64-linux-gnu bison .*qemu-system-arm/,
        ),
      });
    }),
  );

  it(
    'are named only, where packages have other names',
    onMachine({}, { root: true }, async (machine) => {
      await expect(ensureTools({ install: true, tests: true, say }, machine)).rejects.toMatchObject({
        exitCode: 2,
        hint: expect.stringMatching(/^install them with your package manager/),
      });
    }),
  );

  // The stand-in for apt-get does what installing does, as far as PATH can tell; what it was asked stands in `log`. Like dpkg's,
  // its maintainer script has no status descriptor, and must be able to print.
  const APT = `set -e
here="\${0%/*}"
fd=\${2#APT::Status-Fd=}
case "$*" in
*" install "*) echo "$*" >> "$here/log"
  eval "echo dlstatus:1:50.0:Retrieving >&$fd"
  eval "echo Setting up ccache $fd>&-" || exit 100
  eval "echo pmstatus:bc:100.0:Installed >&$fd"
  while read -r tool; do printf '#!/bin/sh\\necho version 7.2.0\\n' > "$here/$tool"; /bin/chmod +x "$here/$tool"; done < "$here/tools" ;;
*) echo "$*" >> "$here/log" ;;
esac`;
  it(
    'are installed as root, after a refresh of the index where apt does not know them',
    onMachine({ 'apt-get': APT, 'apt-cache': 'echo none' }, { root: true }, async (machine) => {
      const programs = (await names(machine)).filter((name) => !name.startsWith('<'));
      await writeFile(join(machine.path, 'tools'), `${programs.join('\n')}\n`);
      const said: string[] = [];
      await ensureTools({ install: true, tests: true, say: (line) => said.push(line) }, machine);
      const asked = (await readFile(join(machine.path, 'log'), 'utf8')).trim().split('\n');
      expect(asked.map((line) => line.replace(/.*Use-Pty=0 /, ''))).toEqual([
        'update',
        expect.stringMatching(/^install -y --no-install-recommends bc binutils-aarch64-linux-gnu/),
      ]);
      expect(said).toEqual([
        expect.stringMatching(/^installing bc /),
        'downloading packages: 50 %',
        'installing packages: 100 %',
      ]);
    }),
  );

  it(
    'are not installed where the answer is no',
    onMachine({ 'apt-get': APT, 'apt-cache': 'echo none' }, { root: true }, async (machine) => {
      const asked: string[] = [];
      const confirm = async (command: string) => asked.push(command) < 0;
      await expect(ensureTools({ install: true, tests: true, say, confirm }, machine)).rejects.toMatchObject({
        exitCode: 2,
        hint: expect.stringMatching(/^run: sudo apt-get install /),
      });
      expect(asked).toEqual([expect.stringMatching(/^apt-get install -y --no-install-recommends bc /)]);
      expect(existsSync(join(machine.path, 'log'))).toBe(false);
    }),
  );

  it(
    'whose installation fails are an error of the machine',
    onMachine({ 'apt-get': 'echo "E: no network" >&2; exit 100', 'apt-cache': '' }, { root: true }, async (machine) => {
      const failure = ensureTools({ install: true, tests: true, say }, machine);
      await expect(failure).rejects.toThrow(InfraError);
      await expect(failure).rejects.toThrow('apt-get update failed: E: no network');
    }),
  );
});

describe('a version', () => {
  it('is compared by number', () => {
    expect(reaches('7.2.22', [7, 2])).toBe(true);
    expect(reaches('10.0', [7, 2])).toBe(true);
    expect(reaches('7.10', [7, 2])).toBe(true);
    expect(reaches('7.1.99', [7, 2])).toBe(false);
    expect(reaches('6.2', [7, 2])).toBe(false);
  });

  it(
    'that is too low is reported',
    onMachine({ 'qemu-system-aarch64': 'echo QEMU emulator version 6.2.0' }, {}, async (machine) => {
      const reports = await checkTools({ versions: false, tests: true }, machine);
      expect(reports.find(({ name }) => name === 'qemu-system-aarch64')).toMatchObject({
        state: 'too old',
        version: '6.2.0',
        minimum: '7.2',
      });
    }),
  );
});

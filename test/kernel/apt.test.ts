import { chmod, chown, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { withDir } from 'tmp-promise';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { downloadPackage } from '../../harness/kernel/apt.ts';
import { ownerToken } from '../../harness/owner.ts';

afterEach(() => void vi.unstubAllEnvs());

/**
 * A mirror that lists two kernels in every suite and has the files of those suites that are named; as far as `apt-get` and
 * `apt-cache` show it.
 */
const withMirror = (suites: string, test: (folder: string) => Promise<void>) => () =>
  withDir(
    async ({ path }) => {
      const scripts = {
        'apt-get': `case "$*" in
indextargets*) echo bookworm http://mirror/debian; echo bookworm-security http://mirror/security ;;
*" update") ;;
*" download "*)
  for suite in ${suites}; do case "$*" in *"/apt/$suite-arm64/"*) for last; do :; done; : > "\${last%%=*}_1_arm64.deb"; exit 0 ;; esac; done
  for last; do :; done; : > "\${last%%=*}_0-cut-short_arm64.deb"
  echo "E: Failed to fetch http://mirror/kernel.deb  404  Not Found" >&2; exit 100 ;;
esac`,
        'apt-cache': `case "$*" in
*" pkgnames "*) echo linux-image-5.10.0-9-arm64; echo linux-image-5.10.0-10-arm64 ;;
*) echo Version: 1; echo Size: 100 ;;
esac`,
      };
      for (const [name, script] of Object.entries(scripts)) {
        await writeFile(join(path, name), `#!/bin/sh\n${script}\n`);
        await chmod(join(path, name), 0o755);
      }
      for (const name of ['sh', 'setpriv', 'setsid']) await symlink(join('/usr/bin', name), join(path, name));
      vi.stubEnv('PATH', path);
      await test(path);
    },
    { unsafeCleanup: true },
  );

const download = (root: string) => {
  const pick = (names: readonly string[]) => names.toReversed();
  const wanted = { root, series: '5.10', architecture: 'arm64', prefix: 'linux-image-5.10.', pick } as const;
  return downloadPackage(wanted, root, () => {});
};

describe('a kernel package', () => {
  it(
    'is the best of the first suite',
    withMirror('bullseye-security bullseye', async (root) => {
      const { package: found, path } = await download(root);
      expect(basename(path)).toBe('linux-image-5.10.0-10-arm64_1_arm64.deb');
      expect(basename(found.state.folder)).toBe('bullseye-security-arm64');
    }),
  );

  it.runIf(process.getuid?.() === 0)(
    'is downloaded by the user of apt, who cannot enter the folders of root',
    withMirror('bullseye', async (root) => {
      await writeFile(join(root, 'id'), '#!/bin/sh\necho 42\n', { mode: 0o755 });
      const get = await readFile(join(root, 'apt-get'), 'utf8');
      const told = `[ -z "$4" ] || { echo "$PWD $*"; /usr/bin/stat -L -c %u . /proc/self/fd/3; } >> ${root}/log\n`;
      await writeFile(join(root, 'apt-get'), get.replace('\n', `\n${told}`));
      const temporary = join(root, 'tmp');
      vi.stubEnv('TMPDIR', temporary);
      const mine = await ownerToken();
      // One of a process that is gone: this pid began at another time.
      const gone = mine.replace(/-\d+-/, '-1-');
      const left = ['theirs', `${mine}-x`, `${gone}-foreign`, `${gone}-x`].map((name) => `bootrace-deb-${name}`);
      for (const name of left) await mkdir(join(temporary, name), { recursive: true });
      await chown(join(temporary, `bootrace-deb-${gone}-foreign`), 12345, -1);
      const { path } = await download(root);
      expect(path.startsWith(`${root}/deb-`)).toBe(true);
      const log = await readFile(join(root, 'log'), 'utf8');
      expect(log).not.toContain('APT::Sandbox::User=root');
      expect(log).toMatch(/Dir::State=\/proc\/self\/fd\/3 .*APT::Keep-Fds::=3 .* update\n0\n0\n/);
      expect(log).toMatch(/\/bootrace-deb-[\w-]+ .* download .*\n42\n/);
      expect((await readdir(temporary)).sort()).toEqual(left.slice(0, 3).sort());
    }),
  );

  it(
    'comes from the next suite where the mirror lists what it does not have',
    withMirror('bullseye', async (root) => {
      const { package: found, path } = await download(root);
      expect(basename(found.state.folder)).toBe('bullseye-arm64');
      expect(basename(path)).toBe('linux-image-5.10.0-10-arm64_1_arm64.deb');
    }),
  );

  it(
    'that no suite has is an error with what each of them said',
    withMirror('none', async (root) => {
      await expect(download(root)).rejects.toMatchObject({
        exitCode: 3,
        message: expect.stringMatching(
          /^no Debian suite gives linux-image-5\.10\.\* for arm64: bullseye-security: linux-image-5\.10\.0-9-arm64 1 could not be downloaded: E: .*404 {2}Not Found \| bullseye: .*404/,
        ),
      });
    }),
  );
});

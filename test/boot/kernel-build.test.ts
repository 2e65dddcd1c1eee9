import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { dir } from 'tmp-promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InfraError, InputError } from '../../harness/errors.ts';
import { buildKernel, type KernelRequest } from '../../harness/kernel/build.ts';
import type { KernelProgress } from '../../harness/kernel/progress.ts';
import { KERNEL_CONFIGS } from '../../harness/kernel/recipe.ts';

const MINUTES = 60_000;
const BASE = join(KERNEL_CONFIGS, 'base.config');

describe('building Linux 6.1', () => {
  let recipes: string;
  let removeRecipes: () => Promise<void>;

  beforeAll(async () => {
    const folder = await dir({ unsafeCleanup: true });
    recipes = folder.path;
    removeRecipes = folder.cleanup;
  });
  afterAll(() => removeRecipes());

  const recipe = (name: string, text: string) =>
    writeFile(join(recipes, `${name}.yaml`), `source: debian:6.1\nfragments: [${BASE}, ${name}.config]\n${text}`);
  const build = async (request: KernelRequest) => {
    const phases: KernelProgress['phase'][] = [];
    const kernel = await buildKernel({ ...request, onProgress: ({ phase }) => phases.push(phase) });
    if (kernel.kind !== 'ready') throw new Error(kernel.reason);
    return { kernel, phases };
  };

  it(
    'gives a kernel with its symbols, once',
    async () => {
      const { kernel } = await build({ recipe: '6.1', linkage: 'builtin' });
      expect(kernel.release).toMatch(/^6\.1\.\d+$/);
      expect(kernel.modules.size).toBe(0);
      expect(await readFile(kernel.systemMap ?? '', 'utf8')).toMatch(/ T qcom_scm_is_available$/m);
      const again = await build({ recipe: '6.1', linkage: 'builtin' });
      expect(again).toEqual({ kernel, phases: [] });
    },
    20 * MINUTES,
  );

  it(
    'with another linkage or patch has the same Image where only modules differ',
    async () => {
      const fixed = await build({ recipe: '6.1', linkage: 'modules' });
      const unfixed = await build({ recipe: '6.1-unfixed', linkage: 'modules' });
      expect([...fixed.kernel.modules.keys()].sort()).toEqual(['arm_smmu', 'qcom_scm']);
      expect(fixed.kernel.modules.get('arm_smmu')?.depends).toEqual(['qcom_scm']);
      expect(unfixed.kernel.imageHash).toBe(fixed.kernel.imageHash);
      expect(unfixed.kernel.key).not.toBe(fixed.kernel.key);
    },
    20 * MINUTES,
  );

  it(
    'with a built-in SMMU driver and a modular SCM is refused by Kconfig',
    async () => {
      expect(await buildKernel({ recipe: '6.1', linkage: 'scm-module' })).toMatchObject({
        kind: 'unbuildable',
        reason: expect.stringContaining('Kconfig resolves CONFIG_QCOM_SCM to y, not m: selected by ARM_SMMU_QCOM=y'),
      });
    },
    20 * MINUTES,
  );

  it(
    'names an option that Kconfig changed, and the line that asks for it',
    async () => {
      await writeFile(join(recipes, 'wrong.config'), '# comment\nCONFIG_USB_DWC3_QCOM=y\n');
      await recipe('wrong', '');
      const failure = buildKernel({ recipe: 'wrong', linkage: 'builtin', recipeFolder: recipes });
      await expect(failure).rejects.toThrow(InputError);
      await expect(failure).rejects.toThrow(
        /CONFIG_USB_DWC3_QCOM to n, not y: it depends on .* \(asked in wrong\.config:2\)/,
      );
    },
    20 * MINUTES,
  );

  it(
    'that does not compile says what the compiler said, and where the full log is',
    async () => {
      await writeFile(join(recipes, 'broken.config'), '# nothing\n');
      const patch =
        '--- a/init/version.c\n+++ b/init/version.c\n@@ -9,1 +9,2 @@\n #include <generated/compile.h>\n+this is not C;\n';
      await writeFile(join(recipes, 'broken.patch'), patch);
      await recipe('broken', 'patches: [broken.patch]\n');
      const failure: unknown = await buildKernel({ recipe: 'broken', linkage: 'builtin', recipeFolder: recipes }).catch(
        (error: unknown) => error,
      );
      if (!(failure instanceof InfraError)) throw new Error(`expected an InfraError, got ${failure}`);
      expect(failure.message).toContain('init/version.c');
      expect(failure.message).toContain('error:');
      const log = /the full log is (.*)/.exec(failure.hint ?? '')?.[1] ?? '';
      expect(await readFile(log, 'utf8')).toContain('this is not C');
    },
    20 * MINUTES,
  );

  it(
    'survives a kill, and is done once by two runs at the same time',
    async () => {
      await writeFile(join(recipes, 'killed.config'), 'CONFIG_LOCALVERSION="-killed"\n');
      await recipe('killed', '');
      const program = fileURLToPath(new URL('build-one.ts', import.meta.url));
      const victim = execa('node', ['--import', 'tsx', program, recipes, 'killed'], { reject: false });
      for await (const line of victim) if (line === 'compiling' || line === 'packing') victim.kill('SIGKILL');
      expect((await victim).signal).toBe('SIGKILL');

      const request: KernelRequest = { recipe: 'killed', linkage: 'builtin', recipeFolder: recipes };
      const [first, second] = await Promise.all([build(request), build(request)]);
      expect(first.kernel).toEqual(second.kernel);
      // None where the kill came a moment after the victim had published.
      const packed = [...first.phases, ...second.phases].filter((phase) => phase === 'packing');
      expect(packed.length).toBeLessThanOrEqual(1);
      expect(first.kernel.release).toContain('-killed');
      // Or an earlier run of this test would leave nothing to kill.
      await rm(dirname(first.kernel.image), { recursive: true });
    },
    20 * MINUTES,
  );
});

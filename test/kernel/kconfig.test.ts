import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AskedOption, parseConfig, parseFragment, unmetOptions } from '../../harness/kernel/kconfig.ts';
import { explainDifference, parseKconfig } from '../../harness/kernel/refusal.ts';

function asked(text: string): AskedOption[] {
  return parseFragment(text, 'x.config').flatMap((line) => (line.kind === 'option' ? [line.option] : []));
}

describe('asked and resolved options', () => {
  it('are compared, an absent option being off', () => {
    const resolved = parseConfig('CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=m\nCONFIG_N=64\nCONFIG_S="a b"\n');
    const found = unmetOptions(
      asked('CONFIG_A=y\nCONFIG_B=y\nCONFIG_C=n\n# CONFIG_D is not set\nCONFIG_E=m\nCONFIG_N=64\nCONFIG_S="a b"\n'),
      resolved,
    );
    expect(found.map(({ asked: option, got }) => `${option.name} ${option.value} ${got} ${option.line}`)).toEqual([
      'CONFIG_B y n 2',
      'CONFIG_C n m 3',
      'CONFIG_E m n 5',
    ]);
  });

  it('count by the last fragment that asks', () => {
    const resolved = parseConfig('CONFIG_A=m\n');
    expect(unmetOptions(asked('CONFIG_A=y\nCONFIG_A=m\n'), resolved)).toEqual([]);
    expect(unmetOptions(asked('CONFIG_A=m\nCONFIG_A=y\n'), resolved)).toHaveLength(1);
  });

  it('never differ where the config is what was asked', () => {
    const option = fc.tuple(fc.stringMatching(/^[A-Z][A-Z0-9_]{0,9}$/), fc.constantFrom('y', 'm', 'n', '12', '"text"'));
    fc.assert(
      fc.property(fc.array(option), (options) => {
        const text = options
          .map(([name, value]) => (value === 'n' ? `# CONFIG_${name} is not set` : `CONFIG_${name}=${value}`))
          .join('\n');
        expect(unmetOptions(asked(text), parseConfig(text))).toEqual([]);
      }),
    );
  });
});

const KCONFIG = `
config ARM_SMMU
	tristate "ARM Ltd. System MMU (SMMU) Support"
	depends on ARM64
	help
	  select QCOM_SCM, this text says, and
	  depends on nothing.

config ARM_SMMU_QCOM
	def_tristate y
	depends on ARM_SMMU && ARCH_QCOM
	select QCOM_SCM

config QCOM_SCM
	tristate

config OLD_SCM
	bool

menu "Other"
	depends on NET
`;

describe('a refusal', () => {
  const entries = parseKconfig(KCONFIG);
  const explain = (name: string, value: string, resolved: string) =>
    unmetOptions(asked(`CONFIG_${name}=${value}`), parseConfig(resolved)).map((difference) =>
      explainDifference(difference, entries, parseConfig(resolved)),
    );

  it('is explained by what selects the option', () => {
    expect(explain('QCOM_SCM', 'm', 'CONFIG_QCOM_SCM=y\nCONFIG_ARM_SMMU=y\nCONFIG_ARM_SMMU_QCOM=y\n')).toEqual([
      'Kconfig resolves CONFIG_QCOM_SCM to y, not m: selected by ARM_SMMU_QCOM=y',
    ]);
  });

  it('is explained by what the option depends on', () => {
    expect(explain('ARM_SMMU_QCOM', 'y', 'CONFIG_ARM_SMMU=y\n')).toEqual([
      'Kconfig resolves CONFIG_ARM_SMMU_QCOM to n, not y: it depends on ARM_SMMU && ARCH_QCOM (ARM_SMMU=y, ARCH_QCOM=n)',
    ]);
  });

  it('is explained by the type, a missing prompt or a missing option', () => {
    expect(explain('OLD_SCM', 'm', 'CONFIG_OLD_SCM=y\n')).toEqual([
      'Kconfig resolves CONFIG_OLD_SCM to y, not m: it is of type bool and cannot be a module',
    ]);
    expect(explain('QCOM_SCM', 'y', '')).toEqual([
      'Kconfig resolves CONFIG_QCOM_SCM to n, not y: it has no prompt and nothing that is on selects it',
    ]);
    expect(explain('NEVER', 'y', '')).toEqual([
      'Kconfig resolves CONFIG_NEVER to n, not y: this kernel has no such option',
    ]);
  });

  it('does not take prose or menus for statements', () => {
    expect(entries.map(({ name }) => name)).toEqual(['ARM_SMMU', 'ARM_SMMU_QCOM', 'QCOM_SCM', 'OLD_SCM']);
    expect(entries[0]).toMatchObject({ depends: ['ARM64'], selects: [], prompt: true, bool: false });
    expect(entries[3]?.depends).toEqual([]);
  });
});

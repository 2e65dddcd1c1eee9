import { describe, expect, test } from 'vitest';
import type { KernelArtefact } from '../../harness/kernel/artefact.ts';
import {
  builtinAliases,
  loadOrder,
  type ModuleIndex,
  ModuleMatcher,
  moduleInfo,
} from '../../harness/kernel/modalias.ts';

const info = (name: string, aliases: readonly string[], softdep: string | null = null) =>
  moduleInfo(name, [
    ...aliases.map((alias): [string, string] => ['alias', alias]),
    ...(softdep === null ? [] : [['softdep', softdep] as [string, string]]),
  ]);

const index: ModuleIndex = {
  modules: [
    info('gcc_sdm845', ['of:N*T*Cqcom,gcc-sdm845C*', 'of:N*T*Cqcom,gcc-sdm845']),
    info('phy_acme', ['mdio:00000000001000[01][01]??????????????????????']),
    info('snd_hdmi', ['platform:hdmi-audio-codec'], 'pre: snd-core missing post: snd-after'),
    info('snd_core', []),
    info('snd_after', []),
    info('i2c_thing', ['i2c:thing', 'of:N*T*Cacme,thing']),
    info('odd', ['of:N*T*Cacme,UPPERCASEC*']),
  ],
  builtin: ['of:N*T*Carm,gic-400'],
};

describe('a modalias', () => {
  const matcher = new ModuleMatcher(index);

  test.each([
    ['of:Nclock-controllerT(null)Cqcom,gcc-sdm845', ['gcc_sdm845']],
    ['of:NthingT(null)Cacme,thing-v2Cacme,thing', ['i2c_thing']],
    ['of:NthingTCacme,UPPERCASE', ['odd']],
    ['of:NthingT(null)Cacme,thing-v2', []],
    ['platform:hdmi-audio-codec', ['snd_hdmi']],
    ['i2c:thing', ['i2c_thing']],
    ['mdio:00000000001000020000000000000000', []],
    ['mdio:00000000001000010000000000000000000000', ['phy_acme']],
    ['', []],
  ])('%s', (modalias, modules) => {
    expect(matcher.forModalias(modalias)).toEqual(modules);
  });

  test('of a driver that is built in', () => {
    expect(matcher.isBuiltin('of:NgicT(null)Carm,gic-400')).toBe(true);
    expect(matcher.isBuiltin('of:NgicT(null)Carm,gic-v3')).toBe(false);
  });
});

test('the list of what is built in is read', () => {
  const file = Buffer.from('gic.alias=of:N*T*Carm,gic\0gic.license=GPL\0a.b.alias=x\0');
  expect(builtinAliases(file)).toEqual(['of:N*T*Carm,gic']);
});

test('a module is loaded after what it needs', () => {
  const file = (name: string, ...depends: string[]) => [name, { name, path: `/${name}.ko`, depends }] as const;
  const kernel: Pick<KernelArtefact, 'modules'> = {
    modules: new Map([
      file('snd_hdmi', 'second', 'first'),
      file('first'),
      file('second', 'first'),
      file('snd_core'),
      file('snd_after'),
    ]),
  };
  expect(loadOrder(['snd_hdmi', 'builtin'], kernel, index)).toEqual([
    'snd_core',
    'first',
    'second',
    'snd_hdmi',
    'snd_after',
  ]);
});

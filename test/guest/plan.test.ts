import { describe, expect, it } from 'vitest';
import { InputError } from '../../harness/errors.ts';
import { encodePlan } from '../../harness/guest/plan.ts';
import type { PlanStep } from '../../harness/model/plan.ts';

const words = (bytes: Uint8Array) => new TextDecoder().decode(bytes).split('\0');

describe('encodePlan', () => {
  it('writes the version, the watched devices, the steps and the end', () => {
    const bytes = encodePlan({
      watch: ['5f00000.iommu'],
      steps: [
        { step: 'autoprobe', on: false },
        { step: 'load', module: 'qcom_scm', params: 'async_probe=1' },
        { step: 'settle', ms: 250 },
      ],
    });
    expect(words(bytes)).toEqual([
      ...['bootrace-plan-1', 'watch', '5f00000.iommu', 'autoprobe', '0'],
      ...['load', 'qcom_scm', 'async_probe=1', 'settle', '250', 'end', ''],
    ]);
  });

  const refused: readonly (readonly [string, PlanStep])[] = [
    ['a module name with a slash', { step: 'load', module: '../init', params: '' }],
    ['a module name with a dash', { step: 'unload', module: 'arm-smmu' }],
    ['a module name of 56 bytes', { step: 'unload', module: 'm'.repeat(56) }],
    ['a NUL in parameters', { step: 'load', module: 'm', params: 'a\0b' }],
    ['parameters of 4096 bytes', { step: 'load', module: 'm', params: 'p'.repeat(4096) }],
    ['a device that is a path', { step: 'probe', device: 'a/b' }],
    ['the parent folder as a device', { step: 'wait', device: '..', ms: 1 }],
    ['an empty driver', { step: 'bind', driver: '', device: 'd' }],
    ['a device name of 256 bytes, not characters', { step: 'probe', device: 'ä'.repeat(128) }],
    ['a relative path', { step: 'write', path: 'sys/x', value: '' }],
    ['more steps beside others than follow', { step: 'beside', steps: 1, tasks: 1 }],
    ['a fraction of a millisecond', { step: 'settle', ms: 0.5 }],
    ['a negative time', { step: 'settle', ms: -1 }],
    ['a time of ten digits', { step: 'settle', ms: 1_000_000_000 }],
    ['no time', { step: 'settle', ms: Number.NaN }],
  ];
  it.each(refused)('refuses %s', (_what, step) => {
    expect(() => encodePlan({ steps: [step], watch: [] })).toThrow(InputError);
  });

  it('refuses a step behind the end of the guest, and one that ends it beside others', () => {
    const settle: PlanStep = { step: 'settle', ms: 1 };
    const beside: PlanStep = { step: 'beside', steps: 1, tasks: 1 };
    expect(() => encodePlan({ steps: [{ step: 'reboot' }, settle], watch: [] })).toThrow('reboot ends the guest');
    expect(() => encodePlan({ steps: [beside, { step: 'shutdown' }], watch: [] })).toThrow('cannot run beside others');
    expect(words(encodePlan({ steps: [settle, { step: 'shutdown' }], watch: [] }))).toContain('shutdown');
  });

  it('refuses more steps, watched devices or bytes than the guest has room for', () => {
    const shell: PlanStep = { step: 'shell' };
    const large: PlanStep = { step: 'write', path: '/x', value: 'v'.repeat(4000) };
    expect(() => encodePlan({ steps: Array(1025).fill(shell), watch: [] })).toThrow('1025 steps, at most 1024');
    expect(() => encodePlan({ steps: [], watch: Array(257).fill('d') })).toThrow('257 watched devices');
    expect(() => encodePlan({ steps: Array(17).fill(large), watch: [] })).toThrow('bytes, at most 65536');
    expect(() => encodePlan({ steps: Array(1024).fill(shell), watch: Array(256).fill('d') })).not.toThrow();
  });
});

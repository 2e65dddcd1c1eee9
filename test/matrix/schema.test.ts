import { describe, expect, test } from 'vitest';
import { InputError } from '../../harness/errors.ts';
import { parseMatrix } from '../../harness/matrix/schema.ts';

/** Message of the InputError that reading `text` ends with. */
function complaint(text: string): string {
  try {
    parseMatrix(text, 'm.yaml');
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  throw new Error('the file was accepted');
}

const AXES = `axes:
  kernel: [6.1]
  linkage: [builtin]
  delay: [0, 10]
`;

describe('an error names line, column, what was expected and what was found', () => {
  test.each([
    ['', 'm.yaml:1:1: expected a mapping, found nothing'],
    ['- a', 'm.yaml:1:1: expected a mapping, found a list'],
    ['axes: {}\nexclud: []', 'm.yaml:2:1: unknown key exclud, did you mean exclude?'],
    ['axes:\n  linkage: [builtin]', 'm.yaml:1:1: the axis kernel is missing'],
    ['axes:\n  kernel: 6.1', 'm.yaml:2:11: axes.kernel: expected a mapping, found 6.1'],
    ['axes:\n  kernel: [[a]]', 'm.yaml:2:12: axes.kernel.values.0: expected a value, found a list'],
    ['axes:\n  kernel:\n    values: [a]\n    wen: {}', 'm.yaml:4:5: axes.kernel: unknown key wen, did you mean when?'],
    ['axes: {\n', 'm.yaml:2:1: '],
    ['axes: {kernel: [a], kernel: [b]}', 'm.yaml:1:21: Map keys must be unique'],
    [`${AXES}  lod: [scm-smmu]`, 'm.yaml:5:3: unknown axis lod, did you mean load?; an axis of your own'],
    [
      `${AXES}  bind: { values: [scm-smmu], when: { autoprobe: 'off' } }`,
      'm.yaml:5:39: unknown axis autoprobe (a `when` knows',
    ],
    [`${AXES}  node: [first, middle]`, 'm.yaml:5:17: axis node: expected first, last, found middle'],
    [`${AXES}  cpus: [0]`, 'm.yaml:5:10: axis cpus: expected a number of vCPUs from 1 to 4, found 0'],
    [`${AXES}  shift: [4, 11]`, 'm.yaml:5:14: axis shift: expected an icount shift from 0 to 10, found 11'],
    [`${AXES}  async: [both, both]`, 'm.yaml:5:17: axis async: value both is there twice'],
    [`${AXES}  node: { values: [first], means: { first: {} } }`, 'm.yaml:5:28: the axis node has a fixed meaning'],
    [`${AXES}  x: { values: [a], means: { b: {} } }`, 'm.yaml:5:30: x has no value b (known: a)'],
    [`${AXES}exclude:\n  - { delay: 100 }`, 'm.yaml:6:14: delay has no value 100, did you mean 10? (known: 0, 10)'],
    [`${AXES}exclude:\n  - dealy: 10`, 'm.yaml:6:5: unknown axis dealy, did you mean delay?'],
    [`${AXES}exclude:\n  - delay: {}`, 'm.yaml:6:12: exclude.0.delay.0: expected a value, found a mapping'],
    [`${AXES}include:\n  - { delay: 10, gate: [] }`, 'm.yaml:6:18: unknown axis or key gate, did you mean gates?'],
    [
      `${AXES}include:\n  - gates:\n      - { gate: dely }`,
      'm.yaml:7:17: include.0.gates.0.gate: expected one of delay, hold, force, found dely',
    ],
    [
      `${AXES}include:\n  - gates:\n      - { gate: delay, device: a b, ms: 1 }`,
      'expected a device name such as 5f000000.iommu, the path of its node, or driver=NAME, found a b',
    ],
    [
      `${AXES}include:\n  - cmdline: [a b]`,
      'm.yaml:6:15: include.0.cmdline.0: expected one word of the kernel command line',
    ],
    [`${AXES}include:\n  - cmdline: quiet`, 'm.yaml:6:14: include.0.cmdline: expected a list, found quiet'],
    [
      `${AXES}include:\n  - plan: [{ step: wait, device: a }]`,
      'm.yaml:6:12: include.0.plan.0.ms: expected milliseconds of virtual time, found nothing',
    ],
    [`${AXES}include:\n  - name: ../up`, 'include.0.name: expected an id of a-z'],
    [
      `${AXES}rows:\n  - { row: T1, match: {} }`,
      'm.yaml:6:5: rows.0.claim: expected the claim that the row checks, found nothing',
    ],
    [`${AXES}rows:\n  - { row: T1, claim: c, match: { name: nobody } }`, 'name has no value nobody (known: none)'],
    [
      `${AXES}expect:\n  - { match: {}, verdict: nul-deref }`,
      'm.yaml:6:27: expect.0.verdict.0: expected one of bound,',
    ],
    [`${AXES}expect:\n  - { match: {}, verdict: nul-deref }`, 'did you mean null-deref?, found nul-deref'],
    [`${AXES}expect:\n  - { match: {}, verdict: oops, address: 0X01 }`, 'expected an address such as 0x0'],
    [
      `${AXES}expect:\n  - { match: {} }`,
      'm.yaml:6:5: expect.0.verdict: expected a verdict or a list of verdicts, found nothing',
    ],
  ])('%j', (text, message) => {
    expect(complaint(text)).toContain(message);
  });

  test('and how many more there are', () => {
    expect(complaint(`${AXES}rows: [{ row: 1 }]`)).toMatch(/\(and 2 more\)$/);
  });
});

describe('files that nobody wrote by hand', () => {
  test('larger than a mebibyte', () => {
    expect(complaint(' '.repeat(2 ** 20 + 1))).toBe('m.yaml is larger than 1024 KiB');
  });

  test('aliases that expand without bound', () => {
    const levels = Array.from({ length: 20 }, (_, i) => `l${i + 1}: &l${i + 1} [${`*l${i},`.repeat(10)}]`);
    expect(complaint(`l0: &l0 [a]\n${levels.join('\n')}`)).toMatch(/m\.yaml.*alias/i);
  });
});

import { expect, test } from 'vitest';
import { parseSymbols } from '../../harness/kernel/symbols.ts';

const MAP = `ffff800008000000 T _text
ffff800008010000 t probe
ffff800008010100 t probe_one
ffff800008010200 t dup
ffff800008010300 T platform_probe
ffff800008010400 t dup
ffff800008010500 t same
ffff800008010500 t same
ffff800008010600 t __pfx_platform_probe
ffff800008010700\tt\tof_a_module\t[qcom_scm]
ffff800008010800 T _end`;

test('a symbol is found by its whole name, on the first line and on the last', () => {
  const names = ['_text', 'probe', 'platform_probe', 'of_a_module', 'absent', 'T', '_end'];
  expect(Object.fromEntries(parseSymbols(MAP, new Set(names)))).toEqual({
    _text: 0xffff800008000000n,
    probe: 0xffff800008010000n,
    platform_probe: 0xffff800008010300n,
    of_a_module: 0xffff800008010700n,
    _end: 0xffff800008010800n,
  });
});

test('a name with two addresses is none, a line that stands twice is one', () => {
  expect([...parseSymbols(MAP, new Set(['dup', 'same']))]).toEqual([['same', 0xffff800008010500n]]);
});

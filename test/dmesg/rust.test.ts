import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rustName } from '../../harness/dmesg/rust.ts';

describe('names of Rust functions', () => {
  it.each([
    ['_RNvMs3_NtCs1234567890b_6wobble4nodeNtB5_4Node10update_ref', '<wobble::node::Node>::update_ref'],
    ['_RNvNtCs1234567890a_4core9panicking9panic_fmt', 'core::panicking::panic_fmt'],
    ['_RNvCs5QSdWC790r4_7___rustc17rust_begin_unwind', '__rustc::rust_begin_unwind'],
    ['qcom_scm_probe', 'qcom_scm_probe'],
    ['_RNvMs3_NtCs', '_RNvMs3_NtCs'],
  ])('%s', (symbol, name) => expect(rustName(symbol)).toBe(name));

  it('gives any text back that is none', () => {
    fc.assert(fc.property(fc.string(), (text) => typeof rustName(`_R${text}`) === 'string'));
    expect(rustName(`_R${'I'.repeat(5000)}`)).toBe(`_R${'I'.repeat(5000)}`);
  });
});

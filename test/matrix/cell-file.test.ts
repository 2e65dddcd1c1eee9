import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { boardNames, resolveBoard } from '../../harness/boards/boards.ts';
import { formatCellFile, parseCellFile } from '../../harness/matrix/cell-file.ts';
import type { Cell } from '../../harness/model/cell.ts';
import type { Gate } from '../../harness/model/gate.ts';
import type { PlanStep } from '../../harness/model/plan.ts';
import type { TreeEdit } from '../../harness/model/tree-edit.ts';
import { VERDICTS } from '../../harness/model/verdict.ts';
import { aCell } from '../cells.ts';

const device = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9:.,@_+-]{0,20}$/);
const module = fc.stringMatching(/^[A-Za-z0-9_]{1,20}$/);
const node = fc.stringMatching(/^(\/[a-z0-9,._+@-]{1,8}){1,3}$/);
const property = fc.stringMatching(/^[a-z0-9,._+?#-]{1,20}$/);
const symbol = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.$]{0,20}$/);
/** Words that YAML would read as something else stand among the arbitrary ones. */
const text = fc.oneof(
  fc.string(),
  fc.constantFrom('5.10', '0x10', 'true', 'null', '~', '', '- a', 'a: b', '1e3', ' x\n'),
);
const word = fc.oneof(fc.stringMatching(/^[\x21-\x7e]{1,20}$/), fc.constantFrom('5.10', '0', 'true', '-', '#x'));
const ms = fc.integer({ min: 0, max: 3_600_000 });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const reference = fc.oneof(
  node,
  symbol.filter((name) => /^\w+$/.test(name)).map((label) => `&${label}`),
);

const tree: fc.Arbitrary<TreeEdit> = fc.oneof(
  fc.record(
    { edit: fc.constant('move' as const), node: reference, to: fc.constantFrom('first', 'last'), parent: reference },
    { requiredKeys: ['edit', 'node', 'to'] },
  ),
  fc.record({ edit: fc.constantFrom('delete', 'disable'), node: reference }),
  fc.record({
    edit: fc.constant('set' as const),
    node: reference,
    property,
    value: fc.oneof(
      text,
      fc.array(text),
      fc.array(u32),
      fc.constant(true as const),
      fc.uint8Array({ maxLength: 8 }).map((bytes) => ({ bytes: Buffer.from(bytes).toString('hex') })),
    ),
  }),
  fc.record({ edit: fc.constant('unset' as const), node: reference, property }),
);
const gate: fc.Arbitrary<Gate> = fc.oneof(
  fc.record({ gate: fc.constant('delay' as const), device, ms }),
  fc.record({
    gate: fc.constant('hold' as const),
    device,
    until: device,
    phase: fc.constantFrom('entered', 'finished'),
  }),
  fc.record({ gate: fc.constant('force' as const), symbol, value: fc.integer() }),
);
const step: fc.Arbitrary<PlanStep> = fc.oneof(
  fc.record({ step: fc.constant('load' as const), module, params: text }),
  fc.record({ step: fc.constant('unload' as const), module }),
  fc.record({ step: fc.constant('autoprobe' as const), on: fc.boolean() }),
  fc.record({ step: fc.constant('probe' as const), device }),
  fc.record({ step: fc.constantFrom('bind', 'unbind'), driver: device, device }),
  fc.record({ step: fc.constant('write' as const), path: fc.stringMatching(/^\/[!-~ ]{0,20}$/), value: text }),
  fc.record({ step: fc.constant('wait' as const), device, ms }),
  fc.record({ step: fc.constant('settle' as const), ms }),
  fc.constant({ step: 'shell' } as const),
);
/** A linkage may name only what its board has. */
const boardAndLinkage = fc.constantFrom(
  ...boardNames().flatMap((board) => {
    const modules = resolveBoard(board).subjects.map(({ name }) => `${name}-module`);
    return ['builtin', 'modules', ...modules].map((linkage) => ({ board, linkage }));
  }),
);
const cell: fc.Arbitrary<Cell> = boardAndLinkage.chain(({ board, linkage }) =>
  fc.record({
    id: fc.stringMatching(/^[a-z0-9][a-z0-9._+=-]{0,40}$/),
    row: fc.option(text),
    claim: fc.option(text),
    axes: fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9_-]{0,10}$/), text, { noNullPrototype: true }),
    kernel: text.filter((kernel) => kernel.trim() !== ''),
    linkage: fc.constant(linkage),
    board: fc.constant(board),
    tree: fc.array(tree, { maxLength: 4 }),
    bootargs: fc.array(word, { maxLength: 4 }),
    cpus: fc.integer({ min: 1, max: 8 }),
    shift: fc.integer({ min: 0, max: 10 }),
    gates: fc.array(gate, { maxLength: 4 }),
    plan: fc.array(step, { maxLength: 6 }),
    watch: fc.array(device, { maxLength: 4 }),
    expect: fc.record(
      {
        verdicts: fc.uniqueArray(fc.constantFrom(...VERDICTS), { minLength: 1, maxLength: 3 }),
        function: symbol,
        address: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((address) => `0x${address.toString(16)}`),
        reason: text,
      },
      { requiredKeys: ['verdicts'] },
    ),
  }),
);

describe('a cell file', () => {
  test('is read back as it was written', () => {
    fc.assert(
      fc.property(cell, (original) => {
        const written = formatCellFile(original);
        expect(parseCellFile(written, 'c.yaml')).toEqual(original);
        expect(formatCellFile(parseCellFile(written, 'c.yaml'))).toBe(written);
      }),
      { numRuns: 100 },
    );
  });

  test('needs an id, a kernel and an expectation', () => {
    expect(parseCellFile('id: mine\nkernel: 6.1\nexpect: { verdict: bound }', 'c.yaml')).toEqual(
      aCell({ id: 'mine', watch: ['firmware:scm', '5f000000.iommu'] }),
    );
  });

  test.each([
    ['kernel: 6.1\nexpect: { verdict: bound }', 'c.yaml:1:1: id: expected an id'],
    ['id: ../x\nkernel: 6.1\nexpect: { verdict: bound }', 'c.yaml:1:5: id: expected an id'],
    ['id: a\nkernel: 6.1\nexpect: { verdicts: bound }', 'c.yaml:3:'],
    ['id: a\nkernel: 6.1\ncpu: 2\nexpect: { verdict: bound }', 'c.yaml:3:1: unknown key cpu, did you mean cpus?'],
    ['id: a\nkernel: 6.1\ncpus: 9\nexpect: { verdict: bound }', 'c.yaml:3:7: cpus: expected at most 8, found 9'],
    ['id: a\nkernel: 6.1\nlinkage: module\nexpect: { verdict: bound }', 'did you mean modules?, found module'],
    [
      'id: a\nkernel: 6.1\nboard: smal\nexpect: { verdict: bound }',
      /^c\.yaml:3:8: board: there is no board smal, did you mean small\? \(use [^)]*\)$/,
    ],
    [
      'id: a\nkernel: 6.1\nexpect: { verdict: bound }\ntree: [{ edit: move, node: soc, to: last }]',
      'c.yaml:4:28: tree.0.node: expected a node path',
    ],
  ])('%s', (text, message) => {
    expect(() => parseCellFile(text, 'c.yaml')).toThrow(message);
  });
});

import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { bootargsOf, setBootargs } from '../../harness/devicetree/chosen.ts';
import { editTree } from '../../harness/devicetree/edit.ts';
import { labelsOf } from '../../harness/devicetree/lookup.ts';
import { parseFdt } from '../../harness/devicetree/parse.ts';
import { serializeFdt } from '../../harness/devicetree/serialize.ts';
import { type DeviceTree, nodeAt, type TreeNode, walk } from '../../harness/devicetree/tree.ts';
import {
  cellProperty,
  encodeCells,
  encodeStrings,
  phandleOf,
  readStrings,
  stringProperty,
} from '../../harness/devicetree/values.ts';
import { InputError } from '../../harness/errors.ts';
import type { TreeEdit } from '../../harness/model/tree-edit.ts';
import { compile, decompile } from './dtc.ts';

const SOURCE = `/dts-v1/;
/ {
  #address-cells = <2>;
  #size-cells = <2>;
  interrupt-parent = <&gic>;
  aliases { serial0 = &uart; scm = &scm; bus = &soc; };
  chosen { stdout-path = "/soc/serial@9000000:115200n8"; bootargs = "quiet"; rng-seed = [01 02]; kaslr-seed = <1 2>; };
  firmware { scm: scm { compatible = "qcom,scm"; }; };
  gic: intc@8000000 { #interrupt-cells = <3>; interrupt-controller; };
  soc: soc {
    #address-cells = <2>;
    #size-cells = <2>;
    uart: serial@9000000 { reg = <0 0x9000000 0 0x1000>; clocks = <&clk 5>; };
    smmu: iommu@5f000000 { reg = <0 0x5f000000 0 0x80000>; #iommu-cells = <2>; };
    client: sram@5e000000 { reg = <0 0x5e000000 0 0x10000>; iommus = <&smmu 0x10 0>; };
    clk: clock { #clock-cells = <1>; };
    spare: clock-2 { #clock-cells = <0>; };
    narrow { #address-cells = <1>; #size-cells = <1>; };
    last {};
  };
};
`;

let tree: DeviceTree;
beforeAll(async () => {
  tree = parseFdt(await compile(SOURCE, '-@'));
});

function names(of: DeviceTree, path: string): string[] {
  return nodeAt(of.root, path)?.children.map((child) => child.name) ?? [];
}

function strings(of: DeviceTree, path: string, property: string): string[] | null {
  return readStrings(nodeAt(of.root, path)?.properties.get(property) ?? new Uint8Array());
}

describe('editing a device tree', () => {
  it('moves a node to the end of its siblings, by path, label, alias or name without unit address', () => {
    for (const node of ['/soc/iommu@5f000000', '&smmu', '/soc/iommu', 'bus/iommu']) {
      const moved = editTree(tree, [{ edit: 'move', node, to: 'last' }]);
      expect(names(moved, '/soc').at(-1)).toBe('iommu@5f000000');
      expect(names(moved, '/soc').toSorted()).toEqual(names(tree, '/soc').toSorted());
    }
    expect(names(editTree(tree, [{ edit: 'move', node: 'serial0', to: 'last' }]), '/soc').at(-1)).toBe(
      'serial@9000000',
    );
  });

  it('moves a node first, and leaves the tree it was given alone', () => {
    const before = serializeFdt(tree);
    const moved = editTree(tree, [{ edit: 'move', node: '/firmware', to: 'first' }]);
    expect(names(moved, '/')).toEqual(['firmware', ...names(tree, '/').filter((name) => name !== 'firmware')]);
    expect(serializeFdt(tree)).toEqual(before);
  });

  it('moves a node under another parent, and labels, aliases and the console follow', () => {
    const moved = editTree(tree, [
      { edit: 'move', node: '&scm', to: 'first', parent: '/soc' },
      { edit: 'move', node: '&soc', to: 'last', parent: '/firmware' },
      // A later edit finds the node where it is by then.
      { edit: 'set', node: '/firmware/soc/scm', property: 'found', value: true },
    ]);
    expect(names(moved, '/firmware/soc')[0]).toBe('scm');
    expect(labelsOf(moved).get('scm')).toBe('/firmware/soc/scm');
    expect(labelsOf(moved).get('uart')).toBe('/firmware/soc/serial@9000000');
    expect(strings(moved, '/aliases', 'scm')).toEqual(['/firmware/soc/scm']);
    expect(strings(moved, '/chosen', 'stdout-path')).toEqual(['/firmware/soc/serial@9000000:115200n8']);
    expect(nodeAt(moved.root, '/firmware/soc/scm')?.properties.has('found')).toBe(true);
  });

  it('gives the tree that dtc makes of the source written that way', async () => {
    const edited = editTree(tree, [
      { edit: 'move', node: '/firmware', to: 'last' },
      { edit: 'disable', node: '&client' },
      { edit: 'set', node: '/', property: 'model', value: ['a "board"', 'b'] },
      { edit: 'set', node: '&clk', property: '#clock-cells', value: [2] },
      { edit: 'set', node: '&clk', property: 'blob', value: { bytes: '00ffA0' } },
      { edit: 'unset', node: '&gic', property: 'interrupt-controller' },
      { edit: 'delete', node: '&spare' },
    ]);
    const written = SOURCE.replace('  firmware { scm: scm { compatible = "qcom,scm"; }; };\n', '')
      .replace(/};\s*$/, 'firmware { scm: scm { compatible = "qcom,scm"; }; }; };')
      .replace('iommus = <&smmu 0x10 0>;', 'iommus = <&smmu 0x10 0>; status = "disabled";')
      .replace('#clock-cells = <1>;', '#clock-cells = <2>; blob = [00 ff a0];')
      .replace('interrupt-controller;', '')
      .replace(/spare: .*\n/, '')
      .replace('interrupt-parent = <&gic>;', 'interrupt-parent = <&gic>; model = "a \\"board\\"", "b";');
    // Sorted: dtc numbers labels in their own order.
    const phandles = /phandle = <.*>|(clocks|iommus|interrupt-parent) = <0x0\d/g;
    const [ours, theirs] = [
      await decompile(serializeFdt(edited), '-s'),
      await decompile(await compile(written, '-@'), '-s'),
    ];
    expect(ours.replaceAll(phandles, '')).toBe(theirs.replaceAll(phandles, ''));
    expect(names(edited, '/').indexOf('firmware')).toBeGreaterThan(names(edited, '/').indexOf('soc'));
  });

  it.each<[what: string, edit: TreeEdit, message: string, hint: RegExp]>([
    [
      'a path with a typing error',
      { edit: 'disable', node: '/soc/iomnu@5f000000' },
      '/soc/iomnu@5f000000',
      /\/soc\/iommu@5f000000/,
    ],
    ['the right name elsewhere', { edit: 'delete', node: '/scm' }, 'no node /scm', /did you mean \/firmware\/scm\?/],
    ['an unknown label', { edit: 'delete', node: '&smnu' }, 'no label &smnu', /did you mean smmu\?/],
    ['an unknown parent', { edit: 'move', node: '&scm', to: 'last', parent: '/sock' }, 'no node /sock', /\/soc/],
    ['a node into itself', { edit: 'move', node: '/soc', to: 'last', parent: '/soc' }, 'inside of it', /parent/],
    [
      'a node into its child',
      { edit: 'move', node: '/soc', to: 'last', parent: '&clk' },
      '/soc into /soc/clock',
      /parent/,
    ],
    ['the root', { edit: 'move', node: '/', to: 'last' }, 'root node', /below/],
    ['deleting the root', { edit: 'delete', node: '/' }, 'root node', /below/],
    [
      'other cell counts',
      { edit: 'move', node: '&smmu', to: 'last', parent: '/soc/narrow' },
      '2 address and 2 size cells',
      /unset reg/,
    ],
    [
      'a supplier in use',
      { edit: 'delete', node: '&smmu' },
      '/soc/sram@5e000000 (iommus) refers to /soc/iommu',
      /users first/,
    ],
    ['a clock in use', { edit: 'delete', node: '&clk' }, '/soc/serial@9000000 (clocks)', /disable the node/],
    ['the interrupt controller', { edit: 'delete', node: '&gic' }, '/ (interrupt-parent)', /users first/],
    [
      'the console',
      { edit: 'delete', node: '&uart' },
      'stdout-path of /chosen names /soc/serial@9000000',
      /unset stdout-path/,
    ],
    ['a phandle', { edit: 'set', node: '&gic', property: 'phandle', value: [77] }, 'cannot be edited', /kept/],
    [
      'a bad property name',
      { edit: 'set', node: '&gic', property: 'a b', value: true },
      'no valid property name',
      /letters/,
    ],
    [
      'a property that is not there',
      { edit: 'unset', node: '&gic', property: 'reg' },
      'not there',
      /it has #interrupt-cells/,
    ],
    [
      'a number that is too large',
      { edit: 'set', node: '&gic', property: 'x', value: [2 ** 32] },
      '4294967296 does not',
      /two cells/,
    ],
    ['half a number', { edit: 'set', node: '&gic', property: 'x', value: [0.5] }, '0.5 does not fit', /whole/],
    [
      'half a byte',
      { edit: 'set', node: '&gic', property: 'x', value: { bytes: '123' } },
      'not hexadecimal',
      /two digits/,
    ],
    ['a NUL in a string', { edit: 'set', node: '&gic', property: 'x', value: 'a\0b' }, 'NUL', /list/],
  ])('refuses %s', (_, edit, message, hint) => {
    try {
      editTree(tree, [edit]);
    } catch (error) {
      expect(error).toBeInstanceOf(InputError);
      expect(error).toMatchObject({ message: expect.stringContaining(message), hint: expect.stringMatching(hint) });
      return;
    }
    expect.unreachable('the edit was accepted');
  });

  it.each<[what: string, user: string, refers: boolean]>([
    ['a phandle after its specifier', 'clocks = <&two 1 2>, <&used>;', true],
    ['a number in a specifier', 'clocks = <&two 1 3>;', false],
    ['a null reference before it', 'clocks = <0>, <&used>;', true],
    ['a regulator', 'vdd-supply = <&used>;', true],
    ['a pin state', 'pinctrl-0 = <&two>, <&used>;', true],
    ['the names of pin states', 'pinctrl-names = "a", "b";', false],
    ['a GPIO', 'reset-gpios = <&used>;', true],
    ['numbers of a GPIO hog', 'gpio-hog; gpios = <3 0>;', false],
    ['a number of GPIOs', 'arm,nr-gpios = <3>;', false],
    ['an id map', 'iommu-map = <0 &used 0 0x10000>;', true],
    ['ids of an id map', 'msi-map = <3 &two 3 3>;', false],
    ['an unknown property', 'bootrace,number = <3>;', false],
  ])('knows whether %s refers to a node', async (_, user, refers) => {
    const source = `/dts-v1/; / {
      user { ${user} };
      two: two { #clock-cells = <2>; phandle = <7>; };
      used: used { #clock-cells = <0>; #gpio-cells = <0>; phandle = <3>; };
    };`;
    const compiled = parseFdt(await compile(source));
    const edit = () => editTree(compiled, [{ edit: 'delete', node: '/used' }]);
    if (refers) {
      expect(edit).toThrow(/cannot delete \/used: \/user \(/);
    } else {
      expect(edit().root.children).toHaveLength(2);
    }
  });

  it('refuses a name that the new parent has already', () => {
    const twice: TreeEdit[] = [
      { edit: 'move', node: '&clk', to: 'last', parent: '/firmware' },
      { edit: 'move', node: '/firmware', to: 'last', parent: '/soc' },
      { edit: 'move', node: '/soc/firmware/clock', to: 'last', parent: '/' },
      { edit: 'move', node: '/soc', to: 'last', parent: '/clock' },
    ];
    const nested = editTree(tree, twice);
    const clash = { ...nested, root: { ...nested.root, children: [...nested.root.children, emptySoc()] } };
    expect(() => editTree(clash, [{ edit: 'move', node: '/clock/soc', to: 'last', parent: '/' }])).toThrow(
      'there is a node /soc already',
    );
  });

  it('knows a console that is named by an alias, and one that is no node', () => {
    const console = (value: string): TreeEdit => ({ edit: 'set', node: '/chosen', property: 'stdout-path', value });
    const remove: TreeEdit = { edit: 'delete', node: '&uart' };
    expect(() => editTree(tree, [console('serial0:115200'), remove])).toThrow(
      'stdout-path of /chosen names /soc/serial',
    );
    expect(names(editTree(tree, [console('serial9:115200'), remove]), '/soc')).not.toContain('serial@9000000');
    const moved = editTree(tree, [
      console('serial0:115200'),
      { edit: 'move', node: '&soc', to: 'last', parent: '/firmware' },
    ]);
    expect(strings(moved, '/chosen', 'stdout-path')).toEqual(['serial0:115200']);
  });

  it('refuses a name without unit address that two nodes have', () => {
    const two = editTree(tree, []);
    const copy: TreeNode = { name: 'serial@1', properties: new Map(), children: [] };
    const root = { ...two.root, children: [...two.root.children, copy, { ...copy, name: 'serial@2' }] };
    expect(() => editTree({ ...two, root }, [{ edit: 'disable', node: '/serial' }])).toThrow('no node /serial');
  });

  it('deletes a supplier after its user, and its label and alias with it', () => {
    const edited = editTree(tree, [
      { edit: 'unset', node: '&client', property: 'iommus' },
      { edit: 'delete', node: '&smmu' },
      { edit: 'delete', node: '&scm' },
      { edit: 'unset', node: '&uart', property: 'clocks' },
      { edit: 'delete', node: '/soc/clock' },
    ]);
    expect(labelsOf(edited).has('smmu')).toBe(false);
    expect(labelsOf(edited).has('clk')).toBe(false);
    expect(labelsOf(edited).get('spare')).toBe('/soc/clock-2');
    expect(nodeAt(edited.root, '/aliases')?.properties.has('scm')).toBe(false);
    expect(nodeAt(edited.root, '/aliases')?.properties.has('serial0')).toBe(true);
  });

  it('keeps an overlay whole: its fixups follow a node that moves', async () => {
    const overlay = parseFdt(
      await compile(
        '/dts-v1/; /plugin/; &{/} { a { x: x { to = <&y &base 1>; }; y: y { }; }; b { z { back = <&x>; }; }; };',
        '-@',
      ),
    );
    const at = '/fragment@0/__overlay__';
    const moved = editTree(overlay, [
      { edit: 'move', node: `${at}/a/x`, to: 'first', parent: `${at}/b` },
      { edit: 'move', node: '&y', to: 'last', parent: `${at}/b/z` },
      { edit: 'delete', node: `${at}/a` },
    ]);
    expect(strings(moved, '/__fixups__', 'base')).toEqual([`${at}/b/x:to:4`]);
    const local = [...walk(moved.root)].filter(
      ({ path, node }) => path.startsWith('/__local') && node.properties.size > 0,
    );
    expect(local.map(({ path, node }) => [path, [...node.properties.keys()]])).toEqual([
      [`/__local_fixups__${at}/b/x`, ['to']],
      [`/__local_fixups__${at}/b/z`, ['back']],
    ]);
  });
});

function emptySoc(): TreeNode {
  return { name: 'soc', properties: new Map(), children: [] };
}

describe('law: labels and aliases name the same node after any moves and deletions', () => {
  /** A tree of `parents.length + 1` nodes, n1.. each below one of those before it, with a number, label and alias each. */
  function numbered(parents: readonly number[]): DeviceTree {
    const path = (id: number): string => (id === 0 ? '' : `${path((parents[id - 1] ?? 0) % id)}/n${id}@${id}`);
    const build = (id: number): TreeNode => ({
      name: id === 0 ? '' : `n${id}@${id}`,
      properties: new Map([
        ['id', encodeCells([id])],
        ['phandle', encodeCells([id + 1])],
      ]),
      children: parents.flatMap((parent, index) => (parent % (index + 1) === id ? [build(index + 1)] : [])),
    });
    const root = build(0);
    const all = parents.map((_, index) => [`n${index + 1}`, encodeStrings([path(index + 1)])] as const);
    const tables = ['aliases', '__symbols__'].map((name) => ({ name, properties: new Map(all), children: [] }));
    return { bootCpu: 0, reservations: [], root: { ...root, children: [...root.children, ...tables] } };
  }

  it('for random trees and edits', () => {
    const edit = fc.record({
      kind: fc.constantFrom('move', 'reorder', 'delete'),
      node: fc.nat(),
      parent: fc.nat(),
      to: fc.constantFrom('first', 'last'),
    });
    let applied = 0;
    fc.assert(
      fc.property(
        fc.array(fc.nat(), { minLength: 2, maxLength: 12 }),
        fc.array(edit, { maxLength: 8 }),
        (parents, edits) => {
          let current = numbered(parents);
          const alive = new Set(parents.map((_, index) => index + 1));
          for (const { kind, node: number, parent, to } of edits) {
            const id = 1 + (number % parents.length);
            const node = `&n${id}`;
            const change: TreeEdit =
              kind === 'delete'
                ? { edit: 'delete', node }
                : kind === 'reorder'
                  ? { edit: 'move', node, to }
                  : { edit: 'move', node, to, parent: `&n${1 + (parent % parents.length)}` };
            const old = current;
            try {
              current = editTree(old, [change]);
              applied++;
            } catch (error) {
              expect(error).toBeInstanceOf(InputError);
              continue;
            }
            if (kind === 'delete') {
              const top = nodeAt(old.root, labelsOf(old).get(`n${id}`) ?? '');
              for (const placed of top === undefined ? [] : walk(top)) {
                alive.delete(cellProperty(placed.node, 'id') ?? -1);
              }
            } else {
              const siblings = [...walk(current.root)].find(({ node: at }) =>
                at.children.some((c) => c.name === `n${id}@${id}`),
              );
              expect(siblings?.node.children.at(to === 'first' ? 0 : -1)?.name).toBe(`n${id}@${id}`);
            }
          }
          const found = [...walk(current.root)].filter(({ node }) => /^n/.test(node.name));
          expect(new Set(found.map(({ node }) => cellProperty(node, 'id')))).toEqual(alive);
          const aliases = nodeAt(current.root, '/aliases');
          for (const { path, node } of found) {
            const label = `n${cellProperty(node, 'id')}`;
            expect(labelsOf(current).get(label)).toBe(path);
            expect(aliases === undefined ? null : stringProperty(aliases, label)).toBe(path);
            expect(phandleOf(node)).toBe((cellProperty(node, 'id') ?? 0) + 1);
          }
          expect(labelsOf(current).size).toBe(alive.size);
        },
      ),
    );
    expect(applied).toBeGreaterThan(100);
  });
});

describe('/chosen', () => {
  it('sets the command line, and makes the node where there is none', () => {
    const set = setBootargs(tree, ['console=ttyAMA0', 'dyndbg="file a.c +p"']);
    expect(bootargsOf(set)).toBe('console=ttyAMA0 dyndbg="file a.c +p"');
    expect(strings(set, '/chosen', 'stdout-path')).toEqual(['/soc/serial@9000000:115200n8']);
    const bare: DeviceTree = { ...tree, root: { name: '', properties: new Map(), children: [] } };
    expect(bootargsOf(bare)).toBe('');
    expect(bootargsOf(setBootargs(bare, ['a', 'b']))).toBe('a b');
  });

  it('refuses what the kernel would read as something else', () => {
    for (const word of ['a b', '', 'a"b', 'a\nb', '"a\n"', 'tab\there']) {
      expect(() => setBootargs(tree, [word])).toThrow('not one word of a kernel command line');
    }
    expect(() => setBootargs(tree, ['nul\0'])).toThrow(InputError);
    expect(bootargsOf(setBootargs(tree, ['x'.repeat(2047)]))).toHaveLength(2047);
    expect(() => setBootargs(tree, ['x'.repeat(2048)])).toThrow('has 2048 bytes, and arm64 Linux cuts it at 2047');
  });
});

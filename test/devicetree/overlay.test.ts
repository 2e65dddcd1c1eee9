import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import fc from 'fast-check';
import { withDir } from 'tmp-promise';
import { describe, expect, it } from 'vitest';
import { labelsOf } from '../../harness/devicetree/lookup.ts';
import { applyOverlay, withLabels } from '../../harness/devicetree/overlay.ts';
import { parseFdt } from '../../harness/devicetree/parse.ts';
import { serializeFdt } from '../../harness/devicetree/serialize.ts';
import { nodeAt } from '../../harness/devicetree/tree.ts';
import { cellProperty, phandleOf, readCells } from '../../harness/devicetree/values.ts';
import { InputError } from '../../harness/errors.ts';
import { compile, decompile } from './dtc.ts';

const DTC_RUNS = { numRuns: 40 };
/** Two or more processes a run, on a machine that may be busy. */
const DTC_TIMEOUT_MS = 120_000;

async function tree(dts: string, ...options: readonly string[]) {
  return parseFdt(await compile(dts, ...options));
}

/** What libfdt makes of the two, by its own tool. */
function fdtoverlay(base: Uint8Array, overlay: Uint8Array): Promise<Uint8Array> {
  return withDir(
    async ({ path }) => {
      const [a, b, out] = ['base.dtb', 'overlay.dtbo', 'out.dtb'].map((name) => join(path, name));
      if (a === undefined || b === undefined || out === undefined) {
        throw new Error('three names make three paths');
      }
      await Promise.all([writeFile(a, base), writeFile(b, overlay)]);
      await execa('fdtoverlay', ['-i', a, '-o', out, b]);
      return readFile(out);
    },
    { unsafeCleanup: true },
  );
}

const BASE = `/dts-v1/;
/ {
  gic: intc { interrupt-controller; };
  soc: soc { user = <&old>; old: old { value = <1>; keep; }; last {}; };
};`;

describe('applying an overlay', () => {
  it('adds what it brings last and in its order, as dtc does for one source', async () => {
    const overlay = await tree(
      `/dts-v1/; /plugin/;
       &soc { first { parent = <&gic>; }; second: second { }; old { value = <2>; more; }; };`,
      '-@',
    );
    const merged = applyOverlay(await tree(BASE, '-@'), overlay);
    const soc = nodeAt(merged.root, '/soc');
    expect(soc?.children.map((child) => child.name)).toEqual(['old', 'last', 'first', 'second']);
    expect([...(nodeAt(merged.root, '/soc/old')?.properties.keys() ?? [])]).toEqual([
      'value',
      'keep',
      'phandle',
      'more',
    ]);
    expect(labelsOf(merged).get('second')).toBe('/soc/second');
    const [gic, first] = [nodeAt(merged.root, '/intc'), nodeAt(merged.root, '/soc/first')];
    expect(gic && phandleOf(gic)).toBe(first && cellProperty(first, 'parent'));
  });

  it('takes a target by label, by path and from an earlier fragment', async () => {
    const base = await tree(BASE, '-@');
    const overlay = await tree(
      `/dts-v1/; /plugin/;
       / { fragment@0 { target-path = "/"; __overlay__ { new: new { }; user { of = <&new>; }; }; };
           fragment@1 { target = <&new>; __overlay__ { below { }; }; };
           fragment@2 { target-path = "/new/below"; __overlay__ { yes; }; };
           fragment@3 { target = <&old>; __overlay__ { too; }; };
           other { ignored; }; };`,
      '-@',
    );
    const merged = applyOverlay(base, overlay);
    expect(nodeAt(merged.root, '/new/below')?.properties.has('yes')).toBe(true);
    expect(nodeAt(merged.root, '/soc/old')?.properties.has('too')).toBe(true);
    expect(nodeAt(merged.root, '/other')).toBeUndefined();
    expect(merged.root.children.map((child) => child.name)).toEqual(['intc', 'soc', '__symbols__', 'new', 'user']);
  });

  it('keeps the phandle that the base has for a node which the overlay labels again', async () => {
    const base = await tree(BASE, '-@');
    const before = nodeAt(base.root, '/soc/old');
    const overlay = await tree(
      `/dts-v1/; /plugin/;
       &soc { other = <&mine &other 7>; mine: old { self = <&mine>; }; other: x { }; };
       &{/soc} { more = <&third>; third: old { again; }; };`,
      '-@',
    );
    const merged = applyOverlay(base, overlay);
    const old = nodeAt(merged.root, '/soc/old');
    const soc = nodeAt(merged.root, '/soc');
    const kept = before === undefined ? null : phandleOf(before);
    expect(kept).not.toBeNull();
    expect(old && phandleOf(old)).toBe(kept);
    expect(old && cellProperty(old, 'self')).toBe(kept);
    expect(soc && cellProperty(soc, 'user')).toBe(kept);
    expect(soc && cellProperty(soc, 'more')).toBe(kept);
    const x = nodeAt(merged.root, '/soc/x');
    expect(readCells(soc?.properties.get('other') ?? new Uint8Array())).toEqual([kept, x && phandleOf(x), 7]);
  });

  it('finds labels that were given to a base without any', async () => {
    const bare = await tree('/dts-v1/; / { intc@8000000 { }; psci { phandle = <9>; }; };');
    const base = withLabels(bare, { gic: '/intc@8000000', psci: '/psci' });
    const overlay = await tree('/dts-v1/; /plugin/; &{/} { uses { all = <&psci &gic>; }; };', '-@');
    const merged = applyOverlay(base, overlay);
    expect(readCells(nodeAt(merged.root, '/uses')?.properties.get('all') ?? new Uint8Array())).toEqual([9, 10]);
    expect(() => withLabels(base, { gic: '/psci' })).toThrow('&gic stands for /intc@8000000 already');
    expect(() => withLabels(base, { 'a b': '/psci' })).toThrow('"a b" is no label');
    expect(() => withLabels(base, { x: '/pscl' })).toThrow('no node /pscl');
  });

  it.each<[what: string, overlay: string, message: RegExp]>([
    ['an unknown label', '&nowhere { };', /needs the label &nowhere \(\/fragment@0:target:0\)/],
    ['an unknown path', '&{/nowhere} { };', /no node \/nowhere/],
    [
      'an unknown phandle',
      '/ { fragment@0 { target = <0x77>; __overlay__ { }; }; };',
      /target 0x7[0-9a-f]+, and no node/,
    ],
    ['a fragment without a target', '/ { fragment@0 { __overlay__ { }; }; };', /neither a target nor a target-path/],
    ['no fragment', '/ { node { }; };', /has no fragment/],
    [
      'a local fixup that is not there',
      '/ { a { }; __local_fixups__ { a { b = <0>; }; }; };',
      /byte 0 of b of \/a, which/,
    ],
    ['a local fixup past the end', '/ { a = <1>; __local_fixups__ { a = <1>; }; };', /byte 1 of a of \/, which/],
    [
      'a crooked local fixup',
      '/ { a = <1>; __local_fixups__ { a = [00]; }; };',
      /local fixups of a of \/ are not cells/,
    ],
    ['a fixup that is none', '/ { __fixups__ { gic = "/:x"; }; };', /"\/:x" is no fixup/],
    ['a fixup for no node', '/ { __fixups__ { gic = "/x:y:0"; }; };', /byte 0 of y of \/x, which/],
    ['a fixup far away', '/ { x = <0>; __fixups__ { gic = "/:x:4294967295"; }; };', /byte 4294967295 of x of \//],
    ['phandles without end', '/ { a { phandle = <0xfffffffe>; }; };', /no phandles left/],
    [
      'a label without a path',
      '/ { fragment@0 { target-path = "/"; __overlay__ { }; }; __symbols__ { x = "y"; }; };',
      /label x/,
    ],
  ])('refuses %s', async (_, source, message) => {
    const base = await tree(BASE, '-@');
    const overlay = await tree(`/dts-v1/; /plugin/; ${source}`, '-f');
    const apply = () => applyOverlay(base, overlay);
    expect(apply).toThrow(InputError);
    expect(apply).toThrow(message);
  });

  it(
    'law: but for the order, the result is that of fdtoverlay',
    async () => {
      /** Nodes n0.. of a base, each below an earlier one, and m0.. of an overlay, each in a fragment or below an earlier one. */
      const base = fc.array(fc.record({ parent: fc.nat(), uses: fc.nat(), labelled: fc.boolean() }), {
        minLength: 1,
        maxLength: 6,
      });
      const added = fc.array(
        fc.record({ place: fc.nat(), own: fc.nat(), uses: fc.nat(), byPath: fc.boolean(), overrides: fc.boolean() }),
        { minLength: 1, maxLength: 6 },
      );
      await fc.assert(
        fc.asyncProperty(base, added, async (nodes, additions) => {
          const parentOf = nodes.map(({ parent }, index) => (index === 0 ? -1 : (parent % (index + 1)) - 1));
          const pathOf = (index: number): string => (index < 0 ? '' : `${pathOf(parentOf[index] ?? -1)}/n${index}`);
          const labels = nodes.flatMap(({ labelled }, index) => (labelled || index === 0 ? [index] : []));
          const write = (index: number): string => {
            const uses = labels[(nodes[index]?.uses ?? 0) % labels.length];
            const below = nodes.flatMap((_, child) => (parentOf[child] === index ? [write(child)] : [])).join(' ');
            const own = `uses = <${index} &l${uses}>; same = <1>;`;
            return index < 0
              ? `/ { ${below} };`
              : `${labels.includes(index) ? `l${index}: ` : ''}n${index} { ${own} ${below} };`;
          };
          const fragments = additions.map(({ place, own, uses, byPath, overrides }, index) => {
            const target = byPath ? `&{${pathOf(place % nodes.length)}}` : `&l${labels[place % labels.length]}`;
            const mine = `m${own % additions.length}`;
            const values = `a = <&${mine} 5 &l${labels[uses % labels.length]}>, "text", <&${mine}>;`;
            return `${target} { ${overrides ? 'same = <2>; extra;' : ''} m${index}: new${index} { ${values} }; };`;
          });
          const [baseBlob, overlayBlob] = await Promise.all([
            compile(`/dts-v1/; ${write(-1)}`, '-@'),
            compile(`/dts-v1/; /plugin/; ${fragments.join('\n')}`, '-@'),
          ]);
          const ours = serializeFdt(applyOverlay(parseFdt(baseBlob), parseFdt(overlayBlob)));
          const theirs = await fdtoverlay(baseBlob, overlayBlob);
          expect(await decompile(ours, '-s')).toBe(await decompile(theirs, '-s'));
        }),
        DTC_RUNS,
      );
    },
    DTC_TIMEOUT_MS,
  );
});

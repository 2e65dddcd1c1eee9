import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toDts } from '../../harness/devicetree/dts.ts';
import { MAX_NAME } from '../../harness/devicetree/format.ts';
import { parseFdt } from '../../harness/devicetree/parse.ts';
import { serializeFdt } from '../../harness/devicetree/serialize.ts';
import { emptyNode } from '../../harness/devicetree/tree.ts';
import { encodeCells } from '../../harness/devicetree/values.ts';
import { anyTree } from './arbitrary-trees.ts';
import { compile, decompile } from './dtc.ts';

const DTC_RUNS = { numRuns: 40 };
/** Two or more processes a run, on a machine that may be busy. */
const DTC_TIMEOUT_MS = 120_000;

const SOURCE = `/dts-v1/;
/memreserve/ 0x40000000 0x10000;
/ {
  compatible = "a,board", "a,soc";
  #address-cells = <1>;
  #size-cells = <1>;
  empty;
  zero = "";
  bytes = [de ad be];
  quoted = "say \\"hi\\" \\\\ there";
  cpus { #address-cells = <1>; #size-cells = <0>; cpu@3 { reg = <3>; }; };
  intc: intc@8000000 { reg = <0x8000000 0x1000>; interrupt-controller; #interrupt-cells = <3>; };
  soc { uart: serial@9000000 { reg = <0x9000000 0x1000>; interrupt-parent = <&intc>; size-cells; }; };
};
`;

describe('reading and writing blobs', () => {
  it('reads what dtc compiled', async () => {
    const tree = parseFdt(await compile(SOURCE, '-@'));
    expect(tree.bootCpu).toBe(3);
    expect(tree.reservations).toEqual([{ address: 0x40000000n, size: 0x10000n }]);
    expect(tree.root.children.map((child) => child.name)).toEqual(['cpus', 'intc@8000000', 'soc', '__symbols__']);
    expect([...tree.root.properties.keys()].slice(0, 3)).toEqual(['compatible', '#address-cells', '#size-cells']);
  });

  it('keeps names of the greatest length', () => {
    const name = 'n'.repeat(MAX_NAME);
    const properties = new Map([[name, new Uint8Array()]]);
    const node = { name, properties, children: [] };
    const tree = { bootCpu: 0, reservations: [], root: { ...emptyNode(''), properties, children: [node] } };
    expect(parseFdt(serializeFdt(tree))).toEqual(tree);
  });

  it.each(['17', '16'])('writes dtc -V %s blobs back byte for byte as version 17', async (version) => {
    const blob = await compile(SOURCE, '-@', '-V', version);
    const current = await compile(SOURCE, '-@');
    expect(Buffer.from(serializeFdt(parseFdt(blob)))).toEqual(Buffer.from(current));
  });

  it('reads a blob with room at its end, as QEMU and boot loaders leave it', async () => {
    const padded = await compile(SOURCE, '-S', '65536');
    const tree = parseFdt(padded);
    expect(serializeFdt(tree)).toEqual(serializeFdt(parseFdt(await compile(SOURCE))));
    const longer = new Uint8Array([...padded, 1, 2, 3]);
    expect(parseFdt(longer)).toEqual(tree);
  });

  it('writes blobs of any size', () => {
    const children = Array.from({ length: 5000 }, (_, index) => ({
      ...emptyNode(`node@${index}`),
      properties: new Map([
        [`property-${index}`, new Uint8Array(index % 7).fill(index)],
        ['reg', encodeCells([index])],
      ]),
    }));
    const value = new Map([['large', new Uint8Array(300_000).fill(7)]]);
    const tree = { bootCpu: 0, reservations: [], root: { name: '', properties: value, children } };
    expect(parseFdt(serializeFdt(tree))).toEqual(tree);
  });

  it('reads from the middle of another buffer', async () => {
    const blob = await compile(SOURCE);
    const odd = new Uint8Array(blob.length + 1);
    odd.set(blob, 1);
    expect(parseFdt(odd.subarray(1))).toEqual(parseFdt(blob));
  });

  it('law: reading back what was written gives the same tree', () => {
    fc.assert(
      fc.property(anyTree, (tree) => {
        expect(parseFdt(serializeFdt(tree))).toEqual(tree);
      }),
    );
  });

  it(
    'law: dtc compiles our source to the blob that we write, and decompiles both alike',
    async () => {
      await fc.assert(
        fc.asyncProperty(anyTree, async (tree) => {
          const ours = serializeFdt(tree);
          // -f: dtc's own checks (#address-cells of a random length, say) must not end it.
          const theirs = await compile(toDts(tree), '-f', '-b', `${tree.bootCpu}`);
          expect(Buffer.from(ours)).toEqual(Buffer.from(theirs));
          expect(await decompile(ours, '-f')).toBe(await decompile(theirs, '-f'));
        }),
        DTC_RUNS,
      );
    },
    DTC_TIMEOUT_MS,
  );
});

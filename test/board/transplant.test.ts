import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ADDRESS_BITS, BLOCK_SIZE } from '../../harness/board/board-plan.ts';
import { startedCpusOf } from '../../harness/board/interrupts.ts';
import { NO_MODELS, type TransplantOptions, transplant } from '../../harness/board/transplant.ts';
import { type AddressRange, endOf, join, overlaps, registersOf, subtract } from '../../harness/devicetree/addresses.ts';
import { diffTrees } from '../../harness/devicetree/diff.ts';
import { parseFdt } from '../../harness/devicetree/parse.ts';
import { serializeFdt } from '../../harness/devicetree/serialize.ts';
import type { DeviceTree, TreeNode } from '../../harness/devicetree/tree.ts';
import { InputError } from '../../harness/errors.ts';
import { encodeBoardPlan } from '../../harness/firmware/board-plan.ts';
import { boardTree, GIC_V3, node, TIMER } from './trees.ts';

const MIB = 1024 * 1024;
const OPTIONS: TransplantOptions = {
  name: 'board.dtb',
  imageSize: 40 * MIB,
  initramfsSize: 30 * MIB,
  cpus: 1,
  breakerReads: 5,
  models: NO_MODELS,
};

const lay = (tree: DeviceTree, options: Partial<TransplantOptions> = {}) =>
  transplant(tree, serializeFdt(tree).length, { ...OPTIONS, ...options });

const memory = (name: string, ...reg: number[]) => node(name, { device_type: 'memory', reg });

describe('transplant', () => {
  test('a GICv3 has as many ranges of redistributors as it says, and behind them what no redistributor is', () => {
    const reg = [0x17a0_0000, 0x17a6_0000, 0x17b6_0000, 0x17c6_0000].flatMap((at) => [0, at, 0, 0x10_0000]);
    const controllerWith = (regions: number[]) => {
      const more = regions.length === 0 ? {} : { '#redistributor-regions': regions };
      const gic = { compatible: 'arm,gic-v3', 'interrupt-controller': [], '#interrupt-cells': [3], reg, ...more };
      return lay(boardTree({ gic: node('interrupt-controller@17a00000', gic) })).plan.interruptController;
    };
    const addresses = (regions: number[]) => controllerWith(regions).redistributors.map(({ address }) => address);
    expect(addresses([])).toEqual([0x17a6_0000]);
    expect(addresses([2])).toEqual([0x17a6_0000, 0x17b6_0000]);
  });

  test('changes memory and chosen alone', () => {
    const tree = boardTree();
    const { tree: guest, changes, plan } = lay(tree);
    const paths = diffTrees(tree, guest).map((change) => ('path' in change ? change.path : change.kind));
    expect([...new Set(paths)]).toEqual(['/memory@80000000', '/chosen']);
    expect(changes.map(({ path }) => path)).toEqual(['/memory@80000000', '/chosen']);
    expect(plan.ram).toEqual([{ address: 0x8000_0000, size: 2048 * MIB, physical: 0x8000_0000 }]);
    expect(plan.timer).toEqual({ virtual: 19, physical: 18, frequency: 62_500_000 });
    expect(() => encodeBoardPlan(plan)).not.toThrow();
  });

  test('disables a timer that the kernel would take instead of the CPU’s, and says so', () => {
    const timer = node('timer@60005000', { compatible: 'nvidia,tegra210-timer', reg: [0, 0x6000_5000, 0, 0x400] });
    const { tree: guest, changes } = lay(boardTree({ more: [timer] }));
    expect(changes.map(({ path }) => path)).toContain('/timer@60005000');
    expect(guest.root.children.find(({ name }) => name === timer.name)?.properties.has('status')).toBe(true);
  });

  test('leaves out an erratum of the counter that QEMU’s does not have, and says so', () => {
    const timer = { ...TIMER, properties: new Map([...TIMER.properties, ['fsl,erratum-a008585', new Uint8Array()]]) };
    const { tree: guest, changes } = lay(boardTree({ timer }));
    expect(changes.map(({ path }) => path)).toContain('/timer');
    expect(guest.root.children.find(({ name }) => name === 'timer')?.properties.has('fsl,erratum-a008585')).toBe(false);
    expect(lay(boardTree({ timer: TIMER })).changes.map(({ path }) => path)).not.toContain('/timer');
  });

  test('leaves a counter’s rate to the firmware where the guest would be too slow, and says so', () => {
    const timerAt = (hertz: number) => ({
      ...TIMER,
      properties: new Map([...TIMER.properties, ...node('', { 'clock-frequency': [hertz] }).properties]),
    });
    const slow = lay(boardTree({ timer: timerAt(1_920_000) }));
    expect(slow.plan.timer.frequency).toBe(62_500_000);
    expect(slow.changes.map(({ path }) => path)).toContain('/timer');
    expect(slow.tree.root.children.find(({ name }) => name === 'timer')?.properties.has('clock-frequency')).toBe(false);
    expect(lay(boardTree({ timer: timerAt(8_000_000) })).plan.timer.frequency).toBe(8_000_000);
  });

  test('keeps memory that is complete, to the byte', () => {
    const gic = node('interrupt-controller@f7a00000', {
      compatible: 'arm,gic-v3',
      'interrupt-controller': [],
      '#interrupt-cells': [3],
      reg: [0, 0xf7a0_0000, 0, 0x1_0000, 0, 0xf7a6_0000, 0, 0x10_0000],
    });
    const ranges = memory('memory@0', 0, 0, 0, 0x05e0_0000, 0, 0x05f0_0000, 0, 0x3000_1000);
    const tree = boardTree({ gic, memory: [ranges] });
    const { tree: guest, plan, changes } = lay(tree);
    expect(guest.root.children[0]).toBe(tree.root.children[0]);
    expect(changes.map(({ path }) => path)).toEqual(['/chosen']);
    expect(plan.ram.map(({ address, size }) => [address, size])).toEqual([[0, 0x3600_0000]]);
  });

  test('joins overlapping ranges and cuts RAM that is larger than a guest gets', () => {
    const tree = boardTree({
      memory: [memory('memory@80000000', 0, 0x8000_0000, 1, 0), memory('memory@c0000000', 0, 0xc000_0000, 1, 0)],
    });
    const { plan, changes } = lay(tree);
    expect(plan.ram.map(({ size }) => size)).toEqual([2048 * MIB]);
    expect(changes[0]).toEqual({ path: '/memory@c0000000', why: 'one node holds all of the RAM' });
    expect(changes[1]?.why).toMatch(/MiB less/);
  });

  test('ends RAM before the first register where the tree has no memory at all', () => {
    const uart = node('serial@90000000', { compatible: 'acme,uart', reg: [0, 0x9000_0000, 0, 0x1000] });
    expect(lay(boardTree({ memory: [], more: [uart] })).plan.ram[0]?.address).toBe(0x4000_0000);
  });

  test('puts no RAM that the tree leaves out where a PCI host has the addresses of its bus', () => {
    const pci = node('pcie@f0000000', {
      compatible: 'pci-host-ecam-generic',
      device_type: 'pci',
      '#address-cells': [3],
      '#size-cells': [2],
      reg: [0, 0xf000_0000, 0, 0x1000_0000],
      ranges: [0x200_0000, 0, 0x8000_0000, 0, 0x8000_0000, 0, 0x4000_0000],
    });
    const { plan } = lay(boardTree({ memory: [], more: [pci] }));
    expect(plan.ram.map(({ address, size }) => [address, size])).toEqual([[0x4000_0000, 0x4000_0000]]);
  });

  test('reads the timer with the cells of the GIC', () => {
    const gic = { ...GIC_V3, properties: node('', { '#interrupt-cells': [4] }).properties };
    const four = { ...GIC_V3, properties: new Map([...GIC_V3.properties, ...gic.properties]) };
    const timer = node('timer', {
      compatible: 'arm,armv8-timer',
      interrupts: [1, 13, 4, 0, 1, 14, 4, 0, 1, 11, 4, 0, 1, 10, 4, 0, 1, 12, 4, 0],
      'interrupt-names': ['sec-phys', 'phys', 'virt', 'hyp-phys', 'hyp-virt'],
    });
    expect(lay(boardTree({ gic: four, timer })).plan.timer).toEqual({
      virtual: 27,
      physical: 30,
      frequency: 62_500_000,
    });
  });

  test('knows a GICv2', () => {
    const gic = node('interrupt-controller@ff841000', {
      compatible: ['arm,gic-400'],
      'interrupt-controller': [],
      '#interrupt-cells': [3],
      reg: [0, 0xff84_1000, 0, 0x1000, 0, 0xff84_2000, 0, 0x2000],
    });
    expect(lay(boardTree({ gic })).plan.interruptController).toMatchObject({
      version: 2,
      cpuInterface: { address: 0xff84_2000, size: 0x2000 },
    });
  });

  test('translates registers through the ranges of each bus', () => {
    const bus = node(
      'soc@7e000000',
      { '#address-cells': [1], '#size-cells': [1], ranges: [0x7e00_0000, 0, 0xfe00_0000, 0x0180_0000] },
      node('mmc@7e300000', { reg: [0x7e30_0000, 0x100] }),
      node('odd@1000', { reg: [0x1000, 0x100] }),
      node('i2c@7e205000', { '#address-cells': [1], '#size-cells': [0] }, node('rtc@51', { reg: [0x51] })),
    );
    expect(registersOf(boardTree({ more: [bus] })).map(({ path, ranges }) => [path, ranges[0]?.address])).toEqual([
      ['/interrupt-controller@17a00000', 0x17a0_0000],
      ['/soc@7e000000/mmc@7e300000', 0xfe30_0000],
    ]);
  });

  const refusals: [string, DeviceTree, RegExp][] = [
    ['no GIC', boardTree({ gic: null }), /has no Arm GIC/],
    ['no timer', boardTree({ timer: null }), /has no arm,armv8-timer/],
    ['32-bit', boardTree({ cpu: 'arm,cortex-a7' }), /32-bit Arm/],
    ['RISC-V', boardTree({ cpu: 'sifive,u74' }), /RISC-V/],
    ['an overlay', { bootCpu: 0, reservations: [], root: node('', {}) }, /no CPUs/],
    [
      'an SPI as timer',
      boardTree({ timer: node('timer', { compatible: 'arm,armv8-timer', interrupts: Array<number>(12).fill(0) }) }),
      /no private interrupt/,
    ],
    [
      'memory out of reach',
      boardTree({ memory: [memory('memory@1', 0x1_0000, 0, 1, 0)] }),
      /RAM at 0x\w+, above the \d+ address bits/,
    ],
    [
      'an interrupt controller out of reach',
      boardTree({
        gic: node('interrupt-controller@801000000000', {
          compatible: 'arm,gic-v3',
          'interrupt-controller': [],
          '#interrupt-cells': [3],
          reg: [0x8010, 0, 0, 0x1_0000, 0x8010, 0x8000_0000, 0, 0x10_0000],
        }),
      }),
      /interrupt controller \S+ at 0x801000000000, above the \d+ address bits/,
    ],
  ];
  test('refuses ranges that take every address, without looking at each page', () => {
    const everything = node('all@0', { compatible: 'acme,all', reg: [0, 0, 0x1000, 0] });
    const registers = Array.from({ length: 1000 }, (_, n) =>
      node(`top@${n}`, { compatible: 'acme,top', reg: [0x80 + (n % 64), n, 0x80, 0] }),
    );
    const started = performance.now();
    const ram = [memory('memory@80000000', 0, 0x8000_0000, 0, 0x8000_0000)];
    const refused = () => lay(boardTree({ memory: ram, more: [everything] }));
    expect(refused).toThrow(InputError);
    expect(refused).toThrow('leaves no free page for a console');
    expect(lay(boardTree({ memory: ram, more: registers })).facts.console).toBeLessThan(0x80_0000_0000);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  test.each(refusals)('refuses %s with a sentence', (_, tree, message) => {
    expect(() => lay(tree)).toThrow(InputError);
    expect(() => lay(tree)).toThrow(message);
  });

  const spinning = (reg: readonly number[]) => ({ 'enable-method': 'spin-table', 'cpu-release-addr': reg });
  test.each<[string, DeviceTree, number, RegExp]>([
    ['more CPUs than it has', boardTree(), 3, /has 2 CPUs, and 3 are asked for/],
    [
      'a CPU that is disabled',
      boardTree({ cpus: { 'cpu@100': { status: 'disabled' } } }),
      2,
      /has \/cpus\/cpu@100 disabled, which is one of the first 2 CPUs/,
    ],
    [
      'a CPU that is started by other means',
      boardTree({ cpus: { 'cpu@100': { 'enable-method': 'qcom,kpss-acc-v2' } } }),
      2,
      /starts \/cpus\/cpu@100 neither by PSCI nor by a spin table/,
    ],
    [
      'a spin table without an address',
      boardTree({ cpus: { 'cpu@100': { 'enable-method': 'spin-table' } } }),
      2,
      /has \/cpus\/cpu@100 wait at a spin table without a usable cpu-release-addr/,
    ],
    [
      'a spin table at an odd address',
      boardTree({ cpus: { 'cpu@100': spinning([0, 0x8000_fffc]) } }),
      2,
      /without a usable cpu-release-addr/,
    ],
    [
      'a spin table outside its RAM',
      boardTree({ cpus: { 'cpu@100': spinning([0, 0x1000]) } }),
      2,
      /has a CPU wait at 0x1000, which is not in its RAM/,
    ],
  ])('refuses to start %s', (_, tree, cpus, message) => {
    expect(() => lay(tree, { cpus })).toThrow(InputError);
    expect(() => lay(tree, { cpus })).toThrow(message);
    expect(() => lay(tree)).not.toThrow();
  });

  test('refuses to start more CPUs than the firmware has room for', () => {
    const cpus = Array.from({ length: 16 }, (_, affinity) => ({
      ...{ path: `/cpus/cpu@${affinity}`, affinity, start: 'psci' as const, release: null, enabled: true },
    }));
    expect(startedCpusOf({ bootCpu: 0 }, cpus, 8, 'a server')).toHaveLength(8);
    expect(() => startedCpusOf({ bootCpu: 0 }, cpus, 9, 'a server')).toThrow(/starts 8 at most/);
  });

  test('starts the CPU that boots and others in the order of the tree', () => {
    const second = { 'enable-method': 'spin-table', 'cpu-release-addr': [0, 0x8000_fff8] };
    const tree = boardTree({ cpus: { 'cpu@100': second } });
    expect(lay(tree).plan.cpus).toEqual([{ affinity: 0, release: null }]);
    expect(lay(tree, { cpus: 2 }).plan.cpus).toEqual([
      { affinity: 0, release: null },
      { affinity: 0x100, release: 0x8000_fff8 },
    ]);
    expect(lay({ ...tree, bootCpu: 0x100 }, { cpus: 2 }).plan.cpus).toEqual([
      { affinity: 0x100, release: null },
      { affinity: 0, release: null },
    ]);
  });
});

const range = fc
  .record({ address: fc.integer({ min: 0, max: 4096 }), size: fc.integer({ min: 0, max: 512 }) })
  .map(({ address, size }): AddressRange => ({ address: address * MIB, size: size * MIB }));
const ranges = fc.array(range, { maxLength: 8 });
const has = (list: readonly AddressRange[], at: number) => list.some((one) => at >= one.address && at < endOf(one));

describe('laws of ranges', () => {
  test('subtract() leaves exactly the bytes that are in the first list and not in the second', () => {
    fc.assert(
      fc.property(ranges, ranges, fc.integer({ min: 0, max: 5000 * MIB }), (all, holes, at) => {
        expect(has(subtract(all, holes), at)).toBe(has(all, at) && !has(holes, at));
      }),
    );
  });

  test('join() keeps the bytes, and its ranges are apart', () => {
    fc.assert(
      fc.property(ranges, fc.integer({ min: 0, max: 5000 * MIB }), (all, at) => {
        const joined = join(all);
        expect(has(joined, at)).toBe(has(all, at));
        expect(joined.every((one, n) => n === 0 || one.address > endOf(joined[n - 1] ?? one))).toBe(true);
      }),
    );
  });
});

describe('laws of placement', () => {
  test('files lie in RAM, apart from each other and from what is reserved, or there is a sentence', () => {
    fc.assert(
      fc.property(ranges, ranges, fc.integer({ min: 1, max: 200 }), (ram, reserved, mib) => {
        const reg = (list: readonly AddressRange[]) =>
          list.flatMap(({ address, size }) => [address, size].flatMap((n) => [Math.floor(n / 2 ** 32), n >>> 0]));
        const tree = boardTree({
          memory: [memory('memory@0', ...reg(ram))],
          more: [
            node(
              'reserved-memory',
              { '#address-cells': [2], '#size-cells': [2], ranges: [] },
              node('kept', { reg: reg(reserved) }),
            ),
          ],
        });
        try {
          const { plan } = lay(tree, { initramfsSize: mib * MIB });
          const files = [
            { address: plan.entry, size: OPTIONS.imageSize },
            { address: plan.deviceTree, size: MIB },
            { address: plan.initramfs, size: mib * MIB },
          ];
          for (const [n, file] of files.entries()) {
            expect(file.address % BLOCK_SIZE).toBe(0);
            expect(subtract([file], plan.ram)).toEqual([]);
            expect(reserved.filter(({ size }) => size > 0).some((one) => overlaps(one, file))).toBe(false);
            expect(files.slice(n + 1).some((other) => overlaps(other, file))).toBe(false);
          }
          expect(plan.passThrough.every((page) => endOf(page) <= 2 ** ADDRESS_BITS)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
        }
      }),
    );
  });

  test('no bytes of reg, ranges or interrupts make it throw anything but a sentence', () => {
    const property = fc.tuple(
      fc.constantFrom(
        'reg',
        'ranges',
        'interrupts',
        '#address-cells',
        '#size-cells',
        '#interrupt-cells',
        'compatible',
        'status',
        'interrupt-names',
        'device_type',
      ),
      fc.uint8Array({ maxLength: 40 }),
    );
    const mutate = (target: TreeNode, edits: readonly (readonly [number, [string, Uint8Array]])[]): TreeNode => {
      let count = 0;
      const visit = (at: TreeNode): TreeNode => {
        const own = edits.filter(([index]) => index === count).map(([, edit]) => edit);
        count++;
        return { ...at, properties: new Map([...at.properties, ...own]), children: at.children.map(visit) };
      };
      return visit(target);
    };
    const bus = node(
      'soc',
      { '#address-cells': [1], '#size-cells': [1], ranges: [] },
      node('uart@1000', { reg: [0x1000, 0x100] }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 8 }), property), { maxLength: 6 }), (edits) => {
        const whole = boardTree({ more: [bus], timer: TIMER });
        const tree = { ...whole, root: mutate(whole.root, edits) };
        try {
          const { tree: guest } = lay(tree);
          expect(parseFdt(serializeFdt(guest), 'guest')).toBeDefined();
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

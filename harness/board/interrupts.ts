import { isEnabled, type NodeRegisters, numberOf } from '../devicetree/addresses.ts';
import { type DeviceTree, nodeAt, type PlacedNode, walk } from '../devicetree/tree.ts';
import { cellProperty, cellsOf, readCells, readStrings, stringProperty } from '../devicetree/values.ts';
import { InputError } from '../errors.ts';
import { oneOf } from '../regex.ts';
import { CPUS_MAX, type InterruptController, type StartedCpu, type TimerInterrupts } from './board-plan.ts';
import { spisOf } from './clues.ts';

/** What a tree says of its interrupt controller and of the CPUs' timers. */

/** drivers/irqchip/irq-gic.c, Linux 6.12: what IRQCHIP_DECLARE() names there and has the registers of a GICv2. */
const GIC_V2: readonly string[] = [
  'arm,gic-400',
  'arm,cortex-a15-gic',
  'arm,cortex-a9-gic',
  'arm,cortex-a7-gic',
  'arm,eb11mp-gic',
  'arm,pl390',
  'brcm,brahma-b15-gic',
  'qcom,msm-8660-qgic',
  'qcom,msm-qgic2',
];
/** drivers/irqchip/irq-gic-v3.c and irq-gic-v3-its.c. */
const GIC_V3 = 'arm,gic-v3';
const ITS = 'arm,gic-v3-its';

/** IHI 0069: RD_base and SGI_base of 64 KiB each. Version 4 adds two more, and says so in its `reg`. */
const REDISTRIBUTOR_STRIDE = 0x2_0000;

/** The strings of `compatible`, most specific first. */
export function compatiblesOf({ node }: Pick<PlacedNode, 'node'>): readonly string[] {
  const value = node.properties.get('compatible');
  return value === undefined ? [] : (readStrings(value) ?? []);
}

function withCompatible<Placed extends Pick<PlacedNode, 'node'>>(nodes: readonly Placed[], wanted: readonly string[]) {
  return nodes.filter((placed) => compatiblesOf(placed).some((name) => wanted.includes(name)));
}

/**
 * The interrupt controller that the CPUs' interrupts come from, and the path of its node.
 * Throws {@link InputError} for a tree that has none that the firmware can play.
 */
export function interruptControllerOf(
  tree: DeviceTree,
  registers: readonly NodeRegisters[],
  name: string,
): { readonly path: string; readonly controller: InterruptController } {
  const enabled = registers.filter((place) => place.enabled);
  const [v3] = withCompatible(enabled, [GIC_V3]);
  // Some SoCs have a second one for a coprocessor, below a bus that is not the CPU's (nvidia,tegra210-agic): the first
  // is the root.
  const [v2] = withCompatible(enabled, GIC_V2);
  const root = v3 ?? v2;
  if (root === undefined) {
    const other = enabled.find(({ node }) => node.properties.has('interrupt-controller'));
    const what = other === undefined ? 'no interrupt controller' : `${compatiblesOf(other)[0] ?? other.path}`;
    throw new InputError(
      `${name} has no Arm GIC that bootrace can stand in for (it has ${what})`,
      'boards with a GICv2 or GICv3 can be booted',
    );
  }
  const [distributor, second] = root.ranges;
  if (distributor === undefined || (second === undefined && v3 === undefined))
    throw new InputError(`${name}: reg of the interrupt controller ${root.path} is incomplete`);
  const spis = spisOf(tree);
  const translators = withCompatible(enabled, [ITS]).flatMap(({ ranges }) => ranges.slice(0, 1));
  if (v3 === undefined)
    return {
      path: root.path,
      controller: {
        version: 2,
        distributor,
        redistributors: [],
        stride: REDISTRIBUTOR_STRIDE,
        cpuInterface: second ?? null,
        translators,
        spis,
      },
    };
  const regions = cellProperty(root.node, '#redistributor-regions') ?? 1;
  const redistributors = root.ranges.slice(1, 1 + regions);
  if (redistributors.length === 0)
    throw new InputError(`${name}: reg of the interrupt controller ${root.path} has no redistributors`);
  const stride = root.node.properties.get('redistributor-stride');
  return {
    path: root.path,
    controller: {
      version: 3,
      distributor,
      redistributors,
      stride: (stride === undefined ? null : numberOf(readCells(stride) ?? [])) || REDISTRIBUTOR_STRIDE,
      cpuInterface: null,
      translators,
      spis,
    },
  };
}

/** First INTID of the PPIs (IHI 0069, section 2.2.1); the GIC binding says 1 for them in the first cell. */
const FIRST_PPI = 16;
const PPIS = 16;
const TYPE_PPI = 1;

/**
 * Order of the interrupts of the timer without `interrupt-names` (drivers/clocksource/arm_arch_timer.c,
 * arch_timer_of_init()).
 */
const TIMER_ORDER: readonly string[] = ['sec-phys', 'phys', 'virt', 'hyp-phys', 'hyp-virt'];

export interface Timer {
  readonly path: string;
  readonly interrupts: TimerInterrupts;
}

/**
 * The architected timer's interrupts, read with the `#interrupt-cells` of the GIC at `controllerPath`.
 * Throws {@link InputError} for a tree without one: a kernel that never gets a tick does not boot.
 */
export function timerOf(tree: DeviceTree, controllerPath: string, name: string): Timer {
  const nodes = [...walk(tree.root)];
  const timer = withCompatible(nodes, ['arm,armv8-timer', 'arm,armv7-timer']).find(({ node }) => isEnabled(node));
  if (timer === undefined)
    throw new InputError(
      `${name} has no arm,armv8-timer node`,
      'bootrace boots boards whose CPUs have the Arm generic timer',
    );
  const controller = nodeAt(tree.root, controllerPath);
  const width = controller === undefined ? null : cellProperty(controller, '#interrupt-cells');
  const plain = timer.node.properties.get('interrupts');
  // <parent type number flags ...> each: the same behind a phandle.
  const extended = timer.node.properties.get('interrupts-extended');
  const cells = readCells(plain ?? extended ?? new Uint8Array()) ?? [];
  const skip = plain === undefined ? 1 : 0;
  if (width === null || width < 2 || cells.length < width + skip)
    throw new InputError(`${name}: the interrupts of the timer ${timer.path} cannot be read`);
  const entries: number[][] = [];
  for (let at = 0; at + skip + width <= cells.length; at += skip + width)
    entries.push(cells.slice(at + skip, at + skip + width));
  const names = timer.node.properties.get('interrupt-names');
  const order = (names === undefined ? null : readStrings(names)) ?? TIMER_ORDER;
  const intid = (which: string): number => {
    const [type, number] = entries[order.indexOf(which)] ?? [];
    if (type !== TYPE_PPI || number === undefined || number >= PPIS)
      throw new InputError(
        `${name}: the ${which} interrupt of the timer ${timer.path} is no private interrupt of the GIC`,
      );
    return FIRST_PPI + number;
  };
  return {
    path: timer.path,
    interrupts: { virtual: intid('virt'), physical: intid('phys') },
  };
}

/** How the tree says that its other CPUs are started. */
type CpuStart = 'psci' | 'spin-table' | 'other';

export interface TreeCpu {
  readonly path: string;
  /** MPIDR affinity (`reg`). */
  readonly affinity: number;
  readonly start: CpuStart;
  /** `cpu-release-addr`, which a CPU of a spin table waits at. */
  readonly release: number | null;
  readonly enabled: boolean;
}

/**
 * The CPUs of a tree, in its order. Throws {@link InputError} for a tree of another architecture than arm64, or without
 * CPUs.
 */
export function cpusOf(tree: DeviceTree, name: string): TreeCpu[] {
  const cpus = nodeAt(tree.root, '/cpus');
  const nodes = [...walk(cpus ?? tree.root, '/cpus')].filter(
    ({ node }) => stringProperty(node, 'device_type') === 'cpu',
  );
  if (cpus === undefined || nodes.length === 0)
    throw new InputError(
      `${name} has no CPUs below /cpus`,
      'give the compiled device tree of a whole board, not an overlay',
    );
  const found = nodes.map(({ path, node }): TreeCpu => {
    const method = stringProperty(node, 'enable-method');
    const number = (property: string) => numberOf(cellsOf(node, property));
    return {
      path,
      affinity: number('reg') ?? 0,
      release: number('cpu-release-addr') || null,
      start: method === 'psci' || method === 'spin-table' ? method : 'other',
      enabled: isEnabled(node),
    };
  });
  refuseOtherArchitectures(nodes, name);
  return found;
}

/**
 * The CPU that boots: the one that the blob's header names (`boot_cpuid_phys`), else the first that is enabled
 * (arch/arm64/kernel/smp.c, smp_init_cpus(): without it among /cpus no other is started).
 */
function bootCpuOf({ bootCpu }: Pick<DeviceTree, 'bootCpu'>, cpus: readonly TreeCpu[]): TreeCpu | undefined {
  return cpus.find(({ affinity }) => affinity === bootCpu) ?? cpus.find(({ enabled }) => enabled) ?? cpus[0];
}

/** A release address is one of 64 bits. */
const RELEASE_BYTES = 8;

/**
 * The CPUs that a boot with `count` of them starts: the one that boots, then others in the order of the tree, in which
 * the kernel tries as many (kernel/cpu.c, cpuhp_bringup_mask(), 6.12). Throws {@link InputError} for more than the tree
 * has, for one that is disabled, which the kernel tries as well, and for those that are started neither by PSCI nor by
 * a spin table.
 */
export function startedCpusOf(
  tree: Pick<DeviceTree, 'bootCpu'>,
  cpus: readonly TreeCpu[],
  count: number,
  name: string,
): StartedCpu[] {
  if (count > CPUS_MAX) throw new InputError(`${count} CPUs are asked for, and bootrace starts ${CPUS_MAX} at most`);
  const boot = bootCpuOf(tree, cpus);
  if (count > cpus.length)
    throw new InputError(
      `${name} has ${cpus.length} ${cpus.length === 1 ? 'CPU' : 'CPUs'}, and ${count} are asked for`,
    );
  const started = cpus
    .filter((cpu) => cpu !== boot)
    .slice(0, count - 1)
    .map(({ path, affinity, start, release, enabled }): StartedCpu => {
      if (!enabled)
        throw new InputError(
          `${name} has ${path} disabled, which is one of the first ${count} CPUs`,
          'ask for fewer CPUs',
        );
      if (start === 'psci') return { affinity, release: null };
      if (start === 'spin-table' && release !== null && release % RELEASE_BYTES === 0) return { affinity, release };
      if (start === 'spin-table')
        throw new InputError(
          `${name} has ${path} wait at a spin table without a usable cpu-release-addr`,
          'boot it with one CPU',
        );
      throw new InputError(
        `${name} starts ${path} neither by PSCI nor by a spin table, and bootrace knows no other way`,
        'boot it with one CPU',
      );
    });
  return [{ affinity: boot?.affinity ?? 0, release: null }, ...started];
}

/**
 * Cores without AArch64 (Documentation/devicetree/bindings/arm/cpus.yaml), and what CPUs of other architectures are
 * called.
 */
const ARM32 = new RegExp(
  `^${oneOf(
    /arm,(?:arm(?!v8)|cortex-a(?:5|7|8|9|12|15|17)(?![0-9])|cortex-[rm])/,
    /marvell,(?:feroceon|pj4|mohawk|sheeva|xsc)|qcom,(?:krait|scorpion)|brcm,brahma-b15|faraday|intel,sa1/,
  )}`,
);
const OTHERS: readonly (readonly [RegExp, string])[] = [
  [/^(?:riscv|sifive,|thead,|starfive,|spacemit,)/, 'RISC-V'],
  [/^(?:mips|ingenic,|brcm,bmips|mti,)/, 'MIPS'],
  [/^(?:PowerPC,|powerpc|ibm,power|fsl,e[56]00)/i, 'PowerPC'],
  [/^loongson,(?:la|loongarch)/, 'LoongArch'],
  [/^(?:intel,|amd,)/, 'x86'],
];

function refuseOtherArchitectures(cpus: readonly PlacedNode[], name: string): void {
  for (const cpu of cpus) {
    const [compatible = ''] = compatiblesOf(cpu);
    const other = ARM32.test(compatible) ? '32-bit Arm' : OTHERS.find(([pattern]) => pattern.test(compatible))?.[1];
    if (other !== undefined || cpu.node.properties.has('riscv,isa') || cpu.node.properties.has('riscv,isa-base'))
      throw new InputError(`${name} is the device tree of a ${other ?? 'RISC-V'} board, and bootrace boots arm64`);
  }
}

import { type TreeNode, walk } from '../devicetree/tree.ts';
import { stringProperty } from '../devicetree/values.ts';
import { namesOf } from '../model/names.ts';
import type { DeviceModel } from './device.ts';
import { MemoryImage } from './register-image.ts';

/**
 * The command database as the boot loader leaves it, the way drivers/soc/qcom/cmd-db.c reads it (Linux 5.10 to 6.12,
 * `cmd_db_get_header()`): `struct cmd_db_header`, one `struct rsc_hdr` a kind of resource, `struct entry_header` each,
 * then the auxiliary data.
 */

const MAGIC = Uint8Array.of(0xdb, 0x30, 0x03, 0x0c);
const MAGIC_OFFSET = 4;
const RSC_HDR_OFFSET = 8;
const RSC_HDR_SIZE = 16;
const RSC_HDRS = 8;
/** Behind the resource headers come a checksum, which the driver does not look at, and a reserved word. */
const DATA_OFFSET = RSC_HDR_OFFSET + RSC_HDRS * RSC_HDR_SIZE + 8;
const ENTRY_SIZE = 24;
const ENTRY = { id: 0, idSize: 8, addr: 16, len: 20, offset: 22 } as const;

/** `enum cmd_db_hw_type` of include/soc/qcom/cmd-db.h. */
const SLAVE = { ARC: 3, VRM: 4, BCM: 5 } as const;
type Slave = keyof typeof SLAVE;

/** `SLAVE_ID_SHIFT`; resources of a slave lie 16 bytes apart (`VRM_ADDR`, bits 4 to 19). */
const SLAVE_ID_SHIFT = 16;
const RESOURCE_STRIDE = 16;

/** `struct bcm_db` of drivers/clk/qcom/clk-rpmh.c: unit (kHz), width, clock domain. */
const BCM_UNIT_KHZ = 1;

function bcm(): Uint8Array {
  const image = new MemoryImage(8);
  image.u32(0, BCM_UNIT_KHZ);
  image.u16(4, 4);
  return image.bytes;
}

const NONE = new Uint8Array(0);

interface Resource {
  readonly id: string;
  readonly slave: Slave;
  readonly aux: Uint8Array;
}

/** What `sdm845_rpmh_clocks` of drivers/clk/qcom/clk-rpmh.c looks up. */
const RESOURCES: readonly Resource[] = [
  { id: 'xo.lvl', slave: 'ARC', aux: NONE },
  { id: 'lnbclka2', slave: 'VRM', aux: NONE },
  { id: 'lnbclka3', slave: 'VRM', aux: NONE },
  { id: 'rfclka1', slave: 'VRM', aux: NONE },
  { id: 'rfclka2', slave: 'VRM', aux: NONE },
  { id: 'rfclka3', slave: 'VRM', aux: NONE },
  { id: 'IP0', slave: 'BCM', aux: bcm() },
  { id: 'CE0', slave: 'BCM', aux: bcm() },
];

/** Version of a resource header; only shown in debugfs. */
const RSC_VERSION = 1 << 8;

/**
 * What drivers of a real board look up: drivers/clk/qcom/clk-rpmh.c, pmdomain/qcom/rpmhpd.c, interconnect/qcom
 * (Linux 6.12).
 */
const LEVELS = [
  ...['xo', 'ebi', 'mx', 'cx', 'lmx', 'lcx', 'gfx', 'mss', 'mmcx', 'mxc', 'nsp', 'qphy'],
  ...['gmxc', 'nsp0', 'nsp1', 'nsp2'],
];
const CLOCKS = [
  'lnbclka1',
  'lnbclka2',
  'lnbclka3',
  'rfclka1',
  'rfclka2',
  'rfclka3',
  'rfclkd1',
  'rfclkd2',
  'rfclkd3',
  'rfclkd4',
  'rfclka4',
  ...Array.from({ length: 8 }, (_, n) => `clka${n + 1}`),
  'qphy',
  'divclka1',
  'lnbclkg2',
  'lnbclkg3',
  'rfclka5',
];
const BUSES = [
  ...[
    'IP0',
    'CE0',
    'PKA0',
    'HK0',
    'ACV',
    'ALC',
    'CN0',
    'CN1',
    'CN2',
    'CN3',
    'MC0',
    'MC3',
    'MC4',
    'MC5',
    'QUP0',
    'QUP1',
    'QUP2',
    'CO0',
    'CO1',
    'CO2',
    'CO3',
  ],
  ...Array.from({ length: 6 }, (_, n) => [`SH${n}`, `MM${n}`]).flat(),
  ...Array.from({ length: 17 }, (_, n) => `SN${n}`),
  // Of SoCs since SC8280XP, and of SDX75 (its flash's clock).
  ...['GNA0', 'GNB0', 'LP0', 'NSA0', 'NSA1', 'NSB0', 'NSB1', 'PC0', 'PCI0', 'QP0', 'SH6', 'SH7', 'SH8', 'SH9', 'SH10'],
  ...Array.from({ length: 6 }, (_, n) => `PN${n}`),
];
/**
 * Voltage corners of `xo.lvl`, as `rpmhpd_update_level_mapping()` and `rpmh_regulator_init_vreg()` read them: 16 bits
 * each.
 */
const CORNERS = [0, 16, 48, 64, 128, 192, 256, 320, 384, 416];

function corners(): Uint8Array {
  const image = new MemoryImage(2 * CORNERS.length);
  CORNERS.forEach((corner, n) => {
    image.u16(2 * n, corner);
  });
  return image.bytes;
}

/** Regulators by the letter of their PMIC (`qcom,pmic-id`), as drivers/regulator/qcom-rpmh-regulator.c names them. */
function regulatorsOf(root: TreeNode): string[] {
  const letters = new Set([...walk(root)].flatMap(({ node }) => stringProperty(node, 'qcom,pmic-id') ?? []));
  const numbered = (name: string, letter: string, count: number) =>
    Array.from({ length: count }, (_, n) => `${name}${letter}${n + 1}`);
  return [...letters].flatMap((letter) => [
    ...numbered('smp', letter, 13),
    ...numbered('ldo', letter, 28),
    ...numbered('vs', letter, 2),
    ...numbered('bob', letter, 2),
  ]);
}

function boardResources(root: TreeNode): Resource[] {
  const named = (slave: Slave, aux: Uint8Array) => (id: string) => ({ id, slave, aux });
  return [
    ...LEVELS.map((level) => named('ARC', corners())(`${level}.lvl`)),
    ...[...new Set([...CLOCKS, ...regulatorsOf(root)])].map(named('VRM', NONE)),
    ...BUSES.map(named('BCM', bcm())),
  ];
}

/**
 * The database of a real board, where its tree has the memory; what is asked of it by kernels is guessed from the
 * drivers.
 */
export const cmdDbModel: DeviceModel = {
  compatible: ['qcom,cmd-db'],
  reads: 'drivers/soc/qcom/cmd-db.c, cmd_db_dev_probe() (6.12)',
  model({ base, root }, answers) {
    answers.image(base, commandDatabase(boardResources(root)));
  },
};

export function commandDatabase(resources: readonly Resource[] = RESOURCES): Uint8Array {
  const auxBytes = resources.reduce((sum, { aux }) => sum + aux.length, 0);
  const image = new MemoryImage(DATA_OFFSET + resources.length * ENTRY_SIZE + auxBytes);
  image.copy(MAGIC_OFFSET, MAGIC);

  // Offsets in the headers count from the start of `data`.
  let at = 0;
  const slaves = namesOf(SLAVE);
  for (const [index, slave] of slaves.entries()) {
    const entries = resources.filter((resource) => resource.slave === slave);
    const header = RSC_HDR_OFFSET + index * RSC_HDR_SIZE;
    const data = at + entries.length * ENTRY_SIZE;
    image.u16(header, SLAVE[slave]);
    image.u16(header + 2, at);
    image.u16(header + 4, data);
    image.u16(header + 6, entries.length);
    image.u16(header + 8, RSC_VERSION);
    let aux = 0;
    for (const [position, entry] of entries.entries()) {
      const start = DATA_OFFSET + at + position * ENTRY_SIZE;
      image.text(start + ENTRY.id, ENTRY.idSize, entry.id);
      // Address 0 would read as "no such resource" (cmd_db_read_addr()).
      image.u32(start + ENTRY.addr, (SLAVE[slave] << SLAVE_ID_SHIFT) | ((position + 1) * RESOURCE_STRIDE));
      image.u16(start + ENTRY.len, entry.aux.length);
      image.u16(start + ENTRY.offset, aux);
      image.copy(DATA_OFFSET + data + aux, entry.aux);
      aux += entry.aux.length;
    }
    at = data + aux;
  }
  return image.bytes;
}

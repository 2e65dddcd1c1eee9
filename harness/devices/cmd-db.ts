import { MemoryImage } from './image.ts';

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

export function commandDatabase(): Uint8Array {
  const auxBytes = RESOURCES.reduce((sum, { aux }) => sum + aux.length, 0);
  const image = new MemoryImage(DATA_OFFSET + RESOURCES.length * ENTRY_SIZE + auxBytes);
  image.copy(MAGIC_OFFSET, MAGIC);

  // Offsets in the headers count from the start of `data`.
  let at = 0;
  const slaves = Object.keys(SLAVE).filter((key): key is Slave => key in SLAVE);
  for (const [index, slave] of slaves.entries()) {
    const entries = RESOURCES.filter((resource) => resource.slave === slave);
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

import type { PlacedBehaviour } from '../board/board-plan.ts';
import type { AddressRange } from '../devicetree/addresses.ts';
import { cellProperty } from '../devicetree/values.ts';
import type { Answers, BoardDevice } from './device.ts';

/** Where the registers of a message handling unit are. */
interface MhuLayout {
  readonly compatible: readonly string[];
  /** Registers of a channel; those of the way there are `there` further on. */
  readonly channels: readonly number[];
  readonly there: number;
  readonly status: number;
  readonly set: number;
  readonly clear: number;
}

const LAYOUTS: readonly MhuLayout[] = [
  /** Arm's, version 1 (drivers/mailbox/arm_mhu.c, arm_mhu_db.c, 6.12): MHU_LP_OFFSET, MHU_HP_OFFSET, MHU_SEC_OFFSET. */
  {
    compatible: ['arm,mhu', 'arm,mhu-doorbell'],
    channels: [0x000, 0x020, 0x200],
    there: 0x100,
    status: 0x00,
    set: 0x08,
    clear: 0x10,
  },
  /** Amlogic's (drivers/mailbox/platform_mhu.c, 6.12): MHU_SEC_OFFSET, MHU_LP_OFFSET, MHU_HP_OFFSET. */
  {
    compatible: ['amlogic,meson-gxbb-mhu'],
    channels: [0x00, 0x0c, 0x18],
    there: 0x24,
    status: 0x04,
    set: 0x00,
    clear: 0x08,
  },
];

/**
 * NXP's messaging unit (drivers/mailbox/imx-mailbox.c, 6.12), imx_mu_cfg_imx8ulp: IMX_MU_GCR, IMX_MU_GSR; and the type
 * of channel that only rings, IMX_MU_TYPE_TXDB_V2.
 */
const MU = { compatible: ['fsl,imx95-mu', 'fsl,imx8ulp-mu'], control: 0x114, status: 0x118 } as const;
const MU_DOORBELL = 5;

interface MhuChannel {
  /** The register that rings at the other side. */
  readonly ring: number;
  /** The status of the way back, in which a bit stands for each message that has come. */
  readonly arrived: number;
  /** INTID of the way back. */
  readonly interrupt: number;
}

/** `mboxes` of a client: for each entry the mailbox, and the cells that say which channel of it. */
function entriesOf(client: BoardDevice): { mailbox: BoardDevice; cells: readonly number[] }[] {
  const cells = client.cells('mboxes');
  const found: { mailbox: BoardDevice; cells: readonly number[] }[] = [];
  for (let at = 0; at < cells.length; ) {
    const mailbox = client.supplier('mboxes', at);
    const count = mailbox === null ? null : cellProperty(mailbox.node, '#mbox-cells');
    if (mailbox === null || count === null) break;
    found.push({ mailbox, cells: cells.slice(at + 1, at + 1 + count) });
    at += 1 + count;
  }
  return found;
}

/** The channel that an entry of `mboxes` means, with its registers' rules; null where it is none that is known. */
function channelOf(client: BoardDevice, answers: Answers, entry: number): MhuChannel | null {
  const meant = entriesOf(client)[entry];
  if (meant === undefined) return null;
  const { mailbox, cells } = meant;
  const isLike = (name: string) => mailbox.compatible.includes(name);
  if (MU.compatible.some(isLike)) return cells[0] === MU_DOORBELL ? muChannel(mailbox, answers) : null;
  const layout = LAYOUTS.find(({ compatible }) => compatible.some(isLike));
  const number = cells[0] ?? 0;
  const channel = layout?.channels[number];
  if (layout === undefined || channel === undefined) return null;
  const back = mailbox.base + channel;
  answers.rule({ rule: 'clears', at: back + layout.clear, to: back + layout.status });
  // A message is taken as soon as it is there.
  answers.rule({ rule: 'plain', at: back + layout.there + layout.status });
  return {
    ring: back + layout.there + layout.set,
    arrived: back + layout.status,
    interrupt: mailbox.interrupt(number),
  };
}

/** A doorbell of NXP's messaging unit; the other side rings back with the one of the same number. */
function muChannel(mailbox: BoardDevice, answers: Answers): MhuChannel {
  const arrived = mailbox.base + MU.status;
  answers.rule({ rule: 'write-one-clears', at: arrived, bits: 0xffff_ffff });
  return { ring: mailbox.base + MU.control, arrived, interrupt: mailbox.interrupt() };
}

/**
 * The behaviour of firmware that takes messages by such a mailbox and by the memory of `shmem`, both those of an entry
 * of their lists; none where the device has another mailbox. `parametersOf` gets that memory, and the register by whose
 * bits messages arrive.
 */
export function answerMessages(
  client: BoardDevice,
  answers: Answers,
  behaviour: PlacedBehaviour['behaviour'],
  parametersOf: (shared: AddressRange, arrived: number) => readonly number[],
  entry = 0,
): void {
  const shared = client.registersOf('shmem', entry);
  const channel = shared === null ? null : channelOf(client, answers, entry);
  if (shared === null || channel === null) return;
  answers.behaviour({
    behaviour,
    address: channel.ring,
    size: Uint32Array.BYTES_PER_ELEMENT,
    interrupts: [channel.interrupt],
    parameters: [...parametersOf(shared, channel.arrived)],
  });
}

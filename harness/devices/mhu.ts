import type { PlacedBehaviour } from '../board/board-plan.ts';
import type { AddressRange } from '../devicetree/addresses.ts';
import type { Answers, BoardDevice } from './device.ts';

/** Arm's message handling unit, version 1 (drivers/mailbox/arm_mhu.c and arm_mhu_db.c, 6.12). */
const MHU = ['arm,mhu', 'arm,mhu-doorbell'];
/** MHU_LP_OFFSET, MHU_HP_OFFSET, MHU_SEC_OFFSET: the registers of a channel, those of the way there are further on. */
const CHANNELS = [0x000, 0x020, 0x200];
const THERE = 0x100;
/** INTR_STAT_OFS, INTR_SET_OFS, INTR_CLR_OFS. */
const [STATUS, SET, CLEAR] = [0x00, 0x08, 0x10];

interface MhuChannel {
  /** The register that rings at the other side. */
  readonly ring: number;
  /** The status of the way back, in which a bit stands for each message that has come. */
  readonly arrived: number;
  /** INTID of the way back. */
  readonly interrupt: number;
}

/** The channel that the first entry of `mboxes` means, with its registers' rules; null where it is none of an MHU. */
function mhuChannel(client: BoardDevice, answers: Answers): MhuChannel | null {
  const mailbox = client.supplier('mboxes');
  const number = client.cells('mboxes')[1] ?? 0;
  const channel = CHANNELS[number];
  if (mailbox === null || channel === undefined || !MHU.some((name) => mailbox.compatible.includes(name))) return null;
  const back = mailbox.base + channel;
  answers.rule({ rule: 'clears', at: back + CLEAR, to: back + STATUS });
  // A message is taken as soon as it is there.
  answers.rule({ rule: 'plain', at: back + THERE + STATUS });
  return { ring: back + THERE + SET, arrived: back + STATUS, interrupt: mailbox.interrupt(number) };
}

/**
 * The behaviour of firmware that takes messages by an MHU and by the memory of `shmem`; none where the device has
 * another mailbox. `parametersOf` gets that memory, and the register by whose bits messages arrive.
 */
export function answerMessages(
  client: BoardDevice,
  answers: Answers,
  behaviour: PlacedBehaviour['behaviour'],
  parametersOf: (shared: AddressRange, arrived: number) => readonly number[],
): void {
  const shared = client.registersOf('shmem');
  const channel = shared === null ? null : mhuChannel(client, answers);
  if (shared === null || channel === null) return;
  answers.behaviour({
    behaviour,
    address: channel.ring,
    size: Uint32Array.BYTES_PER_ELEMENT,
    interrupts: [channel.interrupt],
    parameters: [...parametersOf(shared, channel.arrived)],
  });
}

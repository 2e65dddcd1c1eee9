import type { Answers, BoardDevice, DeviceModel } from './device.ts';
import { smdChannel, smemRegion } from './smem.ts';

/**
 * Where the mailbox of the CPUs is written, by its compatible: `struct qcom_apcs_ipc_data` of
 * drivers/mailbox/qcom-apcs-ipc-mailbox.c (6.12).
 */
const DOORBELLS: readonly (readonly [RegExp, number])[] = [
  [/^qcom,msm8996-apcs/, 16],
  [/^qcom,(?:sc7180|sdm845|sm8150)-apss/, 12],
  [/-apcs-|-apss-/, 8],
];

/**
 * Message RAM: `glink_rpm_parse_toc()` of drivers/rpmsg/qcom_glink_rpm.c (6.12). The places of the FIFOs are made up.
 */
const TOC_SIZE = 0x100;
const TOC_MAGIC = 0x6772_7430;
const TO_RPM = { id: 0x6170_3272, offset: 0x1000 } as const;
const FROM_RPM = { id: 0x7232_6170, offset: 0x2000 } as const;
const FIFO_SIZE = 0x800;

interface Doorbell {
  readonly address: number;
  readonly mask: number;
}

/** What `mboxes`, or `qcom,ipc` of older trees, says of a node. */
function doorbellOf(edge: BoardDevice): Doorbell | null {
  const [, offset = 0, bit = 0] = edge.cells('qcom,ipc');
  const syscon = edge.supplier('qcom,ipc');
  if (syscon !== null) return { address: syscon.base + offset, mask: 2 ** bit };
  const mailbox = edge.supplier('mboxes');
  const [, channel = 0] = edge.cells('mboxes');
  const names = mailbox?.compatible ?? [];
  const at = DOORBELLS.find(([pattern]) => names.some((name) => pattern.test(name)))?.[1];
  return mailbox === null || at === undefined ? null : { address: mailbox.base + at, mask: 2 ** channel };
}

/** The power manager of SoCs before RPMh: its requests come over SMD or GLINK, and all are granted. */
export const qcomRpm: DeviceModel = {
  compatible: /^qcom,rpm-(?!msg|proc|stats|master)|^qcom,(?:glink-)?smd-rpm$/,
  reads:
    'drivers/soc/qcom/smd-rpm.c, qcom_rpm_smd_write(); ' +
    'drivers/rpmsg/qcom_smd.c, qcom_glink_native.c, qcom_glink_rpm.c (6.12)',
  model(device, answers) {
    const edge = device.parent;
    const doorbell = edge === null ? null : doorbellOf(edge);
    if (edge === null || doorbell === null) return;
    if (device.strings('qcom,glink-channels').length > 0) glink(edge, doorbell, answers);
    else smd(device, edge, doorbell, answers);
  },
};

function glink(edge: BoardDevice, { address, mask }: Doorbell, answers: Answers): void {
  const ram = edge.supplier('qcom,rpm-msg-ram')?.ranges[0];
  if (ram === undefined || ram.size < FROM_RPM.offset + FIFO_SIZE + TOC_SIZE) return;
  const toc = ram.address + ram.size - TOC_SIZE;
  const words = [TOC_MAGIC, 2, ...[TO_RPM, FROM_RPM].flatMap(({ id, offset }) => [id, offset, FIFO_SIZE])];
  for (const [n, word] of words.entries()) answers.word(toc + 4 * n, word);
  // Indices are looked at again and again while there is nothing to do.
  answers.neverBreak(ram);
  answers.behaviour({
    behaviour: 'qcom-glink-rpm',
    address,
    size: 4,
    interrupts: [edge.interrupt()],
    parameters: [mask, ram.address + TO_RPM.offset, ram.address + FROM_RPM.offset, FIFO_SIZE],
  });
}

function smd(device: BoardDevice, edge: BoardDevice, { address, mask }: Doorbell, answers: Answers): void {
  const [memory] = device.others('qcom,smem');
  const shared = memory === undefined ? null : smemRegion(memory);
  if (shared === null) return;
  const { info, fifo, fifoSize } = smdChannel(shared.address);
  answers.behaviour({
    behaviour: 'qcom-smd-rpm',
    address,
    size: 4,
    interrupts: [edge.interrupt()],
    parameters: [mask, info, fifo, fifoSize],
  });
}

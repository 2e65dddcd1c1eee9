import { encodeFields, word } from './register-image.ts';

/** Registers of a virtio device (virtio 1.2, 4.2.2) that must not start as zero; plain memory keeps the others. */
const REGISTERS = {
  MagicValue: word(0x00),
  Version: word(0x04),
  DeviceID: word(0x08),
  /**
   * Both halves of the features read as the same word, as nothing answers DeviceFeaturesSel: bit 0 of the upper half is
   * VIRTIO_F_VERSION_1, without which vm_finalize_features() of drivers/virtio/virtio_mmio.c (6.12) refuses the device.
   */
  DeviceFeatures: word(0x10),
  QueueNumMax: word(0x34),
} as const;

/** "virt", little-endian */
const MAGIC = 0x7472_6976;
const MODERN = 2;
/** Entropy source (5.4). */
const RNG = 4;

/** A source of entropy that never answers a request. */
export function virtioRngRegisters(): Uint8Array {
  return encodeFields(REGISTERS, {
    MagicValue: MAGIC,
    Version: MODERN,
    DeviceID: RNG,
    DeviceFeatures: 1,
    QueueNumMax: 8,
  });
}

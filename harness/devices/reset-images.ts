import { aossMessageRam } from './aoss-qmp.ts';
import { bamRegisters } from './bam.ts';
import { commandDatabase } from './cmd-db.ts';
import { corebootTable } from './coreboot.ts';
import { osmL3Registers } from './osm-l3.ts';
import { rpmhRscRegisters } from './rpmh-rsc.ts';
import { smemImage } from './smem.ts';
import { smmu500Registers } from './smmu500.ts';
import { virtioRngRegisters } from './virtio-mmio.ts';

/** What each device model holds at reset, by the name that a board's `registers` give. */
export const RESET_IMAGES: ReadonlyMap<string, () => Uint8Array> = new Map([
  ['aoss-qmp', aossMessageRam],
  ['bam', bamRegisters],
  ['cmd-db', commandDatabase],
  ['coreboot', corebootTable],
  ['osm-l3', osmL3Registers],
  ['rpmh-rsc', rpmhRscRegisters],
  ['smem', () => smemImage()],
  ['smmu500', smmu500Registers],
  ['virtio-rng', virtioRngRegisters],
]);

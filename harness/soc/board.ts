import { fileURLToPath } from 'node:url';
import { aossMessageRam } from '../devices/aoss-qmp.ts';
import { bamRegisters } from '../devices/bam.ts';
import { commandDatabase } from '../devices/cmd-db.ts';
import { rpmhRscRegisters } from '../devices/rpmh-rsc.ts';
import { smemImage } from '../devices/smem.ts';
import { smmu500Registers } from '../devices/smmu500.ts';
import type { BoardName } from '../model/cell.ts';

export interface RegisterFile {
  readonly name: string;
  readonly address: number;
  readonly bytes: Uint8Array;
}

/**
 * `small`: the firmware, the SMMU and its consumer, what most questions need. `full`: the drivers of docs/soc.md beside
 * them, which wait for each other; costs guest time in every boot.
 */
export interface Board {
  /** Compiled by the real dtc. */
  readonly source: string;
  /** RAM that stands in for register files and for what the boot loader leaves in memory, with what it holds at reset. */
  readonly registers: readonly RegisterFile[];
}

const SMALL: readonly RegisterFile[] = [{ name: 'smmu500', address: 0x5f00_0000, bytes: smmu500Registers() }];

/** Addresses as in dts/standin-full.dts; register files that start as zero need no image. */
const FULL: readonly RegisterFile[] = [
  ...SMALL,
  { name: 'smmu500-second', address: 0x5f10_0000, bytes: smmu500Registers() },
  { name: 'smem', address: 0x5d00_0000, bytes: smemImage() },
  { name: 'cmd-db', address: 0x5d10_0000, bytes: commandDatabase() },
  { name: 'aoss-qmp', address: 0x5e06_1000, bytes: aossMessageRam() },
  { name: 'rpmh-rsc', address: 0x5e0a_0000, bytes: rpmhRscRegisters() },
  { name: 'bam', address: 0x5e10_0000, bytes: bamRegisters() },
];

const source = (name: string) => fileURLToPath(new URL(`../../dts/${name}`, import.meta.url));

export const BOARDS: Readonly<Record<BoardName, Board>> = {
  small: { source: source('standin.dts'), registers: SMALL },
  full: { source: source('standin-full.dts'), registers: FULL },
};

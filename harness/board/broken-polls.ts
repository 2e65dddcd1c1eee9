import { type AddressRange, endOf, type NodeRegisters, registersOf } from '../devicetree/addresses.ts';
import type { DeviceTree } from '../devicetree/tree.ts';

/**
 * What the poll breaker of the firmware (firmware/breaker.c) did to a board's devices, and where it is to do nothing.
 */

/** A property of a node whose registers say what they hold, however often they are asked: for a cell's `tree` edits. */
const NEVER_BREAK = 'bootrace,never-break';

/** Registers that the poll breaker leaves alone because the tree says so. */
export function neverBroken(tree: DeviceTree): AddressRange[] {
  return registersOf(tree).flatMap(({ node, ranges }) => (node.properties.has(NEVER_BREAK) ? [...ranges] : []));
}

/** As breaker.c says it when a loop gets its first made-up value. */
const BROKEN = /^poll-broken (?:0x)?([0-9a-f]+) /gm;
const ADDRESSES_SHOWN = 3;

/** A sentence for each of `devices` whose polls were broken; names as of_device_make_bus_id() makes them. */
export function brokenPollNotes(
  log: string,
  registers: readonly NodeRegisters[],
  devices: ReadonlySet<string>,
): string[] {
  const named = registers.filter(({ path, enabled }) => enabled && devices.has(nameOf(path)));
  if (named.length === 0) return [];
  const polls = [...log.matchAll(BROKEN)].map(([, address = '']) => Number.parseInt(address, 16));
  return named.flatMap(({ path, ranges }) => {
    const own = polls.filter((at) => ranges.some((range) => at >= range.address && at < endOf(range)));
    if (own.length === 0) return [];
    const shown = [...new Set(own)].map((at) => `0x${at.toString(16)}`);
    const more = shown.length > ADDRESSES_SHOWN ? ', ...' : '';
    return [
      `${nameOf(path)} hangs on values that were made up: ${own.length} of its polls were broken ` +
        `(${shown.slice(0, ADDRESSES_SHOWN).join(', ')}${more}); ${NEVER_BREAK} on its node leaves them alone`,
    ];
  });
}

function nameOf(path: string): string {
  const [name = '', unit] = path.slice(path.lastIndexOf('/') + 1).split('@');
  return unit === undefined ? name : `${unit}.${name}`;
}

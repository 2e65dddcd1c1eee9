import type { DmesgEvent } from './events.ts';
import { NO_DRIVERS } from './spoken.ts';

/** device_link_add(), drivers/base/core.c: a link for sync_state() alone holds nothing back. */
const LINKED = /^(\S.{0,63}) (\S{1,128}): Linked as a consumer to (\S{1,128})$/;
const DROPPED = /^(\S.{0,63}) (\S{1,128}): Dropping the link to (\S{1,128})$/;
/**
 * set_supply(), drivers/regulator/core.c: a regulator is there, by its own name, once it supplies another, and that one
 * has all that its registration waits for.
 */
const SUPPLIED = /^(\S{1,64}): supplied by (\S{1,64})$/;
/** rproc_type_release(), drivers/remoteproc/remoteproc_core.c: of a probe that comes to nothing, or of a removal. */
const RELEASED = /^remoteproc \S{1,64}: releasing (\S{1,128})$/;
/** More than any machine has; of later ones it is not known who has asked for them. */
const MOST = 4096;

/** Links between devices, which the driver core makes for them, or a driver in its probe. */
export class Links {
  /** Those that a driver has asked for, by the line's words: DRIVER DEVICE SUPPLIER. */
  readonly #asked = new Set<string>();

  /** Another boot begins. */
  reset(): void {
    this.#asked.clear();
  }

  /** What a line says of a link between devices; null in any other line. */
  eventOf(text: string, at: { readonly line: number; readonly time: number | null }): DmesgEvent | null {
    const [, ...regulators] = SUPPLIED.exec(text) ?? [];
    if (regulators.length > 0) return { event: 'supplies', regulators, ...at };
    const [, released] = RELEASED.exec(text) ?? [];
    if (released !== undefined) return { event: 'probe-unwound', device: released, driver: null, ...at };
    if (!text.includes(' the link to ') && !text.includes(': Linked as ')) return null;
    const [, asker = '', consumer, supplier] = LINKED.exec(text) ?? [];
    if (consumer !== undefined && supplier !== undefined) {
      if (!NO_DRIVERS.has(asker) && this.#asked.size < MOST) this.#asked.add(`${asker} ${consumer} ${supplier}`);
      return { event: 'linked', consumer, supplier, ...at };
    }
    const [, driver, device, dropped] = DROPPED.exec(text) ?? [];
    if (driver === undefined || device === undefined || NO_DRIVERS.has(driver)) return null;
    // device_links_driver_bound() has no more use for some links of the core's own when a device is bound, whereas
    // what a driver has asked for ends with a probe that comes to nothing (device_links_no_driver()).
    const isUnwound = this.#asked.delete(`${driver} ${device} ${dropped}`);
    return { event: isUnwound ? 'probe-unwound' : 'bound', device, driver, ...at };
  }
}

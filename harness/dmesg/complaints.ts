import type { DmesgEvent } from './events.ts';
import { isOneAttempt } from './lives.ts';

/** What a driver said of a device that sounds like an error. */
export interface Complaint {
  readonly device: string;
  readonly driver: string | null;
  readonly words: string;
  readonly line: number;
}

/** More than any log needs; later ones are not kept. */
const MOST = 1000;

/** Of each device, what was said first in the last attempt to probe it; memory is bounded. */
export class Complaints {
  readonly #kept = new Map<
    string,
    Complaint & { readonly last: { readonly time: number | null; readonly line: number } }
  >();

  add({ device, driver, words, line, time }: Extract<DmesgEvent, { readonly event: 'complained' }>): void {
    const known = this.#kept.get(device);
    const last = { time, line };
    if (known !== undefined && isOneAttempt(known.last, last)) this.#kept.set(device, { ...known, last });
    else if (known !== undefined || this.#kept.size < MOST)
      this.#kept.set(device, { device, driver, words, line, last });
  }

  /** Another boot begins. */
  clear(): void {
    this.#kept.clear();
  }

  /** By device. */
  get all(): ReadonlyMap<string, Complaint> {
    return this.#kept;
  }
}

import type { DmesgEvent } from './events.ts';
import { isOneAttempt } from './lives.ts';
import { isOfGpio, OF_PINS, type Refused, reasonOfPin, refusedPin } from './pins.ts';

/** Who asked for a GPIO too early is told by what its driver says next. */
export class GpioRequests {
  #last: (Refused & { readonly time: number | null; readonly line: number }) | null = null;

  note(text: string, line: number, time: number | null): void {
    const refused = refusedPin(text);
    if (refused !== null) this.#last = isOfGpio(refused) ? { ...refused, line, time } : null;
  }

  /** The deferral that a driver's complaint about a GPIO is, right after the pin control core's. */
  deferralOf(said: Extract<DmesgEvent, { readonly event: 'complained' }>): DmesgEvent | null {
    const last = this.#last;
    const { device, driver, words, line, time } = said;
    if (last === null || device === last.controller || !OF_PINS.test(words) || !isOneAttempt(last, said)) return null;
    return { event: 'deferred', by: 'driver', reason: `${reasonOfPin(last)}: ${words}`, device, driver, line, time };
  }
}

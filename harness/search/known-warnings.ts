import type { Crash } from '../dmesg/events.ts';
import { crashVerdict } from '../verdict/judge.ts';
import { worstWithout } from './failures.ts';
import type { Outcome } from './outcome.ts';

/**
 * Warnings that no order is to blame for: those of the first boot, and of devices that nobody asked about. Each is told
 * once, and boots are judged without it from then on: a warning leaves the boot going, and hides nothing in it.
 */
export class KnownWarnings {
  readonly #devices: readonly string[];
  readonly #known = new Set<string>();

  /** `devices`: those that are searched; the same warning in the probe of one of them is another. */
  constructor(devices: readonly string[]) {
    this.#devices = devices;
  }

  /** Knows the warnings of `outcome` from now on, or those of one signature. */
  learn(outcome: Outcome, signature?: string): void {
    for (const event of outcome.events)
      if (isWarning(event) && (signature === undefined || event.signature === signature))
        this.#known.add(this.#keyOf(event));
  }

  /** The outcome as if the known ones had not been printed. */
  without(outcome: Outcome, watch: readonly string[]): Outcome {
    return worstWithout(outcome, watch, (crash) => isWarning(crash) && this.#known.has(this.#keyOf(crash)));
  }

  #keyOf({ signature, probing }: Crash): string {
    const device = probing !== null && this.#devices.includes(probing.device) ? probing.device : '';
    return `${signature}\n${device}`;
  }
}

function isWarning(event: Outcome['events'][number]): event is Crash {
  return event.event === 'crash' && !event.fatal && crashVerdict(event) === 'warning';
}

import { oneOf } from '../regex.ts';
import { PINS_OF_GPIOS, WANTS, type Want } from './why-kinds.ts';

/** What drivers say that they lack. */

/** phy_create(), drivers/phy/phy-core.c, gets the PHY's own supply: only that is deferred. */
const CREATES_PHY = /(?:create|register) (?:the )?phy/i;
/** What the device itself provides cannot be registered, whatever it lacks for that. */
const OWN = new RegExp(
  `\\b(?:add|adding|register(?:ing)?|create|creating)\\s+(?:the )?${oneOf(
    /(?:gpio|pin|irq|pwm|iommu)\S*/,
    /(?:regulators?|clocks?|resets?|mbox|mailbox|leds?|extcon|panel|bridge|backlight|nvmem|interconnect)\b/,
    /(?:i2c|spi|adapter|power[ _-](?:domain|supply)|genpd|thermal|hwspinlock|rproc|remoteproc|sub-?dev|retimer)\b/,
  )}`,
  'i',
);
/** gpiochip_add_data_with_key(), drivers/gpio/gpiolib.c: the same, said of it. */
const OWN_CHIP = /^GPIOs \d.* failed to register/;
/** The same, said by the chip's driver: what is deferred there is of_gpiochip_add_pin_range(), gpiolib-of.c. */
const OWN_GPIOS = /\b(?:add|adding|register(?:ing)?)\s+(?:the )?gpio[ _-]?(?:chip|controller)\b/i;
/** Names of resources are in quotes and details in brackets, and say nothing of their kind. */
const QUOTED = /'[^']{0,80}'|"[^"]{0,80}"|\([^()]{0,80}\)/g;
/** Paths of nodes: names in them are of what is asked, and say nothing of the kind either. */
const PATHS = /(?<=^|[\s(=])\/[\w.,@:+/-]{1,200}/g;

/** Words without the paths of nodes in them. */
export function withoutPaths(words: string): string {
  return words.replace(PATHS, '/');
}

/** What the driver's words mean: the last kind in them (`no phy clock`: a clock); null where they do not tell. */
export function wantOf(reason: string | null): Want | null {
  if (reason === null) return null;
  if (CREATES_PHY.test(reason)) return WANTS[0] ?? null;
  if (OWN_GPIOS.test(reason)) return PINS_OF_GPIOS;
  if (OWN.test(reason) || OWN_CHIP.test(reason)) return null;
  const words = withoutPaths(reason.replace(QUOTED, "''"));
  let last: { readonly want: Want; readonly at: number } | null = null;
  for (const want of WANTS) {
    const found = [...words.matchAll(want.words)].at(-1);
    if (found === undefined) continue;
    // Of two that end in one word the later in the list is the one of more words.
    const at = found.index + found[0].length;
    if (last === null || at >= last.at) last = { want, at };
  }
  return last?.want ?? null;
}

/** Properties that a driver's words speak of; null where they do not tell. */
export function propertiesWanted(reason: string | null): ((property: string) => boolean) | null {
  const patterns = WANTS.flatMap(({ words, property }) =>
    property !== null && reason !== null && reason.search(words) !== -1 ? [property] : [],
  );
  return patterns.length === 0 ? null : (property) => patterns.some((pattern) => pattern.test(property));
}

/** driver_deferred_probe_check_state(), drivers/base/dd.c: the time-out ends the wait for what such properties name. */
export function isEndedByTimeout(property: string): boolean {
  return WANTS.some(({ timesOut, property: own }) => timesOut === true && own?.test(property) === true);
}

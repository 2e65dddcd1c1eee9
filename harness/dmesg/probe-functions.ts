/** Functions of probes by whose names drivers speak without a device: `pr_info("%s: ...", __func__)`. */

/** Tags and a level may stand before the function, and its line after it: `ACME_INFO: acme_probe: 67 found`. */
const SPEAKS = /(?:^|[ :[(>])([a-z]\w{1,100}_probe)(?:\(\))?(?::\d{1,6})?(?:: |\])/;
/** Such a prefix is no longer. */
const PREFIX = 160;

/** The function of a probe that speaks in a line; null in any other line. */
export function probeFunctionIn(text: string): string | null {
  return text.includes('_probe') ? (SPEAKS.exec(text.slice(0, PREFIX))?.[1] ?? null) : null;
}

/** Names of drivers that are shorter may begin that of any function. */
const LEAST_DRIVER = 4;

/** Whether a function is the probe of a driver, by their names: `acme_i2c_probe` of `acme` or `acme-i2c`. */
export function isProbeOf(symbol: string, driver: string): boolean {
  const stem = driver.replaceAll('-', '_');
  return stem.length >= LEAST_DRIVER && symbol.startsWith(`${stem}_`);
}

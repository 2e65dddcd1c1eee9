/** Functions of probes by whose names drivers speak without a device: `pr_info("%s: ...", __func__)`. */

/** Tags and a level may stand before the function, and its line after it: `ACME_INFO: acme_probe: 67 found`. */
const SPEAKS = /(?:^|[ :[(>])([a-z]\w{1,100}_(?:probe|bind))(?:\(\))?(?::\d{1,6})?(?:: |\])/;
/** Such a prefix is no longer. */
const PREFIX = 160;

/** The function of a probe that speaks in a line; null in any other line. */
export function probeFunctionIn(text: string): string | null {
  return /_(?:probe|bind)/.test(text) ? (SPEAKS.exec(text.slice(0, PREFIX))?.[1] ?? null) : null;
}

/** What a probe says at its end. */
const ENDS = /\b(?:successful(?:ly)?|success|succeeded|done|completed?|finished)\b(?! to\b)/i;
const NO_END = /\b(?:not|un\w+|fail\w*|error|without|until|wait\w*|defer\w*)\b|(?<![\w.])-\d/i;

/** The function of a probe that speaks, and whether it says that the probe has succeeded; null in any other line. */
export function speakingProbe(text: string): { readonly symbol: string; readonly ends: boolean } | null {
  const symbol = probeFunctionIn(text);
  return symbol === null ? null : { symbol, ends: ENDS.test(text) && !NO_END.test(text) };
}

/** What the functions of one driver, or of a part of it, have in common: `acme_eye` of `acme_eye_dev_probe`. */
export function stemOf(symbol: string): string {
  return symbol.replace(/(?:_(?:dev|device|drv|driver|platform|plat|i2c|spi))?_(?:probe|bind)$/, '');
}

/** Some drivers are named as what they are compatible with: `acme,charger`. */
const OF_VENDOR = /^[a-z]+,/;
/** Names of drivers that are shorter may begin that of any function. */
const LEAST_DRIVER = 4;

/** Whether a function is the probe of a driver, by their names: `acme_i2c_probe` of `acme` or `acme-i2c`. */
export function isProbeOf(symbol: string, driver: string): boolean {
  const stem = driver.replace(OF_VENDOR, '').replaceAll('-', '_');
  return stem.length >= LEAST_DRIVER && symbol.startsWith(`${stem}_`);
}

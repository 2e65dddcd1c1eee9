/** What the pin control core says of pins that a device cannot have: drivers/pinctrl. */

/** pin_request(), pinmux.c, in both its wordings: who asked is a device, or for a GPIO the controller itself. */
const STATUS = /^(?:[\w.,-]{1,64} )?([\w.,@:-]{1,128}): (?:error -EPROBE_DEFER: )?pin-(\d{1,5}) \((\S{1,128})\)(.*)$/;
const IS_DEFERRED = / status -517$/;
/** What {@link reasonOfPin} makes of it. */
const REASON = /^pin \d{1,5} of (\S{1,128}) cannot be had yet/;
/** pinctrl_commit_state(), core.c: said of the device, after what the controller said. */
const NOT_APPLIED = 'Error applying setting, reverse things back';
const SAYS = /^([\w.,-]{1,64}) ([\w.,@:-]{1,128}): (\S.{0,300})$/;
/** Names of pin controllers and their drivers, and what drivers say of pins. */
export const OF_PINS = /pin|gpio|iomux|pmx/i;
/** The core's own words, which only repeat that the pin cannot be had. */
export const REPEATS = /^(?:error -\w{1,16}: )?(?:request\(\) failed for pin|pin-\d{1,5} \(|could not request pin)/;
/** pinconf_apply_setting(), pinconf.c: a pin cannot be set, for whatever error its controller has. */
const NOT_SET = /^pin_config_(?:group_)?set op failed for /;
/** How words begin that are the controller's, and not the driver's. */
export const OF_PIN_CONTROLLER = 'its pin controller';
const SAID = ' said: ';
/** Lines of the controller before what is said of the device. */
const BEFORE = 6;

export interface Refused {
  readonly controller: string;
  readonly pin: string;
  readonly owner: string;
}

/** The pin that somebody asked for too early. */
export function refusedPin(text: string): Refused | null {
  if (!text.includes('pin-')) return null;
  const [, controller, pin, owner, rest = ''] = STATUS.exec(text) ?? [];
  if (controller === undefined || pin === undefined || owner === undefined) return null;
  return IS_DEFERRED.test(rest) || text.includes(': error -EPROBE_DEFER: pin-') ? { controller, pin, owner } : null;
}

/** Whether a GPIO was asked for: then the controller, and not its user, is told as who has the pin. */
export function isOfGpio({ controller, owner }: Refused): boolean {
  return owner.includes(`${controller}:`);
}

/** The reason of the deferral of who asked for the pin. */
export function reasonOfPin({ controller, pin }: Refused): string {
  return `pin ${pin} of ${controller} cannot be had yet`;
}

/** The pin controller that a reason names which is {@link reasonOfPin}'s. */
export function controllerIn(reason: string | null): string | null {
  return REASON.exec(reason ?? '')?.[1] ?? null;
}

/** Whether a line may be what the core says of a device whose pins are not set. */
export function mayLackPins(line: string): boolean {
  return line.includes(NOT_APPLIED);
}

/** Whether that is all that is said: the controller's own words, before it, are not in the log. */
export function lacksPins(words: string): boolean {
  return words === NOT_APPLIED;
}

/**
 * Whether the pin controller refuses a device its pins, so that it is not probed: pinctrl_bind_pins(),
 * drivers/base/pinctrl.c, gives up for -EPROBE_DEFER and -EINVAL alone, and what a setting fails with is not said.
 */
export function refusesPins(words: string): boolean {
  const said = saidByPinController(words);
  return said !== null && !NOT_SET.test(said);
}

/** What {@link wordsOfPinController} quotes of the controller's own words; null where it does not. */
export function saidByPinController(words: string): string | null {
  const at = words.startsWith(OF_PIN_CONTROLLER) ? words.indexOf(SAID) : -1;
  return at === -1 ? null : words.slice(at + SAID.length);
}

/**
 * What the pin controller said for which a device's pins are not set; null where the device's driver speaks for itself.
 * @param texts the last records of the log, without prefixes
 */
export function wordsOfPinController(device: string, texts: readonly string[]): string | null {
  const at = texts.findLastIndex((text) => text.endsWith(`${device}: ${NOT_APPLIED}`));
  const before = texts.slice(Math.max(0, at - BEFORE), Math.max(0, at)).toReversed();
  let repeated: string | null = null;
  for (const text of before) {
    const [, driver = '', controller = '', words = ''] = SAYS.exec(text) ?? [];
    if (controller === '' || controller === device || !OF_PINS.test(`${driver} ${controller}`)) break;
    // Of a pin that somebody else has, the core has the whole sentence.
    if (words.includes('; cannot claim for ')) return words.endsWith(` ${device}`) ? words : repeated;
    const said = `${OF_PIN_CONTROLLER} ${controller}${SAID}${words}`;
    if (!REPEATS.test(words)) return said;
    repeated ??= said;
  }
  return repeated;
}

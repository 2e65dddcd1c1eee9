import { oneOf } from '../regex.ts';
import type { DmesgEvent } from './events.ts';
import { deviceOfPath } from './node-names.ts';
import { REPEATS } from './pins.ts';
import type { LogRecord } from './prefix.ts';

/** Words with which drivers tell an error, besides its number. */
const AN_ERROR = new RegExp(
  oneOf(
    // Neither `error-flag-offset` nor `allow_mismatched_32bit`, which are names, nor what looks after errors.
    /fail|error(?![-_][a-z]+[-_]| (?:monitor|handl|detection|correction|counter)|[:=] ?0\b)|could ?n[o']t|cannot|can't/,
    /unable|timed out|time-?out(?![=:]? ?[\d@])|invalid(?!at)/,
    /missing|mismatch(?!\w*_)|refused|denied|unsupported|(?<!\w)bad (?:magic|checksum|crc|header|version)/,
    /not (?:found|available|supported|present|specified|detected)|(?<![\w.])-\d{1,3}\b/,
    /unrecogni[sz]ed|(?<!\w)wrong\b|incorrect|(?<!\w)no support\b|\brequest \S+ returned status\b/,
    /(?:unknown|unexpected) (?:\w{1,16} )?(?:chip|id|version|revision|hardware|model)\b/,
    /(?<!\w)no .{1,40}(?:configured|specified|provided|running|detected|responding|loaded|found|entries|defined)/,
  ),
  'i',
);
/** Something was tried and came to nothing; other words of {@link AN_ERROR} may be of what is not there. */
const FAILS =
  /fail|error|could ?n[o']t|cannot|can't|unable|timed out|refused|mismatch|wrong\b|(?<!node )(?<![\w.])-\d{1,3}\b/i;
/** What the driver core says of a device, which is not its driver's. */
const CORE = oneOf(
  /probe (?:with driver|of|deferral|\.{2,3}|\u2026)|[Dd]river \S+(?: (?:requests|force|async)|$)|deferred probe/,
  /Added to deferred|Retrying from|Extended deferred probe timeout|initcall \S{1,200} returned /,
  /(?:bus|driver): '|error -(?:EPROBE_DEFER|517): (?:wait for )?supplier|Linked as|Dropping the/,
);
export const OF_CORE = new RegExp(`^${CORE}`);
export const CORE_SAYS = new RegExp(`^(?:\\S{1,64} )?\\S{1,128}: ${CORE}`);
/** Classes of which drivers that work make devices. */
const CLASSES: ReadonlySet<string> = new Set([
  ...[
    'backlight',
    'block',
    'devfreq',
    'extcon',
    'hwmon',
    'ieee80211',
    'input',
    'leds',
    'media',
    'mmc_host',
    'rfkill',
    'rtc',
    'thermal',
  ],
  ...['typec', 'udc', 'video4linux', 'watchdog'],
]);
/**
 * What stands in a driver's place before a driver is on the device: its bus or class (dev_driver_string(),
 * drivers/base/core.c).
 */
export const NO_DRIVERS: ReadonlySet<string> = new Set([
  ...[
    'acpi',
    'amba',
    'apr',
    'auxiliary',
    'bluetooth',
    'cpu',
    'gpio',
    'i2c',
    'mdio_bus',
    'mmc',
    'net',
    'pci',
    'platform',
  ],
  ...[
    'power_supply',
    'remoteproc',
    'scmi',
    'scsi',
    'sdio',
    'serial',
    'slimbus',
    'soundwire',
    'spi',
    'spmi',
    'tty',
    'usb',
  ],
  ...CLASSES,
]);
/** What a driver does without: regulator_get() of an absent supply, for one. */
const NO_MATTER = new RegExp(
  oneOf(
    /us(?:e|ing) (?:dummy|default|fixed|internal|identity)|, using \S|default(?:s|ing)? to\b|continu(?:e|ing) without/,
    // Of the wireless regulatory database a made-up device is named, and wireless works without; a display that is not
    // connected has nothing to be shown on (drm_setup_crtcs_fb(), drivers/gpu/drm/drm_fb_helper.c).
    /regulatory\.db|Cannot find any crtc|detect cache hierarchy/,
    /assuming enabled|fall(?:ing)? ?back|ignored?(?: it)?\b|no hogs|may ?be no use/,
    // Of what is there, another error than -ENOENT or -ENODEV matters.
    /optional(?!.*(?<![\w.])-(?!2\b|19\b)\d{1,3}\b)/,
    // gpiod_set_transitory(), drivers/gpio/gpiolib.c, and drivers of I2C adapters.
    /Persistence not supported|bus recovery not supported/,
    /error (?:monitoring|handling|correction|detection|logging|reporting)\b/,
    // module_sig_check(), kernel/module, and console_on_rootfs(), init/main.c.
    /tainting kernel|unable to open an initial console/,
    // gpiod_find(), drivers/gpio/gpiolib.c, and of_get_named_gpiod_flags(), gpiolib-of.c, look for all names.
    /No GPIO consumer \S|can't parse '[^']{1,64}-gpios?' property/,
    // primary_entry of the GUID partition table, block/partitions/efi.c.
    /Use GNU Parted/,
    /property not specified|[Ll]ooking up \S{1,64} property|(?:choosing|using|assign\w*|generat\w*) (?:a )?random/,
  ),
  'i',
);
/** The driver goes on without what it has just called an error. */
const GOES_ON = new RegExp(
  oneOf(
    /(?:continu|work)(?:e|ing)? (?:without|anyway)|continu(?:e|ing) with|\bcontinues\.?$|fall(?:ing)?[ -]?back to/,
    /assuming \S{1,64} is not (?:required|needed)|\b(?:use|using) pio\b|\bipc[ _]?log/,
  ),
  'i',
);
/** What is not done, or is of later or of others. */
const NOT_OF_LATER = String.raw`(?!.*\b(?:not|be|being|until|once|when|if|wait\w*|devices)\b)`;
/** A driver says at the end of its probe that it has succeeded; many a one begins with the name of its function. */
const PROBED = new RegExp(
  oneOf(
    /^probed\b|^(?:\w+_)?probe(?:\(\))?:? (?:succe|ok\b|done\b|complete|finished)/,
    new RegExp(String.raw`^${NOT_OF_LATER}\w+_probe(?:\(\))?:? .*\bregistered$`),
    /\b(?:successfully probed|probed successfully)/,
  ),
  'i',
);
const REGISTERED = oneOf(
  /.*\bregistered(?: (?:as|with|at|on|in|to|for)\b|[.!]?$)/,
  /registered (?:[a-z]|\d{1,4} (?!of\b)[a-z])/,
);
/**
 * Of what a driver registers, or has registered with, which it does when its probe is as good as over: an adapter, a
 * sound card (snd_soc_bind_card(), asoc_simple_card's `mapping ok` before 5.6), a network link.
 */
const AT_WORK = new RegExp(
  oneOf(
    new RegExp(`^${NOT_OF_LATER}${REGISTERED}`),
    /^(?!not|never|no\b|un|is|was|has|are|be)\S{1,32} probed[.!]?$/,
    /^Link is up\b| <-> \S+ mapping ok$|^(?:\S+ ){0,2}initiali[sz]ed successfully/,
    // pci_register_host_bridge(), drivers/pci/probe.c, and usb_register_bus(), drivers/usb/core/hcd.c.
    /^PCI host bridge to bus \d|^new USB bus registered\b/,
  ),
  'i',
);
/** platform_get_irq() and platform_get_irq_byname(), drivers/base/platform.c: many a driver does without. */
export const NO_IRQ = /^(?:error -\w{1,16}: )?IRQ (?:index \d{1,4}|\S{1,64}) not found$/;
/**
 * What many a driver asks for and does without; it counts where nothing else is said: platform_get_irq() and
 * platform_get_irq_byname(), and regulator_get_optional(), which alone returns -ENODEV (drivers/regulator/core.c).
 */
const LITTLE = new RegExp(
  oneOf(
    /^(?:error -\w{1,16}: )?IRQ (?:index [1-9]\d{0,3}|\S{1,64}) not found$/,
    /^error -(?:ENODEV|19): .{0,200}\bregulator\b/,
  ),
);
/** Said of an earlier attempt, whatever came of it. */
export const DEFERS = /-517\b|\b4294966779\b|EPROBE_DEFER|[Dd]efer/;
/** pin_request(), drivers/pinctrl/pinmux.c: both devices ask for the pin. */
const TAKEN_PIN = /((?:pin \S{1,64} )?already requested by \S{1,128}; cannot claim for (\S{1,128}))/;
export const MOST = 300;

/** Before what drivers/of says of a node. */
export const OF_TREE = 'OF: /';
/** Names of devices are no longer; nor do more prefixes with a colon stand before a driver's words. */
const LONGEST = 128;
const COLONS = 4;

/** After a device's name, that of its network interface, which has been registered by then: netdev_printk(). */
const INTERFACE = String.raw` (?:eth|end|en[opsx]|lan|wan|wlan|wl[opsx]|wwan|swp|can|usb)\d\w{0,12}`;
const ENDS_WITH_INTERFACE = new RegExp(`${INTERFACE}$`);
const SAYS_INTERFACE = new RegExp(`${INTERFACE}(?=: )`);

/**
 * mmc_add_card(), sdhci_add_host(), input_register_device(), announce_device() of usbcore, component_bind() and
 * drm_dev_register() tell of something that a driver is bound to, or that its driver has made.
 */
const STIRS = new RegExp(
  `^${oneOf(
    /mmc\d{1,3}: (?:new |SDHCI controller on )|input: .{1,200} as \/devices\/|\[drm\] Initialized /,
    /usb \d{1,3}-[\d.]{1,32}: new \S{1,32}-speed |[\w.-]{1,64} [\w.:-]{1,128}: bound \S{1,128} \(ops /,
  )}`,
);

/** Whether a line shows that something is bound, after which all that is deferred is tried again. */
export function stirs(text: string): boolean {
  return STIRS.test(text);
}

/**
 * Of uart_report_port(), sdhci_add_host(), input_register_device(), drm_dev_register(), rproc_add() and
 * gpiochip_add_data() (its warning since 5.19): said when the device that is named has nearly all of its probe behind
 * it, or of what it has made.
 */
const ANNOUNCES: readonly RegExp[] = [
  /^(\S{1,128}): tty\w+ at (?:MMIO|I\/O) .+ is an? \S/,
  /^mmc\d+: SDHCI controller on \S+ \[(\S{1,128})\] using /,
  // mmc_add_card(), drivers/mmc/core/bus.c.
  /^(mmc\d{1,3}): new .{1,64} card at address [0-9a-f]{1,8}$/,
  /^input: .{1,128} as \/devices\/\S*\/(\S{1,128})\/input\/input\d+$/,
  // snd_jack_dev_register(), sound/core/jack.c: a jack of a sound card.
  /^input: .{1,128} as \/devices\/(?:\S*\/)?(\S{1,128})\/sound\/card\d+\/input\d+$/,
  /^\[drm\] Initialized \S+ .{0,64}for (\S{1,128}) on minor \d/,
  /^remoteproc \S+: (\S{1,128}) is available$/,
  /^gpio gpiochip\d+: \((\S{1,128})\): not an immutable chip/,
  // phy_attached_print() and phylink, drivers/net/phy: the MDIO bus that a PHY is on has its device's name as a rule.
  /: PHY \[(\S{1,128}):[0-9a-f]{2}\] driver \[/,
  /^\S.{0,64} (\S{1,128}):[0-9a-f]{2}: attached PHY driver/,
  // phy_create(), drivers/phy/phy-core.c, names a PHY after its device.
  /^phy phy-(\S{1,128})\.\d{1,3}: \S/,
  // rproc_start() and print_constraints() (drivers/regulator/core.c): what is named works.
  /^remoteproc \S{1,64}: remote processor (\S{1,128}) is now up$/,
  /^([\w.+-]{1,64}): .{0,64}\bmV\b.{0,64}, enabled$/,
];
/** A word of each, which spares most lines the rest. */
const MAY_ANNOUNCE =
  /: tty|SDHCI|^input|nitialized|available$|immutable|PHY (?:\[|driver)|^phy phy-|card at address|now up$|enabled$/;

/** The device that a subsystem speaks of as of one whose probe has as good as succeeded; null in any other line. */
export function announcedIn(text: string): string | null {
  if (!MAY_ANNOUNCE.test(text)) return null;
  for (const pattern of ANNOUNCES) {
    const device = pattern.exec(text)?.[1];
    if (device !== undefined) return device;
  }
  return null;
}

/** What is said of a device at work, by its driver's name. */
const IS_AT_WORK = /\b(?:loaded|registered|initiali[sz]ed|probed|ready|enabled|attached)\b/i;
/** A driver without a device is registered, too. */
const OF_DRIVERS = /driver|module|firmware|\.(?:bin|fw|ko)\b|\bnot\b|\bno\b/i;
/** Shorter names may be words of a sentence. */
const LEAST_NAME = 6;

/** The one of `drivers`, each with its only device, that a line says is at work; null in any other line. */
export function atWorkIn(text: string, drivers: ReadonlyMap<string, string | null>): string | null {
  if (!IS_AT_WORK.test(text) || OF_DRIVERS.test(text) || SAYS.exec(text)?.[1] !== undefined || AN_ERROR.test(text))
    return null;
  for (const word of text.split(/[\s:,()[\]]+/)) {
    const device = word.length >= LEAST_NAME && /[-_\d]/.test(word) ? drivers.get(word) : undefined;
    if (device !== undefined && device !== null) return device;
  }
  return null;
}

/** A function of a probe that says its end, without a device. */
const ENDS_PROBE = /^(\w{1,100}_probe)(?:\(\))?:? (?:done|ok|success|completed?|finished)\b/i;

/** The function that speaks of the end of its probe; null in any other line. */
export function endedProbeIn(text: string): string | null {
  return text.includes('_probe') ? (ENDS_PROBE.exec(text)?.[1] ?? null) : null;
}

/** Whether the words say that the driver goes on without what it lacks. */
export function goesOn(words: string): boolean {
  return GOES_ON.test(words);
}

/** Whether a driver says that its probe has succeeded. */
export function saysProbed(words: string): boolean {
  return PROBED.test(words);
}

/** phy_attached_print(), drivers/net/phy: the PHY and its driver. */
const PHY_OF = /: PHY \[(\S{1,128})\] driver \[([^\]]{1,64})\]/;

/** A network device's PHY, which is bound, and its driver; null in any other line. */
export function boundIn(text: string): { readonly device: string; readonly driver: string } | null {
  const [, device, driver] = text.includes(': PHY [') ? (PHY_OF.exec(text) ?? []) : [];
  return device === undefined || driver === undefined ? null : { device, driver };
}

/** The one of `devices` that a line is about by its prefix, `DRIVER DEVICE: words` of dev_printk(). */
export function spokenOf(line: string, devices: ReadonlySet<string>): string | null {
  let from = 0;
  for (let n = 0; n < COLONS; n++) {
    const end = line.indexOf(': ', from);
    if (end === -1) return null;
    const prefix = line.slice(Math.max(0, end - LONGEST), end).replace(ENDS_WITH_INTERFACE, '');
    const device = prefix.slice(prefix.lastIndexOf(' ') + 1);
    if (devices.has(device)) return device;
    from = end + 2;
  }
  return null;
}

interface GoodWords {
  readonly driver: string;
  readonly words: string;
  readonly atWork?: true;
  readonly ofInterface?: true;
}

/** Whether a line is of a network device's interface. */
export function isOfInterface(text: string): boolean {
  return SAYS_INTERFACE.test(text);
}

/** What a driver says of a device as of one that works; null for an error, and for what the driver core says. */
export function goodWords(device: string, text: string): GoodWords | null {
  const said = text.replace(SAYS_INTERFACE, '');
  const at = said.indexOf(` ${device}: `);
  const driver = said.slice(0, Math.max(at, 0));
  const words = said.slice(at + device.length + 3).slice(0, MOST);
  // Without a driver it is the bus that speaks.
  if (at <= 0 || !/^[\w.,-]{1,64}$/.test(driver) || NO_DRIVERS.has(driver)) return null;
  if (GOES_ON.test(words)) return { driver, words };
  if (OF_CORE.test(words) || NO_MATTER.test(words) || DEFERS.test(words) || AN_ERROR.test(words)) return null;
  if (said !== text) return { driver, words, atWork: true, ofInterface: true };
  return AT_WORK.test(words) ? { driver, words, atWork: true } : { driver, words };
}

/** A device's name that a person left out. */
const LEFT_OUT = /^(?:\.{2,}|\u2026)$/;

/** The device that a driver spoke of last, for one whose name was left out; the name where there is none. */
export function lastOf(driver: string | null, device: string, texts: readonly string[]): string {
  if (driver === null || !LEFT_OUT.test(device)) return device;
  const own = texts.flatMap((text) => {
    const [, speaker, name = ''] = SAYS.exec(text) ?? [];
    return speaker === driver && !LEFT_OUT.test(name) ? [name] : [];
  });
  return own.at(-1) ?? driver;
}

/** Whether a record may be the words of a driver: {@link wordsOf} finds none in any other. */
export function maySpeak(text: string): boolean {
  return !CORE_SAYS.test(text) || TAKEN_PIN.test(text);
}

/**
 * What the driver of `device` said of its last attempt, as the error that it then returned: the first and the last, as
 * either may be the one that tells; nothing where it said nothing that sounds like one.
 * @param texts the last records of the log, without prefixes
 * @param driver where it is known: what user space prints may stand before its name, in the same line
 */
export function wordsOf(device: string, texts: readonly string[], driver: string | null = null): string[] {
  let said: string[] = [];
  for (const text of texts) {
    const ofTree = treeFault(device, text);
    if (ofTree !== null) said = [ofTree];
    // The pin controller speaks of the device, and the driver only of what follows from that.
    const pin = TAKEN_PIN.exec(text);
    if (pin?.[1] !== undefined && pin[2] === device) return [pin[1]];
    const isAtOnce = text.startsWith(`${device}: `);
    const at = isAtOnce ? 0 : text.indexOf(` ${device}: `) + 1;
    // `DRIVER DEVICE: words` of dev_printk(): one word before the device.
    const before = text.slice(0, at).trimEnd();
    if ((at === 0 && !isAtOnce) || (before.includes(' ') && !before.endsWith(` ${driver}`))) continue;
    const words = text
      .slice(at + device.length + 2)
      .trimStart()
      .slice(0, MOST);
    if (OF_CORE.test(words) || NO_MATTER.test(words)) continue;
    if (DEFERS.test(words)) said = [];
    else if (AN_ERROR.test(words)) said = bothEnds(said, words);
  }
  return said;
}

/** A node with a unit address. */
const NODE_PATH = /\/(?:[\w.,@+-]{1,64}\/){0,15}[\w,.+-]{1,64}@[0-9a-f]{3,16}/;

/**
 * What is said of an error in the node of `device` without a name before it (mtk_clk_register_gates(),
 * drivers/clk/mediatek/clk-gate.c, for one); null of anything else.
 */
export function wordsOfNode(device: string, text: string): string | null {
  const path = text.includes('@') ? NODE_PATH.exec(text)?.[0] : undefined;
  if (path === undefined || deviceOfPath(path) !== device) return null;
  const isError = AN_ERROR.test(text) && !DEFERS.test(text);
  return isError && !text.startsWith(OF_TREE) && !SAYS.test(text) ? text.slice(0, MOST) : null;
}

/** of_phandle_iterator_next() and others, drivers/of/base.c: of a node, and not of its device. */
const TREE_FAULT = /^OF: (\/\S{1,200}): (could not (?:get|find) \S.{0,200}|\S.{0,120} (?:needs|=) \d+,? found \d+)$/;

/** What is wrong with the references in the node of `device`. */
function treeFault(device: string, text: string): string | null {
  const [, path = '', words = ''] = text.startsWith(OF_TREE) ? (TREE_FAULT.exec(text) ?? []) : [];
  const node = path.slice(path.lastIndexOf('/') + 1);
  const isIts = node === device || device.endsWith(`:${node}`) || deviceOfPath(path) === device;
  return words !== '' && isIts ? `its node ${path}: ${words}` : null;
}

/** The first and the last of what was said, as either may be the one that tells. */
export function bothEnds(said: readonly string[], words: string): string[] {
  const first = said.find(tells);
  if (first === undefined) return [words];
  return words.startsWith(first) || !tells(words) ? [...said] : [first, words];
}

function tells(words: string): boolean {
  return !LITTLE.test(words) && !REPEATS.test(words) && !DEFERS.test(words);
}

/** dev_printk(): a driver or a bus, a device and the words; without the first two it is a subsystem that speaks. */
export const SAYS = /^(?:([\w.,-]{1,64}) )?([\w.,@:-]{1,128}): (\S.{0,300})/;
/** The same, where the driver's name has blanks. */
const SAYS_OF_WORDS = /^([\w.,()-]{1,32}(?: [\w.,()-]{1,32}){1,5}) ([\w,-]+[.@:][\w.,@:-]{1,128}): (\S.{0,300})/;
/** The same with the name of a network interface after the device's, which is said of the device, too. */
const OF_INTERFACE = new RegExp(`^([\\w.,-]{1,64} [\\w.,@:-]{1,128})${INTERFACE}(?=: )`);

/** What is said of a network interface as of its device. */
export function withoutInterface(text: string): string {
  return text.replace(OF_INTERFACE, '$1');
}

const BY_NODE = /^[\w-]{1,64}@[0-9a-f]{6,16}$/;

/** In a line without a stamp, anything may stand before a colon: only what looks like a driver or a device counts. */
export const IS_DEVICE = /^[\w,-]+[.@:-][\w.,@:-]+$/;
const IS_SUBSYSTEM = /^ASoC$/;
const IS_DRIVER = /^[a-z][a-z0-9]*[-_][\w-]+$/;

/** What a driver of such a name says; a sentence of an error that names a device is none. */
function ofWords(text: string): RegExpExecArray | null {
  const said = SAYS_OF_WORDS.exec(text);
  return said?.[1] === undefined || AN_ERROR.test(said[1]) ? null : said;
}

/** The device that a driver speaks of, whatever it says. */
export function speakerOf({ text, time, kernel }: LogRecord): string | null {
  const [, driver, device] = SAYS.exec(withoutInterface(text)) ?? [];
  if (driver === undefined || device === undefined) return null;
  return time !== null || kernel || IS_DEVICE.test(device) ? device : null;
}

/** Whether words are of what the driver may do without: an interrupt, an optional regulator. */
export function isLittle(words: string): boolean {
  return LITTLE.test(words);
}

/** Whether words are a driver's own, and not of what it does without. */
export function soundsBad(words: string): boolean {
  return (
    !OF_CORE.test(words) &&
    !NO_MATTER.test(words) &&
    !GOES_ON.test(words) &&
    (AN_ERROR.test(words) || DEFERS.test(words))
  );
}

/** What stands in a driver's place for a function's words, which stands in the device's. */
export const DRM = 'drm';
/** drm_err() without a device, include/drm/drm_print.h: the function that speaks, and its words. */
const DRM_SAYS = /^\[drm:(\w{1,128})(?: \[\w{1,64}\])?\] (?:\*ERROR\*|ERROR) (.{1,300})$/;

/** What vendors' drivers put before words that are of no error. */
const OF_INFORMATION = /(?:^|_)(?:INFO?|DBG|DEBUG|NOTICE|VERBOSE)$/;

/** netdev_printk(), net/core/dev.c, of an interface that its driver has not registered yet. */
const UNNAMED = / \(unnamed net_device\) \(uninitialized\)(?=: )/;

/**
 * What a driver says of a device that sounds like an error. It may be the only trace of a probe that came to nothing:
 * call_driver_probe(), drivers/base/dd.c, is silent about -ENODEV and -ENXIO.
 */
export function complaintIn(
  { text, time, kernel }: LogRecord,
  line: number,
): Extract<DmesgEvent, { readonly event: 'complained' }> | null {
  const [, symbol, said] = DRM_SAYS.exec(text) ?? [];
  // Of a function whose device is not told it may be all that is known.
  if (symbol !== undefined && said !== undefined && soundsBad(said))
    return { event: 'complained', device: symbol, driver: DRM, words: said, line, time };
  const [, driver = null, device, words] = SAYS.exec(text.replace(UNNAMED, '')) ?? ofWords(text) ?? [];
  if (device === undefined || words === undefined || !soundsBad(words)) return null;
  if (driver === null && OF_INFORMATION.test(device)) return null;
  // Without a driver the words are a subsystem's, or a trace's.
  if (driver === null && (!AN_ERROR.test(words) || /^CPU\d+$/.test(device))) return null;
  // Of a class' device no driver is deferred.
  if (driver !== null && CLASSES.has(driver) && DEFERS.test(words)) return null;
  // udc_bind_to_driver() and usb_gadget_probe_driver(), drivers/usb/gadget/udc/core.c: the controller is there.
  if (driver !== null && words.startsWith(`failed to start ${driver}:`)) return null;
  // Boot loaders name devices by their nodes, the kernel by the address first (of_device_make_bus_id()).
  if (BY_NODE.test(device)) return null;
  // kobject_synth_uevent(), lib/kobject_uevent.c: what the words are of is a device that is there, by its path.
  if (words.startsWith('/devices/')) return null;
  // What only is not there is worth a word where it is a node's.
  if (driver === null && /^[A-Za-z]+$/.test(device) && !FAILS.test(words) && !/@[0-9a-f]/.test(words)) return null;
  const isSure = driver === null ? IS_SUBSYSTEM.test(device) : IS_DEVICE.test(device) || IS_DRIVER.test(driver);
  if (time === null && !kernel && !isSure) return null;
  return { event: 'complained', device, driver, words: words.slice(0, MOST), line, time };
}

/** What a function that binds a part to its whole said, by its name, without that of the part. */
export function wordsOfBind(text: string): string | null {
  const [, symbol = '', words = null] = DRM_SAYS.exec(text) ?? [];
  return symbol.endsWith('_bind') ? words : null;
}

/** A name that stands in a device's place and is that of a function, with what it does. */
const A_FUNCTION = new RegExp(
  `^[a-z][a-z0-9]*_\\w{0,100}?${oneOf(
    /(?:probe|init|bind|attach|register|request|create|setup|start|enable|parse|read|write|find|get|set|load|add)/,
    /(?:alloc|config)/,
  )}(?:_\\w+)?$`,
);

/** Whether what stands in a device's place is a function. */
export function isFunction(name: string): boolean {
  return A_FUNCTION.test(name);
}

/** `pr_err("%s: ...", __func__)`: a function, and its words. */
const FUNCTION_SAYS = /^([a-z]\w{1,127}): (\S.{0,300})$/;
/** Shorter names of drivers may begin any function's. */
const LEAST_DRIVER = 5;

/**
 * What a driver said in functions that begin with its name, as the error that a probe then returned: the first and the
 * last. No device is named there.
 * @param texts the last records of the log, without prefixes
 */
export function wordsOfFunctions(driver: string, texts: readonly string[]): string[] {
  const begin = `${driver.replaceAll('-', '_')}_`;
  if (begin.length <= LEAST_DRIVER) return [];
  let said: string[] = [];
  for (const text of texts) {
    const [, symbol = '', words = ''] = FUNCTION_SAYS.exec(text) ?? [];
    if (!symbol.startsWith(begin) || !soundsBad(words)) continue;
    said = DEFERS.test(words) ? [] : bothEnds(said, words);
  }
  return said;
}

/** `pr_fmt()`: a name before the words, of a driver or of its device's kind. */
const NAMED = /^([A-Za-z][\w-]{1,63}): {1,4}(\S.{0,300})$/;

/**
 * What follows a prefix that is the driver's name, or the beginning of it (`acme: ` of acme-i2c), or goes on after it,
 * as its functions do, with `-` or `_`; null for any other record.
 */
export function wordsAfterName(driver: string, text: string): string | null {
  const [, prefix = '', words = null] = NAMED.exec(text) ?? [];
  const [own = '', said = ''] = [driver, prefix].map((name) => name.toLowerCase().replaceAll('-', '_'));
  if (own === said) return words;
  const isIts = (said.length >= LEAST_DRIVER && own.startsWith(`${said}_`)) || said.startsWith(`${own}_`);
  return isIts && own.length >= LEAST_DRIVER ? words : null;
}

/**
 * What a driver says of `device` in the line before its probe fails, whatever it is: a state that it does not like need
 * not sound like an error; null where that is of what works.
 */
export function lastWordsOf(device: string, text: string): string | null {
  const [, driver, name, words = ''] = SAYS.exec(text) ?? [];
  if (driver === undefined || name !== device || NO_DRIVERS.has(driver)) return null;
  const isOfWork = AT_WORK.test(words) || saysProbed(words) || NO_MATTER.test(words) || DEFERS.test(words);
  return isOfWork || OF_CORE.test(words) ? null : words.slice(0, MOST);
}

/** What a driver says that has asked for something too early. */
const TOO_EARLY = /\bnot (?:yet )?(?:ready|registered|initiali[sz]ed|probed)\b/;

/**
 * What a driver said without the name of a device: in a function of its name, after its own name (pr_fmt()), or in a
 * line that tells a deferral or what came too early for it; null for any other record.
 */
export function wordsOfDriver(driver: string, text: string): string | null {
  const [, symbol = '', words = null] = DRM_SAYS.exec(text) ?? [];
  if (symbol.startsWith(driver.replaceAll('-', '_'))) return words;
  const own = wordsAfterName(driver, text);
  if (own !== null) return soundsBad(own) ? own.slice(0, MOST) : null;
  const isOfDevice = SAYS.exec(text)?.[1] !== undefined;
  const defers = DEFERS.test(text) || TOO_EARLY.test(text);
  return !isOfDevice && defers && !OF_CORE.test(text) && !CORE_SAYS.test(text) ? text.slice(0, MOST) : null;
}

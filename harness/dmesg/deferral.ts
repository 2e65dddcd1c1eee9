import { oneOf } from '../regex.ts';
import type { DmesgEvent } from './events.ts';
import { deviceOfPath } from './node-names.ts';
import { isOfGpio, reasonOfPin, refusedPin } from './pins.ts';
import { goesOn, NO_DRIVERS, soundsBad, withoutInterface } from './spoken.ts';

/**
 * Deferral as drivers, CI systems and people tell it, besides the driver core's own messages (drivercore.ts): error
 * numbers in drivers' messages, entries of devices_deferred, suppliers that wait in sync_state(), cycles, remote
 * processors.
 */

interface At {
  readonly line: number;
  readonly time: number | null;
}

/** `DRIVER DEVICE: rest`, the prefix of dev_printk(). */
const DEV = String.raw`([\w.,@:/-]{1,128}): `;
const DRIVER_DEV = String.raw`([\w.,-]{1,64}) ${DEV}`;
/** Where user space prints at the same time, after its words. */
const SYNC_PENDING = new RegExp(`(?:^|\\s)(?:([\\w.,-]{1,64}) )?${DEV}sync_state\\(\\) pending due to (\\S{1,128})`);
const SYNC_FORCED = new RegExp(`^(?:([\\w.,-]{1,64}) )?${DEV}Timed out\\. Forcing sync_state\\(\\)`);
/** dev_err_probe(), drivers/base/core.c. */
const ERR_PROBE = new RegExp(`^(?:([\\w.,-]{1,64}) )?${DEV}error -(?:EPROBE_DEFER|517): (.{1,300})`);
/** EPROBE_DEFER is 517, or printed as unsigned 2^32 - 517; a driver that prints it says why it came to nothing. */
const DEFERS_WORDS = oneOf(
  /-517\b|\b4294966779\b|\bEPROBE_DEFER\b/,
  /[dD]efer(?:r?ing)? (?:\w{1,16} ){0,4}prob(?:e|ing)\b|[dD]eferred probing/,
  /[pP]rob(?:e|ing) (?:is |was |has been )?deferred|[,;:] defer(?:red|ring)?[.!]?$/,
  /\b[iI]niti?(?:ali[sz]ation)? (?:is |was )?[dD]eferred\b/,
  /\bnot (?:yet )?(?:ready|probed|bound|registered)(?: yet)?[,;:.]? (?:re-?try|try (?:again|later))(?: later)?[.!]?$/,
  /\bdeferring (?:for|until|till|while|as|since|due)\b/,
  // dsi_get_phy(), drivers/gpu/drm/msm/dsi/dsi.c.
  /\bdriver is not ready$/,
);
const ANY_DEFERS = new RegExp(DEFERS_WORDS);
/** Longest part of a line that is looked at: of some logs all is pasted into one. */
const LOOKED_AT = 2000;

/** Whether words say of whatever it is that its probe was deferred. */
export function speaksOfDeferral(text: string): boolean {
  return ANY_DEFERS.test(text.slice(0, LOOKED_AT));
}

const DEFERS = `.{0,300}?${DEFERS_WORDS}.{0,200}`;
const SAYS_DEFER = new RegExp(`^${DRIVER_DEV}(${DEFERS})$`);
const SAYS_DEFER_DEVICE = new RegExp(String.raw`^()([\w,-]{1,64}[.@:][\w.,@:-]{1,64}|\d-00[0-9a-f]{2}): (${DEFERS})$`);
/** Thermal zones are devices of a class, which no driver is bound to (thermal_zone_device_update()). */
const CLASS = 'thermal';
/** What a subsystem prints of a node, `%pOF`: of_clk_bulk_get(), drivers/clk/clk-bulk.c, for one. */
const SAYS_DEFER_NODE = new RegExp(
  String.raw`^(/(?:[\w.,@+-]{1,64}/){0,15}[\w.,+-]{1,64}@[0-9a-f]{3,16}): (${DEFERS})$`,
);
/**
 * __driver_attach_async_helper(), drivers/base/dd.c: the driver core says what came of an attach, also where it was the
 * core that held the device back; its own messages say which.
 */
const ASYNC_ATTACH = /: driver \S{1,64} async attach completed: -?\d+$/;
/** try_to_bring_up_master(), drivers/base/component.c, up to 5.5: the message before says which part lacks. */
const MASTER_BIND = /\bmaster bind failed: -517$/;
/**
 * soc_bind_dai_link(), sound/soc/soc-core.c, up to 5.6, returns -EPROBE_DEFER after this; what the driver of a card
 * says of it says no more.
 */
const NO_PART_OF_CARD = new RegExp(
  `^${DRIVER_DEV}(ASoC: (?:CPU DAI|CODEC DAI|CODEC|[Pp]latform|PLATFORM) \\S.{0,127}? not registered)`,
);
const CARD_FAILED = /\bsnd_soc_register_card\S{0,32} fail(?:ed)?:? \(?-517\)?$/;
/** gpiod_hog() and gpiochip_add_data_with_key(), drivers/gpio/gpiolib.c, name the chip alone, often as its device. */
const GPIO_CHIP = new RegExp(
  `^(?:\\w{1,64}: )?((?:${oneOf(
    /requesting hog GPIO \S{1,64} \(chip ([\w.,@:-]{1,128}), offset \d{1,5}\) failed/,
    /GPIOs \d{1,5}\.\.\d{1,5} \(([\w.,@:-]{1,128})\) failed to register/,
  )}), -517)$`,
);
/** fw_devlink_create_devlink() and fw_devlink_relax_cycle(), drivers/base/core.c, 5.13 and later. */
const CYCLE = new RegExp(
  String.raw`^(?:[\w.,-]{1,64} )?(\S{1,200}): ${oneOf(
    /Fixed dependency cycle\(s\) with/,
    /Fixing up cyclic dependency with/,
    /cycle: depends on/,
  )} (\S{1,200})`,
);
/** rproc_report_crash(), rproc_crash_handler_work(), and what Qualcomm's drivers say before: drivers/remoteproc. */
const REMOTEPROC = new RegExp(
  String.raw`^(?:\S{1,64} )?(\S{1,64}): (${oneOf(
    /crash detected in|handling crash #\d+ in|remoteproc \S+ crashed/,
    /fatal error received:|watchdog received:/,
  )}.{0,200})`,
);

/** An entry of /sys/kernel/debug/devices_deferred (deferred_devs_show(), drivers/base/dd.c): name, tab, reason. */
const ENTRY = /^((?!\/\*)[^\s:=,()'"`][^\s=()'"`]{0,127})(?:\t+|[ ]{2,})([\w.,@-]{1,64}: \S.{0,300})?$/;
/** The same with one blank, as web pages and mails have it: sure where the device or its driver has a name of such. */
const SPACED = new RegExp(
  `^(${oneOf(
    /(?=[\w,-]{0,64}[\d.@:])[\w.,@:-]{1,128} (?=[\w.,@-]{1,64}: )/,
    /[\w,-]{1,64} (?=(?:platform|i2c|spi|amba|[\w.]+-[\w-]+): )/,
  )})([\\w.,@-]{1,64}: \\S.{0,300})$`,
);
/** The driver core's own words, which are an entry wherever they stand (device_links_check_suppliers()). */
const BY_CORE = new RegExp(
  `^([\\w.,@:-]{1,128})(?:\\t+| {1,40})((?:${[...NO_DRIVERS].join('|')}): ${oneOf(
    /wait for supplier \S{1,200}/,
    /supplier \S{1,200} not ready/,
  )})$`,
);
/**
 * An entry that is one wherever it stands: a device with an address or an ACPI ID, a tab, and what a driver says; where
 * a page has blanks for the tab, only what sounds like a reason.
 */
const SURE = new RegExp(
  `^(${oneOf(
    /[0-9a-f]{5,16}\.[\w.,@:-]{1,64}|\d{1,3}-00[0-9a-f]{2}/,
    /(?:(?:i2c|spi|serial)-)?[A-Z]{3,4}[0-9A-F]{4}:[0-9a-f]{2}/,
  )})(\\t+| {2,40})([\\w.,@-]{1,64}: \\S.{0,300})$`,
);
/** The first and the last of a row of entries, of which a person left out the others. */
const ROW = /^([\w,-]{1,64}[.@:][\w.,@:-]{1,64}) (?:\.{2,3}|\u2026) ([\w,-]{1,64}[.@:][\w.,@:-]{1,64})$/;
/** Marks of a block of code (Markdown), and what sudo asks before the list. */
const BETWEEN = /^\s*(?:(?:```|~~~)\w*\s*$|\[sudo\] password for )/;
const BARE = /^([\w,-]{1,64}(?:[.@:][\w.,@:-]{1,64})|\d{1,3}-00[0-9a-f]{2}|[a-z][\w-]{0,63})\s*$/;
/** The same, where the device has an address. */
const BARE_ADDRESS = /^([0-9a-f]{4,16}\.[\w.,@:-]{1,64}|\d{1,3}-00[0-9a-f]{2})\s*$/;
const MOST_BARE = 100;
const DEFERRED_TAG = /^DEFERRED: (\S{1,128})(?:\s+(\S.{0,300}))?$/;
/** Lines that introduce such a list: a shell's prompt with its command, or the words of a CI or a person. */
const HEADING = /devices_deferred\b|^(?:List of )?[Dd]eferred devices:?$/;
/** What may head such a list, or be one of its entries without a heading. */
const HEADS = /devices_deferred|eferred devices:?$|: (?:wait for )?supplier \S|^\S{1,128}(?:\t| {2})/;
/** component_bind(), drivers/base/component.c: the aggregate device speaks of a part whose own bind fails. */
const BIND = new RegExp(`^${DRIVER_DEV}failed to bind (\\S{1,128}) \\([^()]{1,128}\\): -(\\d{1,4})$`);
const PART = /\bfailed to bind (\S{1,128}) \([^()]{1,128}\)/;
/** include/linux/errno.h */
export const EPROBE_DEFER = 517;
/** Any other error that a driver gives up for, after which its device is not probed again. */
export const ERROR_NUMBER: RegExp = /(?<![\w-])-(?!517\b)[1-9]\d{0,2}\b/;

/** Whether the words only repeat that the whole of a device is deferred, of which a message before may say more. */
export function isVague(reason: string): boolean {
  return MASTER_BIND.test(reason) || CARD_FAILED.test(reason);
}

/** The part of a device whose own bind holds the whole back, where the words of a deferral name one. */
export function partIn(reason: string | null): string | null {
  return PART.exec(reason ?? '')?.[1] ?? null;
}

/** The same as an event. */
export function partOf(event: Extract<DmesgEvent, { readonly event: 'deferred' }>): DmesgEvent | null {
  const { device, driver, line, time, reason } = event;
  const part = partIn(reason);
  if (part === null) return null;
  return { event: 'bind-failed', device, driver, part, error: EPROBE_DEFER, words: null, line, time };
}

/** The event that a record of a driver or a CI states about a deferral, if it is one. */
export function deferralEvent(text: string, at: At): DmesgEvent | null {
  if (text.startsWith('DEFERRED: ')) {
    const tagged = DEFERRED_TAG.exec(text);
    if (tagged?.[1] !== undefined) return listed(tagged[1], tagged[2], at);
  }
  if (text.includes('sync_state')) {
    const pending = SYNC_PENDING.exec(text);
    if (pending?.[2] !== undefined)
      return {
        event: 'sync-state-pending',
        consumer: pending[3] ?? '',
        device: pending[2],
        driver: pending[1] ?? null,
        ...at,
      };
    const forced = SYNC_FORCED.exec(text);
    if (forced?.[2] !== undefined)
      return { event: 'sync-state-forced', device: forced[2], driver: forced[1] ?? null, ...at };
  }
  if (text.includes('ASoC: ')) {
    const card = NO_PART_OF_CARD.exec(text);
    if (card?.[2] !== undefined)
      return {
        event: 'deferred',
        by: 'driver',
        reason: card[3] ?? null,
        device: card[2],
        driver: card[1] ?? null,
        ...at,
      };
  }
  if (text.includes('failed to bind ')) {
    const bind = BIND.exec(text);
    const error = Number(bind?.[4]);
    if (bind?.[2] !== undefined && bind[3] !== undefined && error !== EPROBE_DEFER)
      return {
        event: 'bind-failed',
        device: bind[2],
        driver: bind[1] ?? null,
        part: bind[3],
        error,
        words: null,
        ...at,
      };
  }
  if (/517|4294966779|EPROBE_DEFER/.test(text) || /[dD]efer|is not ready$|re-?try|try (?:again|later)/.test(text)) {
    if (ASYNC_ATTACH.test(text) || goesOn(text)) return null;
    const pin = refusedPin(text);
    if (pin !== null) {
      if (isOfGpio(pin)) return null;
      return { event: 'deferred', by: 'driver', reason: reasonOfPin(pin), device: pin.owner, driver: null, ...at };
    }
    const chip = GPIO_CHIP.exec(text);
    if (chip?.[1] !== undefined) {
      const device = chip[2] ?? chip[3] ?? '';
      return { event: 'deferred', by: 'driver', reason: chip[1], device, driver: null, ...at };
    }
    const node = text.startsWith('/') ? SAYS_DEFER_NODE.exec(text) : null;
    if (node !== null)
      return {
        event: 'deferred',
        by: 'driver',
        reason: node[2] ?? null,
        device: deviceOfPath(node[1] ?? ''),
        driver: null,
        ...at,
      };
    const said = ERR_PROBE.exec(text) ?? SAYS_DEFER.exec(withoutInterface(text)) ?? SAYS_DEFER_DEVICE.exec(text);
    if (said?.[2] !== undefined && said[1] !== CLASS) {
      const driver = said[1] === undefined || said[1] === '' ? null : said[1];
      return { event: 'deferred', by: 'driver', reason: said[3] ?? null, device: said[2], driver, ...at };
    }
  }
  if (text.includes('cycl')) {
    const cycle = CYCLE.exec(text);
    if (cycle?.[1] !== undefined) return { event: 'dependency-cycle', node: cycle[1], with: cycle[2] ?? '', ...at };
  }
  if (text.includes('remoteproc') || text.includes('fatal error received') || text.includes('watchdog received')) {
    const crashed = REMOTEPROC.exec(text);
    if (crashed?.[1] !== undefined)
      return { event: 'remoteproc-crash', processor: crashed[1], reason: crashed[2] ?? '', ...at };
  }
  return null;
}

function listed(device: string, reason: string | undefined, at: At): DmesgEvent {
  return { event: 'deferral-listed', device, driver: null, reason: reason ?? null, ...at };
}

/** The entry that a line is, whatever stands around it. */
function sureEntryOf(text: string, at: At): DmesgEvent | null {
  const byCore = BY_CORE.exec(text);
  if (byCore?.[1] !== undefined) return listed(byCore[1], byCore[2], at);
  const [, device, gap = '', reason = ''] = SURE.exec(text) ?? [];
  if (device === undefined || !(gap.startsWith('\t') || soundsBad(reason))) return null;
  return listed(device, reason, at);
}

/**
 * The lines of a devices_deferred file that stand in a log: where a heading or the beginning of the input says that
 * they may, until one comes that is none.
 */
export class DeferredList {
  /** `start`: only lines with the file's tab, or with words of a reason, count: nothing has introduced them. */
  #open: 'no' | 'start' | 'headed' = 'start';
  /** Devices without a reason at the beginning, which are entries if one with a reason follows. */
  #bare: DmesgEvent[] = [];

  /** Whether the next line has to be given to {@link take} whatever is in it. */
  get open(): boolean {
    return this.#open !== 'no';
  }

  /** Whether {@link take} has a use for a record with this text. */
  mayTake(text: string): boolean {
    return this.open || HEADS.test(text);
  }

  /** The entries that a line without a time stamp has; none of any other line, which ends the list. */
  take(text: string, stamped: boolean, at: At): DmesgEvent[] {
    if (HEADING.test(text)) {
      this.#open = 'headed';
      return [];
    }
    const sureEntry = stamped ? null : sureEntryOf(text, at);
    if (sureEntry !== null) {
      this.#open = 'headed';
      return [...this.#taken(), sureEntry];
    }
    if (this.#open === 'no' || text.trim() === '' || BETWEEN.test(text)) return [];
    const row = this.#open === 'headed' && !stamped ? ROW.exec(text) : null;
    if (row !== null) return row.slice(1).map((device) => listed(device, undefined, at));
    const headed = this.#open === 'headed' ? (SPACED.exec(text) ?? BARE.exec(text)) : null;
    const entry = stamped ? null : (ENTRY.exec(text) ?? headed);
    const sure = this.#open === 'headed' || (entry !== null && (/\t/.test(text) || soundsBad(entry[2] ?? '')));
    const bare = this.#open === 'start' && !stamped && entry === null ? BARE_ADDRESS.exec(text)?.[1] : undefined;
    if (bare !== undefined && this.#bare.length < MOST_BARE) {
      this.#bare.push(listed(bare, undefined, at));
      return [];
    }
    if (entry?.[1] === undefined || !sure) {
      this.#open = 'no';
      this.#bare = [];
      return [];
    }
    // One such line says what the others are, which may have no reason.
    this.#open = 'headed';
    return [...this.#taken(), listed(entry[1].trimEnd(), entry[2], at)];
  }

  #taken(): DmesgEvent[] {
    return this.#bare.splice(0);
  }
}

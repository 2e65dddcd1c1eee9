import { oneOf } from '../regex.ts';
import type { LogRecord } from './prefix.ts';

/** How a log says that another boot begins. */
export type BootSign =
  /** The kernel's first lines, once more. */
  | 'banner'
  /** A boot ROM, a boot loader or secure firmware speaks after the kernel did. */
  | 'firmware'
  /** The time stamps go back and the text is not one that the log has had before. */
  | 'clock'
  /** A tool that joins logs says so: `-- Boot ID --`, `-- Reboot --`. */
  | 'announced';

/** What is to be done with a record. */
export type Place = 'usual' | 'replayed' | 'undecided' | { readonly boot: BootSign };

/** Boot ROMs, U-Boot, TF-A, coreboot, EFI stubs; as they begin a line. */
const FIRMWARE = new RegExp(
  `^${oneOf(
    // U-Boot.
    /U-Boot(?: SPL| TPL)? (?:SPL )?\d{4}\.|Starting kernel \.{3}|## Booting kernel|Hit any key to stop autoboot/,
    // Qualcomm's XBL, TF-A, Rockchip's and Amlogic's first stages, coreboot.
    /Format: Log Type|[BDS] - {2,}\d+ - |NOTICE: {1,2}BL\d|INFO: {4}BL\d|DDR [Vv]ersion|GX[LM]:|coreboot-\d/,
    /EFI stub: (?:Booting|Loaded|Decompress)|Booting `|Welcome to GRUB|BootROM|Boot(?:ing|ed) from /,
  )}`,
);
/** pstore_dump(), fs/pstore/platform.c: a part of the log, of which the first is the end. */
const PART = /^(?:Panic|Oops)#\d{1,6} Part\d{1,4}$/;
const ANNOUNCED = /^-- (?:Reboot|Boot [0-9a-f]{8,32}) ?--/;
const BANNER = /^Linux version \d/;
/**
 * register_console(), kernel/printk/printk.c: the real console may print next all that the log has had so far, and so
 * may a boot console where something has printed before it.
 */
const HANDED_OVER = /^(?:printk: )?(?:legacy )?bootconsole \[\S{1,32}\] (?:disabled|enabled)$/;
/** Consoles may lag behind each other; a clock that goes back further is another boot. Microseconds. */
const CLOCK_SLACK = 1_000_000;
/** Records kept to know a replay by; and records in which a log that begins anew has to show that it is none. */
const MAX_SEEN = 1 << 16;
const DOUBTFUL_RECORDS = 20;
/** Records of time zero, which every boot of a kernel has alike; arm64 has some 50, and for each CPU and node more. */
const MAX_EARLY = 1000;

/**
 * Tells boots apart, and a boot from the same log printed once more: test suites, and people, call dmesg on the console
 * that has shown it all already. That takes user space, and its records have the same times and the same words. A
 * console prints it, too, directly after the boot console that was on the same line is off, or when it is on.
 */
export class Boots {
  #kernel = false;
  #any = false;
  /** Whether someone can have called dmesg: user space runs, or the log does not show how the boot began. */
  #userSpace = true;
  /** After `Booting Linux` and before the banner, which belong together. */
  #head = false;
  #firmware = false;
  /** This boot has had its banner. */
  #bannered = false;
  #banner = '';
  /** The record before says that a boot console is off, or on. */
  #handedOver = false;
  readonly #seen = new Set<number>();
  #lastTime: number | null = null;
  #latest = 0;
  /** Time of the last record that was printed once more; null where the log has gone on since. */
  #replayed: number | null = null;
  /** Records left in which it has to turn out whether a boot has begun. */
  #doubt = 0;
  /** Records of time zero since then. */
  #early = 0;

  /** A kernel's record has been seen in this boot; what is in it does not matter. */
  noteKernel(): void {
    this.#kernel = true;
  }

  /** Whether this boot has shown a kernel's record. */
  get kernel(): boolean {
    return this.#kernel;
  }

  /** Whether any boot has. */
  get any(): boolean {
    return this.#any || this.#kernel;
  }

  noteUserSpace(): void {
    this.#userSpace = true;
  }

  /** Where a record stands. Every record that may begin a report or state an event has to be given, in order. */
  place({ text, time }: LogRecord): Place {
    if (text.startsWith('-- ') && ANNOUNCED.test(text)) return this.#begin('announced', time);
    // The parts are often read in the order of their names, in which the clock goes back.
    if (PART.test(text)) this.#lastTime = null;
    const first = text.startsWith('Booting Linux on physical CPU');
    const banner = text.startsWith('Linux version ') && BANNER.test(text);
    if (time === null && FIRMWARE.test(text)) {
      const again = this.#kernel;
      this.#firmware = true;
      if (again) return this.#begin('firmware', null);
      return 'usual';
    }
    const handedOver = this.#handedOver;
    if (time !== null) this.#handedOver = HANDED_OVER.test(text) || (handedOver && first);
    if (handedOver && (first || text === this.#banner)) {
      this.#userSpace = true;
      return 'replayed';
    }
    // Of a log with stamps, somebody looks at /proc/version.
    if (banner && time === null && this.#lastTime !== null && text === this.#banner) return 'replayed';
    if (first || banner) {
      // Kernels before 3.16 print a few lines of time zero before the banner.
      const early = banner && time === 0 && this.#lastTime === 0 && !this.#bannered;
      const again = this.#kernel && !(banner && this.#head) && !this.#firmware && !early;
      this.#bannered ||= banner;
      if (banner) this.#banner = text;
      this.#head = first;
      this.#kernel = true;
      this.#firmware = false;
      if (again && this.#doubt === 0) {
        if (!this.#userSpace) return this.#begin('banner', time);
        this.#doubt = DOUBTFUL_RECORDS;
        this.#early = 0;
      }
      if (this.#doubt === 0) this.#userSpace = false;
      return this.#doubt > 0 ? 'undecided' : 'usual';
    }
    return time === null ? (this.#doubt > 0 ? 'undecided' : 'usual') : this.#timed(text, time);
  }

  #timed(text: string, time: number): Place {
    const room = this.#seen.size < MAX_SEEN;
    const mayBeKnown = time > 0 && time <= this.#latest && this.#userSpace;
    const key = room || mayBeKnown ? keyOf(text, time) : 0;
    const known = mayBeKnown && this.#seen.has(key);
    if (known) {
      this.#doubt = 0;
      this.#replayed = time;
      return 'replayed';
    }
    // A console does not show all levels, and dmesg does.
    if (this.#replayed !== null && time >= this.#replayed && time <= this.#latest) {
      this.#replayed = time;
      if (room) this.#seen.add(key);
      return 'usual';
    }
    this.#replayed = null;
    if (this.#doubt > 0) {
      if (time === 0 && this.#early++ < MAX_EARLY) return 'undecided';
      this.#doubt -= 1;
      if (this.#doubt > 0) return 'undecided';
      return this.#begin('banner', time);
    }
    const back = this.#lastTime !== null && time < this.#lastTime - CLOCK_SLACK;
    if (time > 0 && room) this.#seen.add(key);
    this.#latest = Math.max(this.#latest, time);
    this.#kernel = true;
    this.#head = false;
    this.#firmware = false;
    if (back) return this.#begin('clock', time);
    this.#lastTime = time;
    return 'usual';
  }

  /** The log is over: whether a boot that was in doubt has begun after all. */
  end(): boolean {
    return this.#doubt > 0;
  }

  #begin(sign: BootSign, time: number | null): Place {
    const { kernel } = this;
    this.#any ||= kernel;
    this.#kernel = sign !== 'firmware' && sign !== 'announced';
    this.#userSpace = sign !== 'banner';
    this.#bannered = sign === 'banner';
    this.#doubt = 0;
    this.#replayed = null;
    this.#lastTime = time;
    this.#latest = time ?? 0;
    this.#seen.clear();
    return kernel ? { boot: sign } : 'usual';
  }
}

/**
 * A number for a record's time and words, for telling a replay. All words count: the kernel prints many records within
 * one microsecond that differ in a device's name alone (`deferred probe pending`).
 */
function keyOf(text: string, time: number): number {
  // FNV-1a with 32 bits.
  let hash = 0x811c_9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x0100_0193);
  return (time % TIMES) * 2 ** 32 + (hash >>> 0);
}

/** What is left of 53 bits beside the words, in microseconds: two seconds. */
const TIMES = 2 ** 21;

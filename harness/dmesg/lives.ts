import { Chatter } from './chatter.ts';
import { EPROBE_DEFER, ERROR_NUMBER, isVague, partIn } from './deferral.ts';
import type { DmesgEvent, ProbeEvent } from './events.ts';
import { saysProbed } from './spoken.ts';

/** Errors with which a driver says that a device is not its own: call_driver_probe() is silent about them. */
const NOT_MINE: ReadonlySet<number> = new Set([6, 19]); // ENXIO, ENODEV

/** Hosts of MMC and SD cards. */
const HOST = /mmc|sdhci|sdio/;

/** More than any machine has; a log that names more is not believed further. */
const MAX_DEVICES = 50_000;

/** deferred_probe_timeout_work_func(), drivers/base/dd.c, since 6.8. */
export const REASON_UNKNOWN = '(reason unknown)';
/** Messages of one attempt follow each other: two lines on a slow console take 20 ms; without stamps, by lines. */
const ATTEMPT_US = 20_000;
const ATTEMPT_LINES = 3;
/** What a failed probe has begun may say something for so long. */
const LONG_AFTER_US = 300_000;
/** CPUs print at the same time, a console slowly. */
const JITTER_US = 1_000_000;

export type DeviceState =
  | 'matched'
  | 'probing'
  | 'deferred'
  | 'retried'
  | 'bound'
  | 'failed'
  /** A driver looked at the device and declined it. */
  | 'declined'
  /** Said by the guest's init of a watched device: there is the device, but no driver on it; or there is no device. */
  | 'unbound'
  | 'absent';

/** What -ETIMEDOUT of a probe then means: driver_deferred_probe_check_state(), drivers/base/dd.c (6.12). */
const TIMED_OUT = 'the deferred probe timeout ended its wait for a supplier';

/** What the error of a probe means where the driver core has ended its wait; null where it has not. */
export function endOfWait({ timedOut, assumedNone }: DeviceLife): string | null {
  return timedOut && !assumedNone ? TIMED_OUT : null;
}

export interface DeviceLife {
  readonly device: string;
  driver: string | null;
  state: DeviceState;
  /** How often a probe was deferred. */
  deferrals: number;
  by: 'driver' | 'supplier' | 'unknown' | null;
  reason: string | null;
  /** Line that gives the reason last; 0 without one. */
  reasonLine: number;
  /** The last reason with which the driver core held it back, and its line. */
  heldFor: { readonly reason: string; readonly line: number } | null;
  /** Positive errno of the last failed probe. */
  error: number | null;
  /** Its driver returned that number as it is, without a minus sign. */
  positive: boolean;
  /** What its driver said before the last probe failed, and the line that says that it did. */
  words: string | null;
  /** The line in which the words begin. */
  wordsLine: number;
  failedLine: number;
  /** The device was named in the deferred list of a kernel that had given up or settled. */
  pending: boolean;
  /** Its driver has said something else of it since it was deferred. */
  spoke: boolean;
  /** Its driver has got again what it gave back at the end of its last attempt. */
  regained: boolean;
  /** Its driver has said again what it says before it defers it, in a later attempt, and has not deferred it since. */
  again: boolean;
  /** Its driver has said that its probe has succeeded: what it lacks later it goes without. */
  probed: boolean;
  /** Round of retries in which it was deferred last; 0 where the log does not show rounds. */
  round: number;
  /** What its driver said last in the attempt of which `reason` is the first. */
  lastSaid: string | null;
  /** initcall_debug told that its probe returned -EPROBE_DEFER, and would tell of one that succeeds. */
  returned: boolean;
  /**
   * The value that it told last, and its line: -517 is the driver core's, which has not called the driver then; of what
   * a driver returned the sign is turned, or up to 5.10 there is only 0.
   */
  lastReturned: { readonly value: number; readonly line: number } | null;
  /** Probes that returned 0 up to 5.10, where that is no success, and of which no other line tells more. */
  inVain: number;
  /** devices_deferred has it, with the reason that the kernel knows. */
  listed: boolean;
  /** The driver core said that it does not wait for a supplier any longer. */
  timedOut: boolean;
  /**
   * It does not because all initcalls are over and no driver is expected any more: from 4.19 to 5.6 whatever modules
   * there are (25b4e70dcce9), since 5.7 only with CONFIG_MODULES off (c8c43cee29f6).
   */
  assumedNone: boolean;
  /** Where the driver core said that the time was over; null before. The time is in microseconds. */
  letGo: Place | null;
  /** Line that told something of its state last. */
  line: number;
  /** Line that says that it is bound; 0 before. */
  boundLine: number;
  /** From when to when it was deferred, in microseconds, as far as stamps tell; null where they do not. */
  wait: { readonly from: number; readonly to: number } | null;
}

/** A device whose retries start each other: each binds `rebound` anew, and that starts the next one. */
export interface RetryLoop {
  readonly device: string;
  readonly deferrals: number;
  readonly rebound: string;
}

/** Times that a device has to be deferred, and another one bound, before it is a loop: no boot needs so many. */
const LOOP_LEAST = 20;

/** So many probes of one device are more than it has drivers that might be its own. */
const IN_VAIN = 5;

/** Where and when something was said. */
export interface Place {
  readonly time: number | null;
  readonly line: number;
}

/** Whether a message belongs to the same attempt to probe a device as the one before it. */
export function isOneAttempt(last: Place, next: Place): boolean {
  if (next.time === null || last.time === null) return next.line - last.line <= ATTEMPT_LINES;
  return Math.abs(next.time - last.time) <= ATTEMPT_US;
}

/** Whether nothing has been said yet that may be of the end of its wait. */
function isWaiting({ state, spoke }: DeviceLife): boolean {
  return state !== 'bound' && !spoke;
}

/** The wait goes on, or ends. */
function until(time: number | null, wait: DeviceLife['wait']): DeviceLife['wait'] {
  return time === null ? wait : { from: wait?.from ?? time, to: time };
}

/**
 * Whether later lines may be of later: the kernel lists what is deferred when the time is over, and modules may be
 * loaded after that; what a person shows of devices_deferred may be of any time, as pieces of a log in any order.
 */
export function mayBeOfLater({ pending, listed }: DeviceLife, { inOrder }: { readonly inOrder: boolean }): boolean {
  return !pending || (inOrder && !listed);
}

/** A device of which nothing but its state is known yet. */
export function newLife(device: string, state: DeviceState, line: number): DeviceLife {
  return {
    device,
    driver: null,
    state,
    deferrals: 0,
    by: null,
    reason: null,
    reasonLine: 0,
    heldFor: null,
    error: null,
    positive: false,
    words: null,
    wordsLine: 0,
    failedLine: 0,
    pending: false,
    spoke: false,
    regained: false,
    again: false,
    probed: false,
    round: 0,
    lastSaid: null,
    returned: false,
    lastReturned: null,
    inVain: 0,
    listed: false,
    timedOut: false,
    assumedNone: false,
    letGo: null,
    line,
    boundLine: 0,
    wait: null,
  };
}

/** What tells something of a device's state. */
type LifeEvent = Exclude<ProbeEvent, { event: 'bind-failed' | 'sync-state-pending' | 'sync-state-forced' }>;

/** What became of each device, folded from the events of one log; memory is bounded. */
export class Lives {
  readonly #devices = new Map<string, DeviceLife>();
  /** How often each device was bound. */
  readonly #binds = new Map<string, number>();
  /** Release of the kernel, which says what its numbers mean. */
  release: string | null = null;
  /** The log has a number that only kernels since 5.11 print. */
  #isSince511 = false;
  /** Rounds of retries that the driver core's messages show; each tries all devices that are deferred. */
  rounds = 0;
  /** Devices that the driver core deferred in this round. */
  readonly #round = new Set<string>();
  /** Line from which on the kernel lists what is still deferred when the time is over; null without. */
  pendingFrom: number | null = null;
  /** Line from which on the driver core waits no more for what has no driver; null without a word of that. */
  timeOverFrom: number | null = null;
  /** The log has the debug messages of drivers/base/dd.c, which tell of each probe and of what came of it. */
  tellsProbes = false;
  /** Every message has a stamp, and none is older than one before: a person may show pieces of a log in any order. */
  inOrder = true;
  #lastTime = 0;
  readonly #chatter = new Chatter();
  /** Where each device was said to be deferred last. */
  readonly #deferredAt = new Map<string, Place>();
  readonly #failedAt = new Map<string, Place>();
  /** Devices whose last attempt is known by what it gave back. */
  readonly #unwound = new Set<string>();
  /** What was released once, after a probe or at its removal. */
  readonly #released = new Map<string, Place>();
  /** The last message of a deferral. */
  #attempt: (Place & { readonly device: string }) | null = null;

  get devices(): ReadonlyMap<string, DeviceLife> {
    return this.#devices;
  }

  /** Another boot begins: returns the devices whose probes had not returned. */
  endBoot(): string[] {
    const probing = [...this.#devices.values()].filter((life) => life.state === 'probing');
    for (const life of probing) life.state = 'matched';
    this.#round.clear();
    this.#unwound.clear();
    this.#released.clear();
    this.pendingFrom = null;
    this.timeOverFrom = null;
    return probing.map(({ device }) => device);
  }

  add(event: LifeEvent): void {
    this.#clock(event.time);
    // By whom it is probed tells nothing of the state, whose line stays.
    if (event.event === 'probe-async') return;
    if (event.event === 'spoke') {
      this.#speak(event);
      return;
    }
    if (event.event === 'probe-unwound') {
      this.#unwind(event);
      return;
    }
    const life = this.#life(event.device, event.line);
    if (life === null) return;
    if (event.driver !== null) life.driver = event.driver;
    switch (event.event) {
      case 'matched':
        if (life.state !== 'bound') life.state = 'matched';
        return;
      case 'probe-entered':
        this.tellsProbes = true;
        life.state = 'probing';
        life.probed = false;
        this.#attempt = null;
        return;
      case 'deferred':
        if (life.probed && event.by === 'driver') return;
        if (event.by === 'supplier' || event.everyTime === true) this.#countRound(life);
        else this.#stayInRound(life);
        // What the kernel has listed is outdated; what a person lists may stand before the log.
        life.pending &&= life.listed;
        this.#deferredAt.set(event.device, { time: event.time, line: event.line });
        life.wait = until(event.time, life.wait);
        if (this.#isSaid(life, event)) {
          life.lastSaid = event.reason ?? life.lastSaid;
          if (event.reason === life.reason) life.reasonLine = event.line;
          this.#endAttempt(life, event.reason);
        } else this.#defer(life, event.by, event.reason);
        return;
      case 'retried':
        life.state = 'retried';
        this.#attempt = null;
        return;
      case 'bound':
        // A part is bound to its whole again and again; of its own driver's probe only the driver core tells.
        if (event.driver !== null) life.probed = true;
        if (life.wait !== null && isWaiting(life)) life.wait = until(event.time, life.wait);
        this.#bind(life);
        return;
      case 'probe-failed':
        life.state = 'failed';
        life.error = event.error;
        life.positive = event.positive === true;
        life.words = event.words;
        life.wordsLine = event.wordsLine ?? event.line;
        life.failedLine = event.line;
        this.#failedAt.set(event.device, { time: event.time, line: event.line });
        return;
      case 'probe-declined':
        this.#decline(life, event.error, event.words, event.wordsLine);
        return;
      case 'probe-returned':
        this.#returned(life, event.value, event.words ?? null, event.wordsLine);
        return;
      case 'deferral-timeout':
        this.timeOverFrom ??= event.line;
        life.timedOut = true;
        life.assumedNone = event.assumed === true;
        if (event.assumed !== true) life.letGo = { time: event.time, line: event.line };
        life.spoke = false;
        return;
      case 'deferral-pending':
        life.pending = true;
        this.pendingFrom ??= event.line;
        this.timeOverFrom ??= event.line;
        life.wait = until(event.time, life.wait);
        // Up to 5.10, 0 is all that is told of what its driver returned.
        this.#defer(life, life.lastReturned?.value === 0 ? 'driver' : (life.by ?? 'unknown'), event.reason);
        return;
      case 'deferral-listed':
        life.pending = true;
        life.listed = true;
        this.#defer(life, listedBy(event.reason), event.reason);
        return;
    }
  }

  /** A device that was deferred is deferred once more; where its probe fails, the driver core has a word of that. */
  #unwind({ device, driver, said, time, line }: Extract<ProbeEvent, { readonly event: 'probe-unwound' }>): void {
    const known = this.#devices.get(device);
    // Only a second attempt shows that the first was a deferral; of what has no driver's name nothing else does.
    const first = this.#released.get(device) ?? null;
    if (driver === null && known === undefined && first === null) {
      if (this.#released.size < MAX_DEVICES) this.#released.set(device, { time, line });
      return;
    }
    // After an error of its driver's it is no removal.
    if (
      said !== undefined &&
      (known === undefined || (known.by === 'driver' && this.#isLater(known, { time, line })))
    ) {
      const life = this.#life(device, said.line);
      if (life === null) return;
      life.driver = driver ?? life.driver;
      if (ERROR_NUMBER.test(said.words))
        Object.assign(life, { state: 'failed', words: said.words, wordsLine: said.line, failedLine: line });
      else this.#defer(life, 'driver', said.words);
    }
    const life = this.#devices.get(device);
    if (life?.state !== 'deferred') return;
    life.line = line;
    this.#unwound.add(device);
    life.wait = until(time, life.wait ?? until(first?.time ?? null, null));
    this.#deferredAt.set(device, { time, line });
    this.#endAttempt(life, null);
  }

  /** Whether something is of a later attempt than that in which the device was deferred last. */
  #isLater({ device }: DeviceLife, now: Place): boolean {
    const last = this.#deferredAt.get(device);
    return last === undefined || !isOneAttempt(last, now);
  }

  /** What a driver had given back it has got again, in another attempt, which ends so as well or succeeds. */
  relink(device: string): void {
    const life = this.#devices.get(device);
    if (life?.state === 'deferred' && this.#unwound.delete(device)) life.regained = true;
  }

  /** A host has a card: the only one that was deferred and has been heard of since, as it has not got so far before. */
  findCard(line: number): void {
    const [host, ...others] = [...this.#devices.values()].filter(
      (life) => life.state === 'deferred' && life.spoke && HOST.test(life.device) && mayBeOfLater(life, this),
    );
    if (host === undefined || others.length > 0) return;
    host.line = line;
    this.#bind(host);
  }

  #clock(time: number | null): void {
    this.inOrder &&= time !== null && time >= this.#lastTime - JITTER_US;
    this.#lastTime = Math.max(this.#lastTime, time ?? 0);
  }

  /** What a driver says well of a device; it tells nothing of the state, whose line stays, unless the probe is over. */
  #speak({ device, driver, words, atWork, time, line }: Extract<DmesgEvent, { readonly event: 'spoke' }>): void {
    const known = this.#devices.get(device) ?? this.#muxOf(device);
    const isNew = this.#chatter.isNew(known?.device ?? device, words);
    if (saysProbed(words)) {
      const life = this.#life(device, line);
      if (life === null || !mayBeOfLater(life, this)) return;
      life.driver ??= driver;
      if (life.wait !== null && isWaiting(life)) life.wait = until(time, life.wait);
      life.probed = true;
      this.#bind(life);
      return;
    }
    if (known?.state === 'failed' && driver === known.driver && this.#isProbedAgain(known, time)) {
      // Of what comes of it nothing is known yet.
      Object.assign(known, { state: 'matched', line });
      return;
    }
    if (known === undefined || !(known.state === 'deferred' || known.timedOut)) return;
    if (isNew && known.wait !== null && isWaiting(known)) known.wait = until(time, known.wait);
    if (isNew) known.spoke = true;
    if (atWork === true && mayBeOfLater(known, this)) {
      known.line = line;
      this.#bind(known);
      return;
    }
    const last = this.#deferredAt.get(known.device);
    if (last !== undefined && !isOneAttempt(last, { time, line })) known.again = true;
  }

  /**
   * Whether so long after a probe that failed its driver's name before a message means another probe: it is that of a
   * driver only from the begin of a probe until it fails (dev_driver_string(), drivers/base/core.c).
   */
  #isProbedAgain({ device }: DeviceLife, time: number | null): boolean {
    const failed = this.#failedAt.get(device)?.time ?? null;
    return failed !== null && time !== null && time - failed > LONG_AFTER_US;
  }

  /** The only multiplexer of MDIO buses that is deferred, for a bus that one has made: mdio_mux_init() names it. */
  #muxOf(bus: string): DeviceLife | undefined {
    if (!bus.startsWith('mdio_mux-')) return;
    const [only, ...others] = [...this.#devices.values()].filter(
      ({ device, driver, state }) => state === 'deferred' && /mdio[-_]mux/.test(`${device} ${driver}`),
    );
    return others.length === 0 ? only : undefined;
  }

  /**
   * A part is bound for which a whole was deferred last: component_bind_all(), drivers/base/component.c, would say
   * which other one is not.
   */
  bindWhole(device: string, part: string, line: number): void {
    const life = this.#devices.get(device);
    if (life?.state !== 'deferred' || !mayBeOfLater(life, this)) return;
    if (partIn(life.reason) !== part && !isVague(life.reason ?? '')) return;
    life.line = line;
    this.#bind(life);
  }

  /** A device that the log has spoken of is bound by now: others wait for its sync_state(). */
  supplies(device: string, line: number): void {
    const life = this.#devices.get(device);
    if (life === undefined || life.state === 'bound') return;
    life.line = line;
    this.#bind(life);
  }

  #life(device: string, line: number): DeviceLife | null {
    const known = this.#devices.get(device);
    if (known !== undefined) {
      known.line = line;
      return known;
    }
    if (this.#devices.size >= MAX_DEVICES) return null;
    const life = newLife(device, 'matched', line);
    this.#devices.set(device, life);
    return life;
  }

  #bind(life: DeviceLife): void {
    if (life.state !== 'bound') {
      life.boundLine = life.line;
      this.#binds.set(life.device, (this.#binds.get(life.device) ?? 0) + 1);
    }
    life.state = 'bound';
  }

  /**
   * A bound device starts the retry of all deferred ones (drivers/base/dd.c, driver_bound()): where a probe creates and
   * binds a child before it is deferred and removes it again, it starts its own next retry, without end.
   */
  retryLoop(): RetryLoop | null {
    const [rebound, binds] = [...this.#binds].reduce((most, next) => (next[1] > most[1] ? next : most), ['', 0]);
    const looping = [...this.#devices.values()]
      .filter(({ deferrals, state, device }) => deferrals >= LOOP_LEAST && state !== 'bound' && device !== rebound)
      .sort((a, b) => b.deferrals - a.deferrals)[0];
    if (binds < LOOP_LEAST || looping === undefined) return null;
    return { device: looping.device, deferrals: looping.deferrals, rebound };
  }

  /** The driver core tells it in up to two messages, of which the first has the words. */
  #decline(life: DeviceLife, error: number, words: string | null, wordsLine = life.line): void {
    if (life.state === 'bound') return;
    if (life.state !== 'declined') Object.assign(life, { words, wordsLine, failedLine: life.line });
    life.state = 'declined';
    life.error = error;
  }

  /** One deferral is told in up to three messages: the driver's, the list's and the timing of initcall_debug. */
  #defer(life: DeviceLife, by: 'driver' | 'supplier' | 'unknown', reason: string | null): void {
    if (life.state !== 'deferred') life.deferrals += 1;
    this.#endAttempt(life, reason);
    life.state = 'deferred';
    // Its driver is called when all suppliers are there (really_probe(), drivers/base/dd.c): it lacks something else.
    if (by === 'driver' && reason === null && life.by === 'supplier') life.reason = null;
    if (by !== 'unknown' || life.by === null) life.by = by;
    if (by === 'supplier' && reason !== null) life.heldFor = { reason, line: life.line };
    // The kernel does not know what a driver did not give to dev_err_probe(); the log may have it all the same.
    if (reason === null || (life.reason !== null && (reason === REASON_UNKNOWN || isVague(reason)))) return;
    if (life.reason !== null && life.lastSaid !== null && reason.endsWith(`: ${life.lastSaid}`)) return;
    life.lastSaid = null;
    life.reason = reason;
    life.reasonLine = life.line;
    // It has gone on without what it waited for when the time was over, and lacks something else.
    if (reason !== REASON_UNKNOWN) life.timedOut = false;
  }

  #endAttempt(life: DeviceLife, reason: string | null): void {
    life.spoke = false;
    life.regained = false;
    life.again = false;
    this.#chatter.endAttempt(life.device, reason);
  }

  /** driver_deferred_probe_trigger(), drivers/base/dd.c, has all deferred devices tried again. */
  #countRound(life: DeviceLife): void {
    if (this.rounds === 0 || this.#round.has(life.device)) {
      this.#round.clear();
      this.rounds += 1;
    }
    this.#round.add(life.device);
    life.round = this.rounds;
  }

  /** It is deferred in this round as well: for its pins, of which the driver core has no word of its own, for one. */
  #stayInRound(life: DeviceLife): void {
    if (life.round > 0) life.round = this.rounds;
  }

  /**
   * Whether the message is one more of an attempt of which the log has the reason: the first says what was missing, and
   * those after it where the error came through.
   */
  #isSaid(life: DeviceLife, { by, time, line }: Extract<DmesgEvent, { readonly event: 'deferred' }>): boolean {
    const last = this.#attempt;
    this.#attempt = { device: life.device, time, line };
    if (last?.device !== life.device || by !== 'driver' || life.reason === null || life.state !== 'deferred')
      return false;
    return isOneAttempt(last, { time, line });
  }

  /**
   * What `probe of X returned N` means changed in 5.11: before, 1 was success and 0 an error that had been dealt with,
   * a deferral too; since, 0 is success, and what a driver returned has its sign turned (really_probe(),
   * drivers/base/dd.c).
   */
  #returned(life: DeviceLife, value: number, words: string | null, wordsLine = life.line): void {
    const errno = Math.abs(value);
    life.returned = true;
    life.lastReturned = { value, line: life.line };
    this.#isSince511 ||= value > 1;
    if (errno === EPROBE_DEFER) {
      this.#stayInRound(life);
      life.pending &&= life.listed;
      // Another message may have the reason already.
      const isNew = life.reason === null && words !== null;
      this.#defer(life, value < 0 ? 'supplier' : 'driver', isNew ? words : null);
      if (isNew) life.reasonLine = wordsLine;
    } else if (value === 1 && !this.#oneIsError(life)) this.#bind(life);
    else if (value === 0) {
      const isSuccess = this.#zeroIsSuccess();
      // Of a kernel that is not known, it may be the very deferral that another message has told.
      const isOpen = life.state === 'probing' || life.state === 'matched' || life.state === 'retried';
      if (isSuccess ?? isOpen) this.#bind(life);
      // Another driver may have looked at it in vain, but so often only what is deferred is probed.
      const isInVain = isSuccess === false && life.state !== 'bound' && life.state !== 'failed';
      if (isInVain && ++life.inVain >= IN_VAIN) this.#defer(life, 'driver', words);
    } else if (NOT_MINE.has(errno)) {
      this.#decline(life, errno, null);
    } else {
      life.state = 'failed';
      life.error = errno;
    }
  }

  /** -EPERM: the kernel is a later one, or has just said that the probe failed with it. */
  #oneIsError({ state, error }: DeviceLife): boolean {
    return this.#zeroIsSuccess() === true || (state === 'failed' && error === 1);
  }

  /** Null where the log does not tell. */
  #zeroIsSuccess(): boolean | null {
    const version = /^(\d+)\.(\d+)/.exec(this.release ?? '');
    if (version === null) return this.#isSince511 || null;
    const major = Number(version[1]);
    return major > 5 || (major === 5 && Number(version[2]) > 10);
  }

  /** What the guest's init says of a watched device (guest/plan.ts). */
  agent(verb: string, words: readonly string[], line: number): void {
    const [name, second, ...rest] = words;
    if (name === undefined) return;
    if (!['bound', 'unbound', 'absent', 'deferred', 'probe', 'probing'].includes(verb)) return;
    const life = this.#life(name, line);
    if (life === null) return;
    switch (verb) {
      case 'bound':
        this.#bind(life);
        life.driver = second ?? life.driver;
        return;
      case 'unbound':
        if (life.state !== 'failed' && (life.state !== 'deferred' || life.timedOut)) life.state = 'unbound';
        return;
      case 'absent':
        life.state = 'absent';
        return;
      case 'probing':
        life.state = 'probing';
        life.driver = second ?? life.driver;
        return;
      case 'deferred': {
        const reason = words.slice(1).join(' ');
        this.#defer(life, life.by ?? (/supplier/.test(reason) ? 'supplier' : 'driver'), reason === '' ? null : reason);
        life.pending = true;
        return;
      }
      case 'probe':
        if (second === 'error' && life.state !== 'bound' && life.state !== 'deferred')
          life.error = Number(rest[0] ?? 0) || life.error;
        return;
    }
  }
}

/**
 * Who deferred, by the reason that devices_deferred gives: the driver core calls itself `platform` or names a supplier.
 */
function listedBy(reason: string | null): 'driver' | 'supplier' | 'unknown' {
  if (reason === null) return 'unknown';
  return /: (?:wait for supplier|supplier) /.test(reason) ? 'supplier' : 'driver';
}

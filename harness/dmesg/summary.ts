import type { BootSign } from './boots.ts';
import { EPROBE_DEFER, isVague } from './deferral.ts';
import type { Crash, DmesgEvent, FollowUp } from './events.ts';
import { rootEvent } from './root.ts';

/** Errors with which a driver says that a device is not its own: call_driver_probe() is silent about them. */
const NOT_MINE: ReadonlySet<number> = new Set([6, 19]); // ENXIO, ENODEV

/** More than any machine has; a log that names more is not believed further. */
const MAX_DEVICES = 50_000;
const MAX_CRASHES = 1000;
const MAX_REJECTED = 1000;
const MAX_INITCALLS = 64;
const MAX_NOTED = 1000;
const MAX_BOOTS = 1000;
const MAX_IN_FLIGHT = 3;

/** deferred_probe_timeout_work_func(), drivers/base/dd.c, since 6.8. */
export const REASON_UNKNOWN = '(reason unknown)';
/** Messages of one attempt follow each other: two lines on a slow console take 20 ms; without stamps, by lines. */
const ATTEMPT_US = 20_000;
const ATTEMPT_LINES = 3;

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

export interface DeviceLife {
  readonly device: string;
  driver: string | null;
  state: DeviceState;
  /** How often a probe was deferred. */
  deferrals: number;
  by: 'driver' | 'supplier' | 'unknown' | null;
  reason: string | null;
  /** Line that gives the reason; 0 without one. */
  reasonLine: number;
  /** Positive errno of the last failed probe. */
  error: number | null;
  /** What its driver said before the last probe failed, and the line that says that it did. */
  words: string | null;
  failedLine: number;
  /** The device was named in the deferred list of a kernel that had given up or settled. */
  pending: boolean;
  /** Its driver has said something else of it since it was deferred. */
  spoke: boolean;
  /** Round of retries in which it was deferred last; 0 where the log does not show rounds. */
  round: number;
  /** devices_deferred has it, with the reason that the kernel knows. */
  listed: boolean;
  timedOut: boolean;
  /** Line that told something of its state last. */
  line: number;
  /** Line that says that it is bound; 0 before. */
  boundLine: number;
}

export interface Initcall {
  readonly function: string;
  readonly module: string | null;
  readonly line: number;
}

export interface RejectedModule {
  readonly module: string | null;
  readonly reason: string;
  readonly line: number;
}

/** The root file system: awaited by the kernel or given up by an initramfs. */
export interface RootState {
  readonly name: string | null;
  readonly missing: boolean;
  /** Who says so. */
  readonly by: 'kernel' | 'initramfs';
  /** The initramfs offers a shell. */
  readonly shell: boolean;
  readonly line: number;
}

/** A boot that another one follows in the same log. */
export interface EarlierBoot {
  /** Where it begins. */
  readonly line: number;
  /** How the next one shows that it begins. */
  readonly sign: BootSign;
  /** `silent`: no word of a shutdown, and no crash that ends a boot. */
  readonly ended: 'shutdown' | 'crash' | 'silent' | 'unknown';
  readonly lastText: string;
  /** Devices whose probes had not returned. */
  readonly probing: readonly string[];
}

function endsBoot({ fatal, followUps }: Crash): boolean {
  return fatal || followUps.some(({ kind }) => kind === 'panic');
}

/** A supplier that holds its resources for a consumer that has not bound. */
interface SyncWait {
  readonly supplier: string;
  readonly consumer: string;
}

/** A part of a device whose bind failed, and with it that of the device (drivers/base/component.c). */
export interface BindFailure {
  readonly device: string;
  readonly driver: string | null;
  readonly part: string;
  /** Positive errno. */
  readonly error: number;
  /** What the driver of the part said. */
  readonly words: string | null;
  readonly line: number;
}

/** A device whose retries start each other: each binds `rebound` anew, and that starts the next one. */
export interface RetryLoop {
  readonly device: string;
  readonly deferrals: number;
  readonly rebound: string;
}

/** Times that a device has to be deferred, and another one bound, before it is a loop: no boot needs so many. */
const LOOP_LEAST = 20;

/** How far the guest's own plan came: `bootrace: start` up to `bootrace: done` (guest/plan.ts). */
export type PlanProgress = 'none' | 'started' | 'done';

/** Everything a verdict is made of, folded from the events of one log. */
export interface LogSummary {
  readonly crashes: readonly Crash[];
  /** Crashes beyond the first thousand, counted only. */
  readonly moreCrashes: number;
  readonly devices: ReadonlyMap<string, DeviceLife>;
  readonly retryLoop: RetryLoop | null;
  readonly rejected: readonly RejectedModule[];
  /** Null when the log does not speak of it, or it was mounted. */
  readonly root: RootState | null;
  /** What boot firmware said when it took an exception of its own. */
  readonly firmwareException: string | null;
  /** The log shows how the kernel was started. */
  readonly started: boolean;
  readonly syncWaits: readonly SyncWait[];
  /** The last one of each device. */
  readonly bindFailures: readonly BindFailure[];
  /** Rounds of retries that the driver core's messages show; each tries all devices that are deferred. */
  readonly rounds: number;
  /** Line from which on the kernel lists what is still deferred when the time is over; null without. */
  readonly pendingFrom: number | null;
  /** Nodes that fw_devlink found to need each other. */
  readonly cycles: readonly { readonly node: string; readonly with: string }[];
  /** Remote processors that went down, with what they said first. */
  readonly remoteprocs: readonly { readonly processor: string; readonly reason: string }[];
  /** Boots before the last one, in their order. */
  readonly boots: readonly EarlierBoot[];
  readonly banner: string | null;
  readonly userSpace: boolean;
  readonly plan: PlanProgress;
  readonly shutdown: boolean;
  readonly dropped: number;
  /** Initcalls that were entered and did not return, outermost first. */
  readonly initcalls: readonly Initcall[];
  readonly lines: number;
  readonly lastLine: string;
  /** Some line is a kernel's. */
  readonly kernel: boolean;
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
    error: null,
    words: null,
    failedLine: 0,
    pending: false,
    spoke: false,
    round: 0,
    listed: false,
    timedOut: false,
    line,
    boundLine: 0,
  };
}

/** Folds events into a LogSummary; memory is bounded. */
export class Summary {
  readonly #crashes: { crash: Crash; followUps: FollowUp[] }[] = [];
  #moreCrashes = 0;
  readonly #devices = new Map<string, DeviceLife>();
  /** How often each device was bound. */
  readonly #binds = new Map<string, number>();
  readonly #rejected: RejectedModule[] = [];
  #root: RootState | null = null;
  #started = false;
  #firmware: string | null = null;
  readonly #syncWaits: SyncWait[] = [];
  readonly #bindFailures = new Map<string, BindFailure>();
  readonly #cycles: { node: string; with: string }[] = [];
  readonly #remoteprocs: { processor: string; reason: string }[] = [];
  readonly #boots: EarlierBoot[] = [];
  #bootLine = 1;
  #banner: string | null = null;
  #userSpace = false;
  #plan: PlanProgress = 'none';
  #shutdown = false;
  #dropped = 0;
  readonly #initcalls: Initcall[] = [];
  #rounds = 0;
  /** Devices that the driver core deferred in this round. */
  readonly #round = new Set<string>();
  #pendingFrom: number | null = null;
  /** The last message of a deferral. */
  #attempt: { readonly device: string; readonly time: number | null; readonly line: number } | null = null;

  add(event: DmesgEvent): void {
    switch (event.event) {
      case 'crash':
        if (this.#isRepeated(event)) return;
        if (this.#crashes.length < MAX_CRASHES) this.#crashes.push({ crash: event, followUps: [...event.followUps] });
        else this.#moreCrashes += 1;
        return;
      case 'follow-up': {
        const owner = this.#crashes.findLast(({ crash }) => crash.line === event.crashLine);
        owner?.followUps.push({ kind: event.kind, title: event.title, line: event.line });
        return;
      }
      case 'banner':
        this.#banner = event.release;
        return;
      case 'boot':
        this.#endBoot(event);
        return;
      case 'user-space':
        this.#userSpace = true;
        return;
      case 'shutdown':
        this.#shutdown = true;
        return;
      case 'kernel-started':
        this.#started = true;
        return;
      case 'firmware-exception':
        this.#firmware ??= event.what;
        return;
      case 'root-awaited':
        this.#root = { name: event.root, missing: false, by: 'kernel', shell: false, line: event.line };
        return;
      case 'root-missing':
        this.#root = {
          name: event.root ?? this.#root?.name ?? null,
          missing: true,
          by: event.by,
          shell: event.shell || this.#root?.shell === true,
          line: event.line,
        };
        return;
      case 'dependency-cycle':
        if (this.#cycles.length < MAX_NOTED) this.#cycles.push({ node: event.node, with: event.with });
        return;
      case 'remoteproc-crash':
        if (
          this.#remoteprocs.length < MAX_NOTED &&
          !this.#remoteprocs.some(({ processor }) => processor === event.processor)
        )
          this.#remoteprocs.push({ processor: event.processor, reason: event.reason });
        return;
      case 'sync-state-pending':
        if (this.#syncWaits.length < MAX_NOTED)
          this.#syncWaits.push({ supplier: event.device, consumer: event.consumer });
        return;
      case 'sync-state-forced':
        return;
      case 'bind-failed': {
        const { device, driver, part, error, words, line } = event;
        if (this.#bindFailures.size < MAX_NOTED || this.#bindFailures.has(device))
          this.#bindFailures.set(device, { device, driver, part, error, words, line });
        return;
      }
      case 'spoke': {
        // It tells nothing of the state, whose line stays.
        const life = this.#devices.get(event.device);
        if (life !== undefined) life.spoke = life.state === 'deferred';
        return;
      }
      case 'dropped':
        this.#dropped += event.count;
        return;
      case 'module-rejected':
        this.#reject(event.module, event.reason, event.line);
        return;
      case 'initcall-entered':
        if (this.#initcalls.length < MAX_INITCALLS)
          this.#initcalls.push({ function: event.function, module: event.module, line: event.line });
        return;
      case 'initcall-returned': {
        const index = this.#initcalls.findLastIndex(
          (call) => call.function === event.function && call.module === event.module,
        );
        if (index >= 0) this.#initcalls.splice(index, 1);
        return;
      }
      case 'agent':
        this.#agent(event.verb, event.words, event.line);
        return;
      default:
        this.#probe(event);
    }
  }

  /** @param end what the parser knows of the whole input */
  finish(end: { readonly lines: number; readonly lastLine: string; readonly kernel: boolean }): LogSummary {
    return {
      crashes: this.#crashes.map(({ crash, followUps }) => ({ ...crash, followUps })).sort((a, b) => a.line - b.line),
      moreCrashes: this.#moreCrashes,
      devices: this.#devices,
      retryLoop: this.#retryLoop(),
      rejected: this.#rejected,
      banner: this.#banner,
      userSpace: this.#userSpace,
      plan: this.#plan,
      shutdown: this.#shutdown,
      dropped: this.#dropped,
      initcalls: this.#initcalls,
      root: this.#rootInQuestion(end.lastLine),
      boots: this.#boots,
      firmwareException: this.#firmware,
      started: this.#started,
      syncWaits: this.#syncWaits,
      bindFailures: [...this.#bindFailures.values()],
      rounds: this.#rounds,
      pendingFrom: this.#pendingFrom,
      cycles: this.#cycles,
      remoteprocs: this.#remoteprocs,
      lines: end.lines,
      lastLine: end.lastLine,
      kernel: end.kernel || this.#banner !== null || this.#crashes.length > 0 || this.#devices.size > 0,
    };
  }

  /**
   * A root file system that was awaited is there once user space runs, except that an initramfs waits in user space,
   * and says so until the root device is there.
   */
  #rootInQuestion(lastLine: string): RootState | null {
    if (this.#root === null || this.#root.missing || !this.#userSpace) return this.#root;
    return rootEvent(lastLine, { line: 0, time: null })?.event === 'root-awaited' ? this.#root : null;
  }

  /** A log that was printed or pasted twice: no two crashes of a kind happen in one microsecond. */
  #isRepeated({ kind, time, title }: Crash): boolean {
    return (
      time !== null &&
      this.#crashes.some(({ crash }) => crash.time === time && crash.kind === kind && crash.title === title)
    );
  }

  /** Another boot: nothing of the one before is in flight any more. */
  #endBoot(event: Extract<DmesgEvent, { readonly event: 'boot' }>): void {
    const crashed = this.#crashes.some(({ crash }) => crash.line >= this.#bootLine && endsBoot(crash));
    const probing = [...this.#devices.values()].filter((life) => life.state === 'probing');
    if (this.#boots.length < MAX_BOOTS)
      this.#boots.push({
        line: this.#bootLine,
        sign: event.sign,
        ended: this.#shutdown ? 'shutdown' : crashed ? 'crash' : event.sign === 'announced' ? 'unknown' : 'silent',
        lastText: event.lastText,
        probing: probing.map(({ device }) => device).slice(-MAX_IN_FLIGHT),
      });
    this.#bootLine = event.line;
    for (const life of probing) life.state = 'matched';
    this.#initcalls.length = 0;
    this.#round.clear();
    this.#pendingFrom = null;
    this.#shutdown = false;
    this.#userSpace = false;
    this.#root = null;
  }

  #reject(module: string | null, reason: string, line: number): void {
    if (this.#rejected.length < MAX_REJECTED) this.#rejected.push({ module, reason, line });
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

  #probe(
    event: Exclude<
      DmesgEvent,
      {
        event:
          | 'crash'
          | 'follow-up'
          | 'banner'
          | 'boot'
          | 'user-space'
          | 'shutdown'
          | 'dropped'
          | 'module-rejected'
          | 'initcall-entered'
          | 'initcall-returned'
          | 'agent'
          | 'root-awaited'
          | 'firmware-exception'
          | 'root-missing'
          | 'kernel-started'
          | 'dependency-cycle'
          | 'remoteproc-crash'
          | 'sync-state-pending'
          | 'sync-state-forced'
          | 'bind-failed'
          | 'spoke';
      }
    >,
  ): void {
    const life = this.#life(event.device, event.line);
    if (life === null) return;
    if (event.driver !== null) life.driver = event.driver;
    switch (event.event) {
      case 'matched':
        if (life.state !== 'bound') life.state = 'matched';
        return;
      case 'probe-entered':
        life.state = 'probing';
        this.#attempt = null;
        return;
      case 'deferred':
        if (event.by === 'supplier') this.#countRound(life);
        if (!this.#isSaid(life, event)) this.#defer(life, event.by, event.reason);
        return;
      case 'retried':
        life.state = 'retried';
        this.#attempt = null;
        return;
      case 'bound':
        this.#bind(life);
        return;
      case 'probe-failed':
        life.state = 'failed';
        life.error = event.error;
        life.words = event.words;
        life.failedLine = event.line;
        return;
      case 'probe-returned':
        this.#returned(life, event.value);
        return;
      case 'deferral-timeout':
        life.timedOut = true;
        return;
      case 'deferral-pending':
        life.pending = true;
        this.#pendingFrom ??= event.line;
        this.#defer(life, life.by ?? 'unknown', event.reason);
        return;
      case 'deferral-listed':
        life.pending = true;
        life.listed = true;
        this.#defer(life, listedBy(event.reason), event.reason);
        return;
    }
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
  #retryLoop(): RetryLoop | null {
    const [rebound, binds] = [...this.#binds].reduce((most, next) => (next[1] > most[1] ? next : most), ['', 0]);
    const looping = [...this.#devices.values()]
      .filter(({ deferrals, state, device }) => deferrals >= LOOP_LEAST && state !== 'bound' && device !== rebound)
      .sort((a, b) => b.deferrals - a.deferrals)[0];
    if (binds < LOOP_LEAST || looping === undefined) return null;
    return { device: looping.device, deferrals: looping.deferrals, rebound };
  }

  /** One deferral is told in up to three messages: the driver's, the list's and the timing of initcall_debug. */
  #defer(life: DeviceLife, by: 'driver' | 'supplier' | 'unknown', reason: string | null): void {
    if (life.state !== 'deferred') life.deferrals += 1;
    life.spoke = false;
    life.state = 'deferred';
    if (by !== 'unknown' || life.by === null) life.by = by;
    // The kernel does not know what a driver did not give to dev_err_probe(); the log may have it all the same.
    if (reason === null || (life.reason !== null && (reason === REASON_UNKNOWN || isVague(reason)))) return;
    life.reason = reason;
    life.reasonLine = life.line;
  }

  /** driver_deferred_probe_trigger(), drivers/base/dd.c, has all deferred devices tried again. */
  #countRound(life: DeviceLife): void {
    if (this.#rounds === 0 || this.#round.has(life.device)) {
      this.#round.clear();
      this.#rounds += 1;
    }
    this.#round.add(life.device);
    life.round = this.#rounds;
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
    if (time === null || last.time === null) return line - last.line <= ATTEMPT_LINES;
    return Math.abs(time - last.time) <= ATTEMPT_US;
  }

  /**
   * What `probe of X returned N` means changed in 5.11: before, 1 was success and 0 an error that had been dealt with.
   */
  #returned(life: DeviceLife, value: number): void {
    const errno = Math.abs(value);
    if (errno === EPROBE_DEFER) this.#defer(life, value < 0 ? 'supplier' : 'driver', null);
    else if (value === 1) this.#bind(life);
    else if (value === 0) {
      if (life.state === 'probing' || life.state === 'matched' || life.state === 'retried')
        if (this.#zeroIsSuccess()) this.#bind(life);
    } else if (NOT_MINE.has(errno)) {
      if (life.state !== 'bound') life.state = 'declined';
    } else {
      life.state = 'failed';
      life.error = errno;
    }
  }

  #zeroIsSuccess(): boolean {
    const version = /^(\d+)\.(\d+)/.exec(this.#banner ?? '');
    if (version === null) return true;
    const major = Number(version[1]);
    return major > 5 || (major === 5 && Number(version[2]) > 10);
  }

  #agent(verb: string, words: readonly string[], line: number): void {
    if (verb === 'start') this.#plan = 'started';
    if (verb === 'done') this.#plan = 'done';
    this.#userSpace = true;
    const [name, second, ...rest] = words;
    if (name === undefined) return;
    if (verb === 'load') {
      if (second === 'error') this.#reject(name, rest.join(' '), line);
      return;
    }
    if (!['bound', 'unbound', 'absent', 'deferred', 'probe', 'probing'].includes(verb)) return;
    const life = this.#life(name, line);
    if (life === null) return;
    switch (verb) {
      case 'bound':
        this.#bind(life);
        life.driver = second ?? life.driver;
        return;
      case 'unbound':
        if (life.state !== 'deferred' && life.state !== 'failed') life.state = 'unbound';
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

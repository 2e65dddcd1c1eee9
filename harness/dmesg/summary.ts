import type { BootSign } from './boots.ts';
import { Complaints, type GoodWords, Heard, type Words } from './complaints.ts';
import { EPROBE_DEFER } from './deferral.ts';
import type { Crash, DmesgEvent, FollowUp, Machine } from './events.ts';
import { type DeviceLife, isOneAttempt, Lives, type Place, type RetryLoop } from './lives.ts';
import { machineOfReport } from './machine.ts';
import { lacksPins } from './pins.ts';
import { rootEvent } from './root.ts';
import { NO_DRIVERS } from './spoken.ts';

const MAX_CRASHES = 1000;
const MAX_REJECTED = 1000;
const MAX_INITCALLS = 64;
const MAX_NOTED = 1000;
const MAX_BOOTS = 1000;
const MAX_IN_FLIGHT = 3;
const MAX_STIRS = 8;
const MAX_SUMMARIES = 32;
const MAX_LINKS = 50_000;

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

/** Whether what came is the root that is awaited; one that was given up has to be mounted. */
function isRoot(
  { name, missing }: RootState,
  { devices, mounted }: Extract<DmesgEvent, { readonly event: 'root-there' }>,
): boolean {
  if (devices === null) return true;
  return (mounted || !missing) && devices.some((device) => name === device || name === `/dev/${device}`);
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

/** Whether the kernel, or the task, did not go on after it. */
export function endsBoot({ fatal, followUps }: Crash): boolean {
  return fatal || followUps.some(({ kind }) => kind === 'panic');
}

/** A supplier that holds its resources for a consumer that has not bound. */
interface SyncWait {
  readonly supplier: string;
  readonly consumer: string;
  readonly line: number;
  /** Microseconds since the boot; null where the line has no stamp. */
  readonly time: number | null;
}

/** The driver core has the consumer wait for the supplier until that is bound. */
export interface Link {
  readonly consumer: string;
  readonly supplier: string;
  readonly line: number;
}

/** A part of a device whose bind failed, and with it that of the device (drivers/base/component.c). */
export interface BindFailure {
  readonly device: string;
  readonly driver: string | null;
  readonly part: string;
  /** Positive errno. */
  readonly error: number;
  /** What the driver of the part said, and the line in which that begins. */
  readonly words: string | null;
  readonly wordsLine: number;
  readonly line: number;
}

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
  /** Partitions that disks are said to have. */
  readonly partitions: readonly string[];
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
  /** Line from which on the driver core waits no more for what has no driver; null without a word of that. */
  readonly timeOverFrom: number | null;
  /** The log has the debug messages of drivers/base/dd.c, which tell of each probe and of what came of it. */
  readonly tellsProbes: boolean;
  /** Every message that tells something of a device has a stamp, and none is older than one before. */
  readonly inOrder: boolean;
  /** The last lines, where the parser was asked for them, that show something bound: all that waits is tried again. */
  readonly stirs: readonly number[];
  /** Nodes that fw_devlink found to need each other. */
  readonly cycles: readonly { readonly node: string; readonly with: string }[];
  /** Links of devices to their suppliers, where the parser was asked for them. */
  readonly links: readonly Link[];
  /** Regulators that supply others or are supplied, by their own names, with the last line that says so; likewise. */
  readonly supplying: ReadonlyMap<string, number>;
  /** By device, what drivers said that sounds like an error, where the parser was asked for it. */
  readonly complaints: ReadonlyMap<string, Words>;
  /** Lines that speak of deferral and are not understood, where the parser was asked for them; the first ones. */
  readonly unread: readonly { readonly text: string; readonly line: number; readonly time: number | null }[];
  /** By device, what drivers said last that does not. */
  readonly heard: ReadonlyMap<string, GoodWords>;
  /** Functions of probes that speak, with where each did first, and the line that said last that it succeeded or 0. */
  readonly probeFunctions: ReadonlyMap<string, Place & { readonly ended: number }>;
  /** Devices that have not got their pins and whose drivers spoke right after it, with the line that says so. */
  readonly withoutPins: ReadonlyMap<string, number>;
  /** Remote processors that went down, with what they said first. */
  readonly remoteprocs: readonly { readonly processor: string; readonly reason: string }[];
  /** Boots before the last one, in their order. */
  readonly boots: readonly EarlierBoot[];
  readonly banner: string | null;
  /** The kernel's release by other lines than its first, where the parser was asked for it. */
  readonly release: string | null;
  /** Null where no line says it. */
  readonly machine: Machine | null;
  /** Where the registers of the early console's UART are. */
  readonly earlyConsole: { readonly address: number; readonly line: number } | null;
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
  /** A text that quotes a few lines of a log: how the boot went on is not in it. */
  readonly quoted: boolean;
}

/** What the parser knows of the whole input. */
type WholeLog = Pick<LogSummary, 'lines' | 'lastLine' | 'kernel' | 'quoted'>;

/** Folds events into a LogSummary; memory is bounded. */
export class Summary {
  readonly #crashes: { crash: Crash; followUps: FollowUp[] }[] = [];
  #moreCrashes = 0;
  readonly #lives = new Lives();
  readonly #rejected: RejectedModule[] = [];
  #root: RootState | null = null;
  readonly #partitions: string[] = [];
  #started = false;
  #firmware: string | null = null;
  readonly #syncWaits: SyncWait[] = [];
  readonly #bindFailures = new Map<string, BindFailure>();
  readonly #cycles: { node: string; with: string }[] = [];
  readonly #remoteprocs: { processor: string; reason: string }[] = [];
  readonly #complaints = new Complaints();
  readonly #withoutPins = new Map<string, number>();
  #pinless: (Place & { readonly device: string }) | null = null;
  readonly #unread: { text: string; line: number; time: number | null }[] = [];
  readonly #heard = new Heard();
  readonly #probeFunctions = new Map<string, Place & { ended: number }>();
  readonly #links: Link[] = [];
  readonly #supplying = new Map<string, number>();
  readonly #stirs: number[] = [];
  readonly #boots: EarlierBoot[] = [];
  #bootLine = 1;
  #banner: string | null = null;
  #release: string | null = null;
  #machine: Machine | null = null;
  #earlyConsole: { readonly address: number; readonly line: number } | null = null;
  #userSpace = false;
  #plan: PlanProgress = 'none';
  #shutdown = false;
  #dropped = 0;
  readonly #initcalls: Initcall[] = [];

  add(event: DmesgEvent): void {
    switch (event.event) {
      case 'crash':
        this.#machine ??= machineOfReport(event.text);
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
        this.#lives.release = event.release;
        return;
      case 'release':
        this.#release ??= event.release;
        this.#lives.release ??= event.release;
        return;
      case 'machine':
        this.#machine = { model: event.model, mayBeArm64: event.mayBeArm64 };
        return;
      case 'early-console':
        this.#earlyConsole = { address: event.address, line: event.line };
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
        this.#root = {
          name: event.root ?? this.#root?.name ?? null,
          missing: false,
          by: 'kernel',
          shell: false,
          line: event.line,
        };
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
      case 'root-there':
        if (!event.mounted && this.#partitions.length < MAX_NOTED) this.#partitions.push(...(event.devices ?? []));
        if (this.#root !== null && isRoot(this.#root, event)) this.#root = null;
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
        // dev_has_sync_state(), drivers/base/base.h, asks the device's driver: it is bound, whatever was said earlier.
        if (event.driver !== null && !NO_DRIVERS.has(event.driver)) this.#lives.supplies(event.device, event.line);
        if (this.#syncWaits.length < MAX_NOTED)
          this.#syncWaits.push({
            supplier: event.device,
            consumer: event.consumer,
            line: event.line,
            time: event.time,
          });
        return;
      case 'sync-state-forced':
        return;
      case 'complained':
        this.#complaints.add(event);
        // What speaks already is at work; what asks again was deferred.
        if (lacksPins(event.words) && !this.#heard.all.has(event.device))
          this.#pinless = this.#pinless?.device === event.device ? null : event;
        return;
      case 'probe-speaks': {
        const { symbol, ends, line, time } = event;
        const known = this.#probeFunctions.get(symbol);
        const next = known ?? { line, time, ended: 0 };
        if (ends) next.ended = line;
        if (known === undefined && this.#probeFunctions.size < MAX_NOTED) this.#probeFunctions.set(symbol, next);
        return;
      }
      case 'unread':
        if (this.#unread.length < MAX_NOTED)
          this.#unread.push({ text: event.text, line: event.line, time: event.time });
        return;
      case 'bind-failed': {
        const { device, driver, part, error, line } = event;
        const known = this.#bindFailures.get(device);
        this.#complaints.noteBind(line);
        // Many a driver says only once what it lacks.
        const before = known?.part === part && known.error === error ? known : null;
        const words = event.words ?? before?.words ?? null;
        const wordsLine = event.words === null ? (before?.wordsLine ?? line) : (event.wordsLine ?? line);
        if (this.#bindFailures.size < MAX_NOTED || this.#bindFailures.has(device))
          this.#bindFailures.set(device, { device, driver, part, error, words, wordsLine, line });
        return;
      }
      case 'linked':
        this.#lives.relink(event.consumer);
        if (this.#links.length < MAX_LINKS)
          this.#links.push({ consumer: event.consumer, supplier: event.supplier, line: event.line });
        return;
      case 'supplies':
        for (const regulator of event.regulators)
          if (this.#supplying.size < MAX_LINKS || this.#supplying.has(regulator))
            this.#supplying.set(regulator, event.line);
        return;
      case 'stirred':
        if (event.card) this.#lives.findCard(event.line);
        this.#stirs.push(event.line);
        if (this.#stirs.length > MAX_STIRS) this.#stirs.shift();
        return;
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
        if (event.event === 'spoke') this.#hear(event);
        this.#lives.add(event);
        if (event.event === 'bound') this.#bindPart(event.device, event.line);
    }
  }

  /** pinctrl_bind_pins(), drivers/base/pinctrl.c, ends a probe for -EPROBE_DEFER and -EINVAL only. */
  #hear(event: Extract<DmesgEvent, { readonly event: 'spoke' }>): void {
    this.#heard.add(event);
    const { device, line } = this.#pinless ?? { device: null, line: 0 };
    if (this.#pinless === null || device !== event.device || !isOneAttempt(this.#pinless, event)) return;
    if (this.#withoutPins.size < MAX_NOTED) this.#withoutPins.set(device, line);
  }

  /** What could not be bound before is bound as a part: its whole waits no more for it. */
  #bindPart(part: string, line: number): void {
    for (const [device, failure] of this.#bindFailures) {
      if (failure.part !== part) continue;
      this.#bindFailures.delete(device);
      if (device !== part && failure.error === EPROBE_DEFER) this.#lives.bindWhole(device, part, line);
    }
  }

  finish(end: WholeLog): LogSummary {
    return {
      crashes: this.#crashes.map(({ crash, followUps }) => ({ ...crash, followUps })).sort((a, b) => a.line - b.line),
      moreCrashes: this.#moreCrashes,
      devices: this.#lives.devices,
      retryLoop: this.#lives.retryLoop(),
      rejected: this.#rejected,
      banner: this.#banner,
      release: this.#release,
      machine: this.#machine,
      earlyConsole: this.#earlyConsole,
      userSpace: this.#userSpace,
      plan: this.#plan,
      shutdown: this.#shutdown,
      dropped: this.#dropped,
      initcalls: this.#initcalls,
      root: this.#rootInQuestion(end.lastLine),
      partitions: this.#partitions,
      boots: this.#boots,
      firmwareException: this.#firmware,
      started: this.#started,
      syncWaits: this.#syncWaits,
      bindFailures: [...this.#bindFailures.values()],
      rounds: this.#lives.rounds,
      pendingFrom: this.#lives.pendingFrom,
      timeOverFrom: this.#lives.timeOverFrom,
      tellsProbes: this.#lives.tellsProbes,
      inOrder: this.#lives.inOrder,
      cycles: this.#cycles,
      complaints: this.#complaints.all,
      withoutPins: this.#withoutPins,
      unread: this.#unread,
      heard: this.#heard.all,
      probeFunctions: this.#probeFunctions,
      stirs: this.#stirs,
      links: this.#links,
      supplying: this.#supplying,
      remoteprocs: this.#remoteprocs,
      lines: end.lines,
      lastLine: end.lastLine,
      quoted: end.quoted,
      kernel: end.kernel || this.#banner !== null || this.#crashes.length > 0 || this.#lives.devices.size > 0,
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
    const probing = this.#lives.endBoot();
    if (this.#boots.length < MAX_BOOTS)
      this.#boots.push({
        line: this.#bootLine,
        sign: event.sign,
        ended: this.#shutdown ? 'shutdown' : crashed ? 'crash' : event.sign === 'announced' ? 'unknown' : 'silent',
        lastText: event.lastText,
        probing: probing.slice(-MAX_IN_FLIGHT),
      });
    this.#bootLine = event.line;
    this.#initcalls.length = 0;
    this.#shutdown = false;
    this.#userSpace = false;
    this.#root = null;
    this.#partitions.length = 0;
  }

  #reject(module: string | null, reason: string, line: number): void {
    if (this.#rejected.length < MAX_REJECTED) this.#rejected.push({ module, reason, line });
  }
  #agent(verb: string, words: readonly string[], line: number): void {
    if (verb === 'start') this.#plan = 'started';
    if (verb === 'done') this.#plan = 'done';
    this.#userSpace = true;
    const [name, second, ...rest] = words;
    if (verb === 'load' && name !== undefined && second === 'error') this.#reject(name, rest.join(' '), line);
    this.#lives.agent(verb, words, line);
  }
}

/** A boot of a log, and the line that it begins in. */
export interface BootOfLog {
  readonly line: number;
  readonly summary: LogSummary;
}

/** What events of a boot come to that were kept. */
export function summaryOf(events: Iterable<DmesgEvent>): LogSummary {
  const summary = new Summary();
  for (const event of events) summary.add(event);
  return summary.finish({ lines: 0, lastLine: '', kernel: true, quoted: false });
}

/** The boots of a log in their order; of very many, only the later ones. */
export interface BootsOfLog {
  readonly earlier: readonly BootOfLog[];
  readonly last: BootOfLog;
}

/**
 * Folds the events of a log into a summary of each of its boots; memory is bounded. Time stamps alone that go back do
 * not tell another boot: people show pieces of one in any order.
 */
export class BootSummaries {
  readonly #ended: { readonly line: number; readonly summary: Summary }[] = [];
  #last = { line: 1, summary: new Summary() };

  add(event: DmesgEvent): void {
    if (event.event !== 'boot' || event.sign === 'clock') this.#last.summary.add(event);
    else {
      this.#ended.push(this.#last);
      if (this.#ended.length > MAX_SUMMARIES) this.#ended.shift();
      this.#last = { line: event.line, summary: new Summary() };
    }
  }

  finish(end: WholeLog): BootsOfLog {
    const of = ({ line, summary }: { line: number; summary: Summary }) => ({ line, summary: summary.finish(end) });
    return { earlier: this.#ended.map(of), last: of(this.#last) };
  }
}

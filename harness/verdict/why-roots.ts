import type { Words } from '../dmesg/complaints.ts';
import type { DeviceLife } from '../dmesg/lives.ts';
import type { LogSummary, RejectedModule } from '../dmesg/summary.ts';

/** A warning of the kernel while a provider of what is lacking was registered. */
export interface WarnedProvider {
  /** What it provides, with its article. */
  readonly noun: string;
  /** The driver's function. */
  readonly by: string;
  readonly title: string;
  readonly line: number;
}

/** What is said of a part of a device that its driver says nothing of. */
export const NOT_YET = 'it cannot be bound as a part yet';

/** What a node may be of which no device is made. */
export type PartOfDevice = 'pins' | 'port' | 'NVMEM cell' | 'regulator';

/** Why a root is not there. */
export type RootCause =
  /**
   * Nothing in the log speaks of it: no driver was ever called for it. `alike`: a device of the same kind by its name
   * that is there, so that the kernel has a driver for it.
   */
  | { readonly cause: 'never-probed'; readonly alike: string | null }
  /** The same, and nothing in the log speaks of the bus that it is behind. */
  | { readonly cause: 'no-bus'; readonly bus: string }
  /** Nothing in the log tells what became of its probe, but a driver speaks of it, which may be that of a whole. */
  | { readonly cause: 'spoken-of'; readonly driver: string | null }
  /** All that wait for it are made by its own probe, which has not come to its end as far as the log tells. */
  | { readonly cause: 'own-parent'; readonly driver: string | null }
  /**
   * It is no device, but a part that a sound card's driver looks for by this name, of this kind. `perhaps`: codecs and
   * amplifiers that failed, of which one may have it.
   */
  | { readonly cause: 'no-part'; readonly kind: string; readonly perhaps: readonly string[] }
  /**
   * It is a node of this name, of which no device is made, and one of `perhaps`, which are not bound either, may be
   * what it is a part of.
   */
  | { readonly cause: 'part-of'; readonly part: PartOfDevice; readonly perhaps: readonly string[] }
  | { readonly cause: 'no-driver'; readonly compatible: readonly string[] }
  | { readonly cause: 'module-not-loaded'; readonly modules: readonly string[] }
  /** The device tree has no such node, or a node of which no device is made. */
  | { readonly cause: 'half-merged-tree'; readonly what: string }
  | { readonly cause: 'node-disabled' }
  /** A device that a cell watches and no boot has: the device tree has no node for it, and no driver has made it. */
  | { readonly cause: 'no-device' }
  /**
   * It has not got its pins, and the log does not have what the pin controller said: deferred, or failed without a word
   * of the driver core (pinctrl_bind_pins(), drivers/base/pinctrl.c).
   */
  | {
      readonly cause: 'no-pins';
      /** Nothing says later that it is deferred, so that it may be bound. */
      readonly goesOn: boolean;
    }
  /** Deferred, and the log does not say by what. `perhaps`: what stands beside it, of a kind that it may lack. */
  | { readonly cause: 'silent'; readonly perhaps: readonly string[] }
  /**
   * Its own driver returns -EPROBE_DEFER, and says where, of which the kind of the provider may be told. `perhaps` are
   * devices that are not bound either and that provide such a thing by their names, which is a guess.
   */
  | {
      readonly cause: 'own-deferral';
      /** A pin controller may be there, and defer those that ask for its pins. */
      readonly whom: 'it' | 'who asks for its pins';
      readonly driver: string | null;
      readonly call: string | null;
      readonly wants: string | null;
      readonly perhaps: readonly string[];
      /** Those that wait for the device itself although they provide such a thing by their names: a circle, perhaps. */
      readonly circle: readonly string[];
      /** Those of `perhaps` that by their words lack what this one may provide: a circle of drivers, perhaps. */
      readonly mutual: readonly string[];
      /** What fw_devlink found in a cycle with it, of which one may be the other end of the link that it looks for. */
      readonly far: readonly string[];
      /** The device below it that it waits for, and what the kernel found to need that and to be needed by it. */
      readonly below: { readonly device: string; readonly circle: readonly string[] } | null;
    }
  | {
      readonly cause: 'failed';
      readonly driver: string | null;
      readonly error: number | null;
      /** The log has the number without a minus sign. */
      readonly positive: boolean;
    }
  /** As a part of another device, for which it has been probed before. */
  | { readonly cause: 'bind-failed'; readonly whole: string; readonly error: number }
  /** The driver core defers it, and the log does not have the supplier's name. */
  | { readonly cause: 'unnamed-supplier' }
  /**
   * `perhaps`: as above, of what the time-out ends the wait for. `goesOn`: nothing says that the probe failed, and
   * without an IOMMU it goes on (of_iommu_configure(), drivers/iommu/of_iommu.c), so that it may be bound.
   */
  | {
      readonly cause: 'timed-out';
      readonly driver: string | null;
      /** It was no time-out: all initcalls were over, and the kernel expected no driver any more. */
      readonly assumedNone: boolean;
      /** Positive errno with which the probe then failed, as far as the log tells. */
      readonly error: number | null;
      readonly perhaps: readonly string[];
      readonly goesOn: boolean;
    }
  /** `relaxed`: fw_devlink found it and does not enforce it, so that it is a guess that its members wait. */
  | { readonly cause: 'cycle'; readonly members: readonly string[]; readonly relaxed: boolean }
  | { readonly cause: 'retry-loop'; readonly times: number; readonly rebound: string }
  | { readonly cause: 'not-returned'; readonly driver: string | null };

/** Something that others wait for, and that waits for nothing itself. */
export interface Root {
  /** A device, or where there is none the node that is waited for. */
  readonly name: string;
  readonly cause: RootCause;
  /** The words of the log that this rests on, and the line of what became of it. */
  readonly evidence: string | null;
  readonly line: number | null;
  /** The line in which the words begin, where that is an earlier one. */
  readonly wordsLine?: number;
  /**
   * Devices that are not bound for its sake, each with the one that it waits for itself; the root itself is not among
   * them.
   */
  readonly waiting: readonly Waiting[];
}

/** A device that waits, and what it waits for itself. */
export interface Waiting {
  readonly device: string;
  readonly for: string;
  /** `boot`: it is bound in another boot that has what it waits for, and the device tree does not link them. */
  readonly known: 'log' | 'tree' | 'boot';
  /** The properties of its node that say so, where the device tree does. */
  readonly properties: readonly string[];
}

/** A crash after which the kernel, or the task that probed, did not go on. */
export interface CrashOfBoot {
  readonly title: string;
  readonly line: number;
  /** The probe that crashed: the driver's function, or driver and device where the log has them. */
  readonly probe: string | null;
  /** What a driver said of an error shortly before it. */
  readonly before: Words | null;
  /** The kernel did not go on, whatever became of the task. */
  readonly panics: boolean;
  /** The kernel went on without the worker that retries what is deferred. */
  readonly endsRetries: boolean;
}

/** What a suspect has to do with devices that wait, by their names. */
export type Tie =
  | 'feeds the CPUs'
  | 'below'
  | 'by name'
  | 'on that bus'
  | 'lacks the same'
  | 'audio'
  | 'display'
  | 'camera';

/** An error that may be why something is not bound. */
export interface Suspect extends Words {
  readonly tie: { readonly kind: Tie; readonly devices: readonly string[] } | null;
}

/** What a driver said of a device that did not come up. */
export interface SilentFailure extends Words {
  /** The kernel's warning in a probe, shortly before. */
  readonly warning: { readonly title: string; readonly probe: string; readonly line: number } | null;
  /** Of a card, what a driver said of an MMC host just before; which host that is, the log need not tell. */
  readonly before: Words | null;
}

/** A device that was deferred, the line that shows that it is bound, and what was said last of why it was not. */
export interface BoundLater {
  readonly device: string;
  readonly line: number;
  readonly reason: string | null;
  readonly reasonLine: number;
  /** What its driver said of another error just before. */
  readonly error: { readonly words: string; readonly line: number } | null;
  /** In microseconds; null where stamps do not tell. */
  readonly wait: { readonly from: number; readonly to: number } | null;
  /** Where the driver core ended its wait for a supplier, and with which it was bound without that. */
  readonly letGo: DeviceLife['letGo'];
}

/** Devices that waited for their own parent, and are bound since. */
export interface MadeBy {
  readonly parent: string;
  readonly children: readonly string[];
  readonly driver: string | null;
  readonly line: number;
}

/** An I2C device of which no driver speaks. */
export interface Unspoken {
  readonly device: string;
  /** What it is, and what its node has in it, by the path that the log has of it; null without. */
  readonly what: string | null;
}

/** What controllers of many kinds have in common that wait without a reason: their pins, for one. */
interface InCommon {
  /** What their nodes are called. */
  readonly kinds: readonly string[];
  /** Pin controllers that are not bound either. */
  readonly perhaps: readonly string[];
  /** No line speaks of a pin controller. */
  readonly isUnheard: boolean;
}

export interface Why {
  /** The kernel's release; null where the log does not have it. */
  readonly kernel: string | null;
  /** Which boot of a log of several this is of, counted from 1, and the line that it begins in. */
  readonly boot: { readonly number: number; readonly of: number; readonly line: number } | null;
  /** The log does not begin where a boot does. */
  readonly isPiece: boolean;
  /** Nothing shows that what is deferred has been tried a second time. */
  readonly isEarly: boolean;
  /** What ended the boot, where that was not for the lack of its root file system. */
  readonly crash: CrashOfBoot | null;
  readonly roots: readonly Root[];
  /** Devices that are not bound, the roots among them. */
  readonly unbound: number;
  /** Not among `unbound`: roots of which {@link mayBeBound} is true. */
  readonly goneOn: number;
  /**
   * Not among `unbound`: consumers that no driver was bound to when suppliers' sync_state() waited for them, first in
   * this line; they need not be deferred (fw_devlink_dev_sync_state(), drivers/base/core.c). The time is in
   * microseconds.
   */
  readonly undriven: {
    readonly devices: readonly string[];
    readonly line: number;
    readonly time: number | null;
  } | null;
  /** Those of `unbound` of which the log does not say why. */
  readonly unexplained: readonly string[];
  /**
   * Where the log spoke of one of these last; the time in microseconds. `later`: where a driver spoke of a device that
   * the log had not spoken of before, so that something was bound since; null without.
   */
  readonly seen: { readonly line: number; readonly time: number | null; readonly later: number | null } | null;
  /** Those of them that others may wait for: a guess by what devices with such a name do. */
  readonly likely: readonly string[];
  /** Kinds of what drivers say that they lack, of which no driver of what is not among these devices speaks. */
  readonly unheard: readonly string[];
  /** I2C devices that fw_devlink names and no driver speaks of: where they have none, those may wait for them. */
  readonly unspoken: readonly Unspoken[];
  /** What they may have in common; null where they are of few kinds. */
  readonly common: InCommon | null;
  /** Those of them that by initcall_debug the driver core held back, so that their drivers did not run. */
  readonly refused: readonly { readonly device: string; readonly line: number }[];
  /** Their drivers gave no reason, so that the kernel has none to tell; otherwise the log may only not print it. */
  readonly reasonless: boolean;
  /**
   * Deferred once, and no more when all were tried again or what is pending was listed, or their drivers spoke since:
   * bound or failed, as far as lines later in the log tell, which is a guess.
   */
  readonly settled: readonly string[];
  /** Deferred once, and bound since, what came last first: of many, only so many are named. */
  readonly bound: readonly BoundLater[];
  /** Not among `bound`: those that were deferred for what makes them in its own probe, and who drives them since. */
  readonly madeBy: readonly MadeBy[];
  /** Where nothing is left open: what was deferred for the longest time, in microseconds, and what it lacked last. */
  readonly waited: {
    readonly device: string;
    readonly wait: { readonly from: number; readonly to: number };
    readonly reason: string;
    readonly line: number;
  } | null;
  /** The UART of the early console, where that is not bound, and the line that has its address. */
  readonly console: { readonly device: string; readonly line: number } | null;
  /** Devices on I2C that failed, each with one of that address on another bus that works by the same driver. */
  readonly doubles: ReadonlyMap<string, string>;
  /** Modules that the kernel refused, each with the first reason: what they drive is not bound. */
  readonly rejected: readonly RejectedModule[];
  /** What drivers of other devices said that sounds like an error, and that no later line refutes. */
  readonly said: readonly Words[];
  /** Those of them that may be why something is not bound; where nothing is left open, that may have ended a probe. */
  readonly complaints: readonly Suspect[];
  /** Not among those: devices that say themselves that they did not come up; the driver core has no word of it. */
  readonly silent: readonly SilentFailure[];
  /** The first warning of each kind of what is lacking. */
  readonly warnedProviders: readonly WarnedProvider[];
  /** Devices whose pins could not be set and whose drivers spoke right after it, with the line that says so. */
  readonly withoutPins: readonly { readonly device: string; readonly line: number }[];
  /** Where no line says that a device is not bound: those that speak of deferral and are not understood. */
  readonly unread: LogSummary['unread'];
  /** The root file system that the kernel or its initramfs waits for, and what may hold it of what is not bound. */
  readonly rootDevice: {
    readonly name: string | null;
    readonly perhaps: readonly string[];
    /** Where nothing may hold it: errors of hosts and ports that disks of its kind are at, or of the device mapper. */
    readonly said: readonly Words[];
    /** Made of other devices by the device mapper: verity, LUKS, LVM. */
    readonly mapped: boolean;
    /** Those that the log has and of which it may be one. */
    readonly partitions: readonly string[];
    /** The initramfs offers a shell. */
    readonly shell: boolean;
  } | null;
}

/** A root while the devices that wait for it are gathered. */
export interface Found {
  cause: RootCause;
  evidence: string | null;
  line: number | null;
  readonly wordsLine?: number;
  readonly waiting: Map<string, string>;
}

/** Where a device's suppliers end: at what waits for nothing, or in a circle, whose members are given. */
export interface End {
  readonly end: string;
  readonly members: readonly string[] | null;
}

/** Whether no line says of a root that its probe came to nothing, so that it may be bound. */
export function mayBeBound({ cause }: Pick<Root, 'cause'>): boolean {
  return (cause.cause === 'timed-out' || cause.cause === 'no-pins') && cause.goesOn;
}

/** Whether a driver defers a device, and neither it nor the kernel says why. */
export function isWordless({ cause, evidence }: Pick<Root, 'cause' | 'evidence'>): boolean {
  return cause.cause === 'own-deferral' && cause.whom === 'it' && cause.call === null && evidence === null;
}

/** How many devices are not bound, or may not be as far as the log tells. */
export function leftOpen({ unbound, goneOn }: Pick<Why, 'unbound' | 'goneOn'>): number {
  return unbound + goneOn;
}

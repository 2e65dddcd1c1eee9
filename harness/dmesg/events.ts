import type { CrashKind } from '../model/crash.ts';
import type { BootSign } from './boots.ts';

/**
 * What the parser says about a kernel log. An event is a fact that stands in the text: `line` is the 1-based number of
 * the line it was read from and `time` the printk time stamp in microseconds, or null where the log has none.
 */
interface At {
  readonly line: number;
  readonly time: number | null;
}

/** What the kernel calls the machine, by the model of its device tree. */
export interface Machine {
  readonly model: string;
  /** False where arm64 does not say it so. */
  readonly mayBeArm64: boolean;
}

/** A function that stands further in than the one to blame, and why it is not to blame itself. */
export interface PassedOver {
  readonly function: string;
  readonly why: string;
}

export interface Frame {
  readonly function: string;
  readonly offset: number | null;
  readonly size: number | null;
  readonly module: string | null;
  /** File and line, from the log itself (decoded traces) or from a vmlinux. */
  readonly source: string | null;
}

/** A report that belongs to an earlier crash: the panic after an oops, the WARN a panic prints, the second oops. */
export interface FollowUp {
  readonly kind: CrashKind;
  readonly title: string;
  readonly line: number;
}

export interface Crash extends At {
  readonly event: 'crash';
  readonly kind: CrashKind;
  /** The kernel, or at least the task, did not go on; false for reports that the kernel survives. */
  readonly fatal: boolean;
  /** In the words of syzkaller and kernel maintainers: "unable to handle kernel NULL pointer dereference in X". */
  readonly title: string;
  /** As a tracker that groups reports by machine titles it (syzkaller's convention): differs for stalls. */
  readonly trackerTitle: string;
  /** Kind and blamed function without addresses, offsets and counters: equal over rebuilds. */
  readonly signature: string;
  /** The function to blame, as a maintainer would title the report. */
  readonly function: string | null;
  readonly offset: number | null;
  readonly module: string | null;
  /** Virtual address of the fault, `0x` and hexadecimal without leading zeros. */
  readonly address: string | null;
  /** Functions further in than `function`, and why they are not to blame. */
  readonly passedOver: readonly PassedOver[];
  readonly comm: string | null;
  readonly pid: number | null;
  readonly cpu: number | null;
  /** CPUs that an RCU stall is about; empty for everything else. */
  readonly stalledCpus: readonly number[];
  readonly workqueue: string | null;
  readonly pc: Frame | null;
  readonly lr: Frame | null;
  readonly trace: readonly Frame[];
  /** The `Code:` line's text. */
  readonly code: string | null;
  readonly registers: Readonly<Record<string, string>>;
  /** `drivers/iommu/arm-smmu.c:123` where the block names it. */
  readonly source: string | null;
  readonly lastLine: number;
  /** Text of the block's lines as printed, bounded. */
  readonly text: readonly string[];
  /** Reports of the same block: the panic after an oops, the WARN a panic prints. */
  readonly followUps: readonly FollowUp[];
  /** True when the log ended or was cut inside the block. */
  readonly truncated: boolean;
  /** The probe that was in flight on the crashing task, where the log shows it. */
  readonly probing: { readonly driver: string; readonly device: string } | null;
}

export type ProbeEvent = At & { readonly device: string; readonly driver: string | null } & (
    | { readonly event: 'matched' }
    /** It is probed by another task than the one that registered it or its driver. */
    | { readonly event: 'probe-async' }
    | { readonly event: 'probe-entered' }
    | {
        readonly event: 'deferred';
        readonly by: 'driver' | 'supplier' | 'unknown';
        readonly reason: string | null;
        /** The driver core says it of every attempt of every driver (really_probe(), drivers/base/dd.c). */
        readonly everyTime?: true;
      }
    | { readonly event: 'retried' }
    /** The driver of a device that was deferred says something else of it, or a subsystem does, without a driver. */
    | {
        readonly event: 'spoke';
        readonly words: string;
        /** The words are of what is registered when a probe is as good as over: the device is at work. */
        readonly atWork?: true;
        /** They are of its network interface, which is opened long after the probe. */
        readonly ofInterface?: true;
      }
    | { readonly event: 'bound' }
    /** What its driver had got in the probe is given back: deferred again, or failed. */
    | {
        readonly event: 'probe-unwound';
        /** What the driver said just before of an error, and the line in which it begins. */
        readonly said?: { readonly words: string; readonly line: number };
      }
    /** Its driver finds that the device is not its own, -ENODEV or -ENXIO, or lacks something that is not there. */
    | {
        readonly event: 'probe-declined';
        readonly error: number;
        readonly words: string | null;
        readonly wordsLine?: number;
      }
    /** `words`: what its driver said before, which may name the cause, and the line in which they begin. */
    | {
        readonly event: 'probe-failed';
        readonly error: number;
        readonly wordsLine?: number;
        /** The driver returned the number without a minus sign, so that it need be none of errno.h. */
        readonly positive?: true;
        readonly words: string | null;
      }
    /** The bind of a part of the device fails, with what the driver of the part said. */
    | {
        readonly event: 'bind-failed';
        readonly part: string;
        readonly error: number;
        readonly words: string | null;
        readonly wordsLine?: number;
      }
    | {
        readonly event: 'probe-returned';
        readonly value: number;
        readonly usecs: number;
        /** What the driver said just before that it deferred, and the line of that where it is known. */
        readonly words?: string;
        readonly wordsLine?: number;
      }
    | {
        readonly event: 'deferral-timeout';
        /** No time was over, but all initcalls: the kernel takes it that no driver comes any more. */
        readonly assumed?: true;
      }
    | { readonly event: 'deferral-pending'; readonly reason: string | null }
    /** An entry of /sys/kernel/debug/devices_deferred, as a CI or a person shows it. */
    | { readonly event: 'deferral-listed'; readonly reason: string | null }
    /** `device` is the supplier, `consumer` the device that has not bound yet. */
    | { readonly event: 'sync-state-pending'; readonly consumer: string }
    /** The supplier waits no longer: `Timed out. Forcing sync_state()`. */
    | { readonly event: 'sync-state-forced' }
  );

/** What the kernel and an initramfs say of the root file system. */
type RootEvent = At & { readonly root: string | null } & (
    | { readonly event: 'root-awaited' }
    /** The kernel cannot open it, or an initramfs gave up; `shell` where that then offers one. */
    | { readonly event: 'root-missing'; readonly by: 'kernel' | 'initramfs'; readonly shell: boolean }
  );

export type DmesgEvent =
  | Crash
  /** Block devices are there, or mounted, of which one may be the root; null where it is the root that is mounted. */
  | (At & { readonly event: 'root-there'; readonly devices: readonly string[] | null; readonly mounted: boolean })
  /** A follow-up that was printed after the crash of line `crashLine` had been reported. */
  | (FollowUp & { readonly event: 'follow-up'; readonly crashLine: number; readonly time: number | null })
  | ProbeEvent
  | RootEvent
  /** A driver says of a device, bound or not, what sounds like an error: only where the parser is asked for it. */
  | (At & {
      readonly event: 'complained';
      readonly device: string;
      readonly driver: string | null;
      readonly words: string;
    })
  /** A function of a probe speaks, of whatever device, perhaps of its end: only where the parser is asked for it. */
  | (At & { readonly event: 'probe-speaks'; readonly symbol: string; readonly ends: boolean })
  /** The driver core lets a device wait for another one until that is bound: only where the parser is asked for it. */
  | (At & { readonly event: 'linked'; readonly consumer: string; readonly supplier: string })
  /** Two regulators, by their own names, of which one supplies the other: only where the parser is asked for it. */
  | (At & { readonly event: 'supplies'; readonly regulators: readonly string[] })
  /** Something is bound that was not there before, such as a card or a part of a display: only as the next one. */
  | (At & { readonly event: 'stirred'; readonly card: boolean })
  /** A line speaks of deferral in words that are not understood: only where the parser is asked for it. */
  | (At & { readonly event: 'unread'; readonly text: string })
  /**
   * fw_devlink found nodes that need each other: `Fixed dependency cycle(s) with NODE`; `node` may be a device's name.
   */
  | (At & { readonly event: 'dependency-cycle'; readonly node: string; readonly with: string })
  /** A boot loader hands over to the kernel, or the kernel says its first line. */
  | (At & { readonly event: 'kernel-started' })
  /** Boot firmware took an exception of its own: U-Boot, TF-A, EDK2, OP-TEE. It is not a crash of the kernel. */
  | (At & { readonly event: 'firmware-exception'; readonly what: string })
  /** A remote processor went down: `remoteproc0`, `adsp`, and what it said. */
  | (At & { readonly event: 'remoteproc-crash'; readonly processor: string; readonly reason: string })
  | (At & { readonly event: 'initcall-entered'; readonly function: string; readonly module: string | null })
  | (At & {
      readonly event: 'initcall-returned';
      readonly function: string;
      readonly module: string | null;
      readonly value: number;
      readonly usecs: number;
    })
  | (At & { readonly event: 'banner'; readonly release: string })
  /** Another line than the kernel's first has its release: only where the parser is asked for it. */
  | (At & { readonly event: 'release'; readonly release: string })
  | (At & Machine & { readonly event: 'machine' })
  /** The registers of the UART that the kernel prints to before its driver is there. */
  | (At & { readonly event: 'early-console'; readonly address: number })
  /** Another boot begins; `lastText` is what the one before said last. */
  | (At & { readonly event: 'boot'; readonly sign: BootSign; readonly lastText: string })
  | (At & { readonly event: 'module-rejected'; readonly module: string | null; readonly reason: string })
  | (At & { readonly event: 'dropped'; readonly count: number })
  /** A line of the guest's init: `bootrace: VERB WORDS...` (guest/plan.ts). */
  | (At & { readonly event: 'agent'; readonly verb: string; readonly words: readonly string[] })
  /** The kernel has started user space: `Run /init as init process`, or a line of systemd or of a login prompt. */
  | (At & { readonly event: 'user-space' })
  /** A line that ends a boot cleanly: reboot: Power down, System halted, Restarting system. */
  | (At & { readonly event: 'shutdown' });

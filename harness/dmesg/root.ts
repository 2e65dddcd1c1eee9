import { oneOf } from '../regex.ts';
import type { DmesgEvent } from './events.ts';

/**
 * What stands around the kernel: the root file system that is awaited, the initramfs that gives it up, boot firmware.
 */

interface At {
  readonly line: number;
  readonly time: number | null;
}

/** wait_for_devices(), net/ipv4/ipconfig.c: without a network there is no root file system on NFS. */
const NETWORK_AWAITED = /^Waiting up to \d{1,4} more seconds for network\./;
/** wait_for_root(), init/do_mounts.c; the colon and the dots vary. */
const AWAITED = /^Waiting for root (?:file ?system |device )?:?\s?(\S{1,200}?)(?:\.{3}|\s|$)/;
/** initramfs-tools, scripts/local: what it prints as long as it waits, and what it does when it has the root. */
const AWAITED_IN_SCRIPT = /^Begin: (?:Waiting for root file ?system\b|Running \/scripts\/local-block\b)/;
const SCRIPT_HAS_ROOT = /^Begin: Running \/scripts\/(?:local-bottom|init-bottom)\b/;
/** initramfs-tools, dracut, mkinitcpio, Alpine, busybox scripts: what they print before they offer a shell. */
const MISSING: readonly RegExp[] = [
  // mount_root_generic(), init/do_mounts.c; the panic that follows may not be in an excerpt.
  /^VFS: Cannot open root device "?([^"\s]{1,200})"? or unknown-block/,
  /^VFS: Unable to mount root fs via (NFS)\b/,
  /^ALERT!\s+(?:encrypted source device )?(\S{1,200}) does not exist(?:\.\s+Dropping to a shell|, can't unlock)/,
  /^ERROR: device '?(\S{1,200}?)'? not found/,
  // Initramfs scripts of Yocto, Buildroot and postmarketOS.
  /^ERROR: (?:[Uu]nable to|[Ff]ailed to|[Cc]ould not) (?:find|mount) (?:the )?(?:real )?root ?(?:fs|file ?system)()/,
  /^(?:\[[\w-]{1,16}\]: )?ERROR: (?:boot|root) partition not found()/,
  /^ERROR: (?:Unable to find|Failed to mount) (?:root )?(?:device )?'?(\S{1,200}?)'?[.,]?(?:\s|$)/,
  /^Gave up waiting for (?:root (?:file ?system )?|suspend\/resume )?device()/,
  /^(?:mount: )?mounting (\S{1,200}) on \/(?:root|sysroot|newroot|new_root|rootfs|mnt|mnt-root|sysimage)\/? failed/,
  new RegExp(
    String.raw`^(?:dracut(?:-initqueue)?(?:\[\d+\])?: )?Warning: ${oneOf(
      /dracut-initqueue timeout - starting timeout scripts|Could not boot/,
      /(\/dev\/\S{1,200}) does not exist/,
    )}`,
  ),
  // systemd in an initrd.
  /^(?:\[DEPEND\] |systemd\[1\]: )Dependency failed for (?:\/sysroot|Initrd Root (?:Device|File System))()/,
  /^(?:initramfs|initrd)\S{0,40}: (?:giving up|could not find) ()/i,
];
const SHELL = new RegExp(
  `^${oneOf(
    // initramfs-tools.
    /\(initramfs\)/,
    // Alpine, mkinitcpio, busybox scripts.
    /initramfs emergency recovery shell launched|You are (?:now )?being dropped (?:in)?to an emergency shell/,
    /Dropping (?:in)?to (?:a |an )?(?:emergency |recovery |debug )?shell/,
    // NixOS.
    /An error occurred in stage 1 of the boot process/,
    // dracut and systemd.
    /dracut:\/#|(?:Entering|Generating) .{0,24}emergency|You are in emergency mode/,
  )}`,
);

/** check_partition(), block/partitions/core.c: `mmcblk0: p1 p2 < p5 >`, ` sda: sda1 sda2`. */
const PARTITIONS = /^ ?(mmcblk\d{1,3}|nvme\d{1,3}n\d{1,3}|[shv]d[a-z]{1,2}): ((?:p|[shv]d[a-z]{1,2})\d.{0,400})$/;
/** A file system that is mounted by now, and its block device: fs/ext4/super.c, fs/f2fs/super.c, fs/xfs/xfs_log.c. */
const MOUNTED = /^(?:EXT[234]-fs|F2FS-fs|XFS) \(([\w-]{1,64})\): (?:mounted|Mounted|Mounting|Ending clean mount)/;
/** mount_root(), init/do_mounts.c; of what is mounted read-only first it is the root that is mounted again. */
const HAS_ROOT = new RegExp(
  `^${oneOf(
    /VFS: Mounted root |EXT[234]-fs \([\w-]{1,64}\): re-mounted/,
    /systemd\[1\]: (?:Switching root|(?:Finished|Started) Remount Root)/,
  )}`,
);

/**
 * U-Boot's do_sync() and show_regs(), TF-A's report_unhandled_exception, EDK2's DefaultExceptionHandler, OP-TEE's
 * abort.c.
 */
const FIRMWARE = new RegExp(
  `^${oneOf(
    /"(?:Synchronous Abort|Error|Irq|Fiq)" handler, esr 0x[0-9a-f]{1,16}/,
    /Unhandled Exception (?:in|from) EL\d\.?|PANIC (?:in|at) (?:EL3|PC).{0,60}/,
    /Synchronous Exception at 0x[0-9A-Fa-f]{1,16}|SError Exception at 0x[0-9A-Fa-f]{1,16}/,
    /E\/TC:\S{0,8} (?:\d )?Core \S{1,16}-abort at address 0x[0-9a-f]{1,16}/,
  )}`,
);

/** U-Boot's announce_and_cleanup(), drivers/firmware/efi/libstub, depthcharge; setup_arch() of arm64 and arm. */
const STARTS = /^(?:Starting kernel \.{3}|EFI stub: Exiting boot services|Booting Linux on physical CPU)/;

/** register_earlycon() and earlycon_init(), drivers/tty/serial/earlycon.c. */
const EARLY_CONSOLE = /^earlycon: \S.{0,40}? ?MMIO(?:16|32|32be)?[ :]0x([0-9a-f]{1,16})\b/;

/** How all of them begin: one look spares most lines the rest. */
const BEGINS = new RegExp(
  `^${oneOf(
    /Waiting (?:for root|up to)|Begin: |earlycon: |VFS: (?:Cannot open|Mounted|Unable to mount root fs via)/,
    /ALERT!|ERROR: |Gave up|mount|dracut|Warning: |\(initramfs|initr/,
    /You are |Entering|Generating|Dropping|An error|\[DEPEND|systemd\[1\]: (?:Dep|Swi|Fin|Started Rem)/,
    /\[[\w-]{1,16}\]: ERROR|EXT|F2FS|XFS| ?(?:mmcblk|nvme|[shv]d[a-z])/,
  )}`,
);

/** What stands in the place of a name that there is not. */
const NO_NAME: ReadonlySet<string> = new Set(['', '(null)']);

/** The event that a line states about the root file system or the boot firmware, if it is one. */
export function rootEvent(text: string, at: At): DmesgEvent | null {
  if (at.time === null) {
    const firmware = FIRMWARE.exec(text);
    if (firmware !== null) return { event: 'firmware-exception', what: firmware[0], ...at };
  }
  if (STARTS.test(text) && (at.time === null || text.startsWith('Booting Linux')))
    return { event: 'kernel-started', ...at };
  if (!BEGINS.test(text)) return null;
  if (NETWORK_AWAITED.test(text)) return { event: 'root-awaited', root: 'nfs', ...at };
  if (text.startsWith('Waiting for root')) {
    const awaited = AWAITED.exec(text);
    if (awaited !== null) return { event: 'root-awaited', root: awaited[1] ?? null, ...at };
  }
  if (AWAITED_IN_SCRIPT.test(text)) return { event: 'root-awaited', root: null, ...at };
  if (HAS_ROOT.test(text) || SCRIPT_HAS_ROOT.test(text))
    return { event: 'root-there', devices: null, mounted: true, ...at };
  const mounted = MOUNTED.exec(text)?.[1];
  if (mounted !== undefined) return { event: 'root-there', devices: [mounted], mounted: true, ...at };
  const [, address] = EARLY_CONSOLE.exec(text) ?? [];
  if (address !== undefined) return { event: 'early-console', address: Number.parseInt(address, 16), ...at };
  const devices = partitionsIn(text);
  if (devices.length > 0) return { event: 'root-there', devices, mounted: false, ...at };
  for (const pattern of MISSING) {
    const missing = pattern.exec(text);
    if (missing !== null) {
      // printk() of no string, where the command line has no root=.
      const root = NO_NAME.has(missing[1] ?? '') ? null : (missing[1] ?? null);
      const by = text.startsWith('VFS: ') ? 'kernel' : 'initramfs';
      return { event: 'root-missing', root, by, shell: text.includes('shell'), ...at };
    }
  }
  if (SHELL.test(text)) return { event: 'root-missing', root: null, by: 'initramfs', shell: true, ...at };
  return null;
}

/** Block devices of the partitions that a disk is said to have. */
function partitionsIn(text: string): string[] {
  const [, disk = '', list = ''] = PARTITIONS.exec(text) ?? [];
  return (list.match(/\w+/g) ?? []).map((part) => (part.startsWith('p') ? `${disk}${part}` : part));
}

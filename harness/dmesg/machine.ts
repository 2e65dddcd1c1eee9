import type { DmesgEvent, Machine } from './events.ts';

/** What a log calls the machine: the model of its device tree, or what that is compatible with where it has none. */

/** Longer names are cut: no tree has one (the longest of Debian's 1649 has 97 characters). */
const MODEL = String.raw`(\S.{0,127})`;
/**
 * setup_machine_fdt(), arch/arm64/kernel/setup.c; and of_flat_dt_match_machine(), drivers/of/fdt.c, which arm64 does
 * not call, up to 4.19 without the blank.
 */
export const MACHINE_MODEL = new RegExp(`^(?:OF: fdt: ?)?Machine model: ${MODEL}`);
const BY_OTHERS = 'OF: fdt:';
/** dump_stack_print_info(), lib/dump_stack.c: what arm64 calls so is the model, arm32 names its machine descriptor. */
const HARDWARE_NAME = /(?:^|\s)Hardware name: (\S.{0,127}?) \(DT\)\s*$/;

/** The machine's name in a kernel's line. */
export function machineEvent(
  text: string,
  at: { readonly line: number; readonly time: number | null },
): DmesgEvent | null {
  const model = MACHINE_MODEL.exec(text)?.[1]?.trim();
  return model === undefined ? null : { event: 'machine', model, mayBeArm64: !text.startsWith(BY_OTHERS), ...at };
}

/** The machine's name in the lines of a crash report; null where they have none. */
export function machineOfReport(lines: readonly string[]): Machine | null {
  for (const line of lines) {
    const name = HARDWARE_NAME.exec(line)?.[1];
    if (name !== undefined) return { model: name, mayBeArm64: true };
  }
  return null;
}

/** A release that names a stable series, so that no other number is taken for one. */
const RELEASE = String.raw`(\d{1,2}\.\d{1,3}\.\d{1,3}[\w.+~-]{0,64})`;
/** A word of each, which spares most lines the rest. */
const MAY_HAVE_RELEASE = /^CPU: \d.*ainted|: Linux |^Linux |\/lib\/modules\/|^ ?Kernel: /;
const RELEASES: readonly RegExp[] = [
  // rh_string(), drivers/usb/core/hcd.c: who makes a root hub.
  new RegExp(`^usb usb\\d{1,3}: Manufacturer: Linux ${RELEASE} \\S{1,64}$`),
  // dump_stack_print_info(), lib/dump_stack.c: the flags of a taint, and the release.
  new RegExp(`^CPU: \\d{1,5} .{0,120}?\\b(?:Not tainted|Tainted: [A-Z ]{1,40}?) +${RELEASE}(?:\\s|$)`),
  // uname -a.
  new RegExp(`^Linux \\S{1,64} ${RELEASE} #\\d`),
  new RegExp(`(?:^|\\s)/lib/modules/${RELEASE}/`),
  // What tools and people put over a log.
  new RegExp(`^ ?Kernel: (?:Linux )?${RELEASE}(?:\\s|$)`),
];

/** The kernel's release where another line than its first one tells it; null in any other line. */
export function releaseIn(text: string): string | null {
  if (!MAY_HAVE_RELEASE.test(text)) return null;
  for (const pattern of RELEASES) {
    const release = pattern.exec(text)?.[1];
    if (release !== undefined) return release;
  }
  return null;
}

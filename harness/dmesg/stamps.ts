/* Forms by which a line of the kernel's is known whoever has written it. */

/** The clock on the wall, and then the CPU in brackets of its own. */
const WALL_CLOCK = / \/ [\d: .-]{5,40}(?:\]\[\d{1,2})?| <[ \d.+]{1,16}>/;
/**
 * `[    2.633372]`: print_time() of kernel/printk/printk.c; OPAL firmware logs add `,level`, vendor kernels nine
 * digits, `s`, `@CPU`, or the clock on the wall; people edit a blank in before the end. Tools that
 * round to milliseconds leave three, which count where blanks before them show that it is a stamp.
 */
export const STAMP = new RegExp(
  String.raw`\[ {0,12}(\d{1,9})\.(\d{6}(?:\d{3})?|(?<=\[ {2,12}\d{1,4}\.)\d{3}(?=\]))` +
    String.raw`s?(?:,\d|@\d{1,2})?(?:${WALL_CLOCK.source})? ?\]`,
);
export const STAMPS = new RegExp(STAMP, 'g');

/** /dev/kmsg records: Documentation/ABI/testing/dev-kmsg; netconsole may put the kernel's release first. */
export const KMSG = /^(?:\d+\.\d+\.[\w.+-]{1,64},)?(\d{1,4}),(\d{1,20}),(\d{1,20}),([^;]{0,160});/;
export const KMSG_CALLER = /,caller=([TC]\d{1,10})/;
export const LEVEL = /^<(\d{1,3})>/;
export const HOST_KERNEL = /^ {0,2}(?:[\w.-]{1,255} )?kernel: ?/;

/** A kernel's time stamp, or a tag that only its lines have. */
export const STAMPED =
  /\[ {0,12}\d{1,9}\.\d{6}|^\[ {2,12}\d{1,4}\.\d{3}\] |^<\d{1,2}>| kernel: |^\d{1,2},\d{1,20},\d{1,20},/;

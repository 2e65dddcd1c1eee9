import { codeOf, unmarked } from './edited.ts';
import type { LogRecord } from './prefix.ts';

/**
 * The first half of a message of the driver core, which it never ends so, and the whole of it: what a mail program or a
 * person broke wherever the line was. Until the next line is read nothing is known of such a record.
 */
const HALVES: readonly (readonly [half: RegExp, whole: RegExp])[] = [
  // device_links_check_suppliers(), drivers/base/core.c, also as devices_deferred has it.
  [
    /: (?:.{1,80} )?(?:wait(?: for(?: supplier)?)?|supplier|(?<!wait for )supplier \S{1,200}(?: not)?)$/,
    /: (?:.{1,80} )?(?:wait for supplier \S{1,200}|supplier \S{1,200} not ready)[.,;]?$/,
  ],
  // call_driver_probe(), drivers/base/dd.c.
  [
    /: probe with driver(?: \S{1,64}(?: failed(?: with(?: error)?)?)?)?$/,
    /: probe with driver \S{1,64} failed with error -?\d{1,10}$/,
  ],
  [/: probe of(?: \S{1,128}(?: failed(?: with(?: error)?)?)?)?$/, /: probe of \S{1,128} failed with error -?\d{1,10}$/],
  // deferred_probe_timeout_work_func() and driver_deferred_probe_check_state() there.
  [/: deferred(?: probe)?$/, /: deferred probe (?:pending(?:: .{1,200})?|timeout, ignoring dependency)$/],
  [/: deferred probe timeout,(?: ignoring)?$/, /: deferred probe timeout, ignoring dependency$/],
  // The reason that the kernel does not know.
  [/: deferred probe pending: \(reason$/, /: deferred probe pending: \(reason unknown\)$/],
  // dev_err_probe(), whose reason may have a colon of its own, as devices' names have.
  [
    /: (?:error -EPROBE_DEFER|deferred probe pending):(?: .{0,200}:)?$/,
    /: (?:(?:[^:]|:(?=[^ ])){1,100}: ){0,2}(?:[^:]|:(?=[^ ])){1,200}$/,
  ],
  // fw_devlink_dev_sync_state(), drivers/base/core.c.
  [/: sync_state\(\)(?: pending(?: due(?: to)?)?)?$/, /: sync_state\(\) pending due to \S{1,128}$/],
  // soc_bind_dai_link(), sound/soc/soc-core.c.
  [/: ASoC:(?: C\w{2,4}(?: DAI)?| [Pp]latform)?$/, /: ASoC: \S.{0,160}$/],
  // Drivers' own words before the error; looked for from the end on, as there may be many of them.
  [/:$(?<=: .{0,200}\b(?:[Ff]ail|[Ee]rror|[Uu]nable|[Cc]ould not|[Cc]an't).{0,200}:)/, /: -517$/],
];
/** No half is longer, nor what ends a whole message: all that comes before is not looked at. */
const LONGEST = 512;
/** A word that is in every one of these halves, which spares most lines the rest. */
const SAYS = /supplier|wait|probe|deferred|sync_state|\(reason$|:$|: ASoC: /;

/** Whether a record is the first half of a message, of which the rest may stand in the next line. */
export function isHalf(text: string): boolean {
  const end = text.slice(-LONGEST);
  return end.includes(': ') && SAYS.test(end) && HALVES.some(([half]) => half.test(end));
}

/** The whole message, where `rest` is the other half of it: a line without a stamp of its own. */
export function wholeOf(half: LogRecord, rest: LogRecord): string | null {
  if (rest.time !== null || rest.kernel) return null;
  const text = `${half.text} ${unmarked(codeOf(rest.text))}`;
  const [begin, end] = [half.text.slice(-LONGEST), text.slice(-LONGEST)];
  const found = HALVES.some(([begins, whole]) => begins.test(begin) && whole.test(end));
  return found ? text : null;
}

import { I2C_DEVICE } from '../dmesg/node-names.ts';
import { isFunction } from '../dmesg/spoken.ts';
import { printable } from '../printable.ts';
import { oneOf } from '../regex.ts';
import type { Suspect, Tie, Why } from '../verdict/why-roots.ts';
import { IS_HOST, keyOf } from '../verdict/why-silent.ts';
import { IS_DEFERRED } from '../verdict/why-spoken.ts';
import { SUSPECTS } from '../verdict/why-suspects.ts';
import { listed } from './listed.ts';
import { groupBy } from './text.ts';

/** Errors of devices of which the driver core has no word. */

/** Said in so many attempts, it is no probe that failed for good. */
const OFTEN = 3;
/** What a probe does; a device that works says other things, however often. */
const OF_A_PROBE = new RegExp(
  String.raw`\b${oneOf(
    /(?:fail(?:ed|ure)|unable|could ?n[o']t|can ?not|can't) to/,
  )} ${oneOf(/register|get|request|find|acquire|add|probe|init|look|create|enable|set ?up/)}`,
  'i',
);

const TIES: Readonly<Record<Tie, string>> = {
  below: 'below it, by the name',
  'on that bus': 'on that bus',
  'feeds the CPUs': 'a PMIC, which feeds the CPUs as a rule',
  'by name': 'named after the same chip',
  'lacks the same': 'the same kind of a supplier is lacked by',
  audio: 'of the audio too, by the names',
  display: 'of the display too, by the names',
  camera: 'of the camera too, by the names',
};

/** call_driver_probe(), drivers/base/dd.c, has no word of -ENODEV and -ENXIO, and none of what comes after a probe. */
const OF_SILENT = 'These say in their own words that they did not come up, and the driver core has no line of it:';
/** More tell nothing. */
const LIKELY = 5;
/** One of them alone says nothing of its bus. */
const SEVERAL = 2;
/** So many are told, those first that others may need. */
const SILENT = 6;

/** What may be the cause of what is left open; the first of them, as many more tell nothing. */
export function suspectLines(suspects: Why['complaints'], heading: string): string[] {
  return errorLines([...groupBy(suspects, ({ driver, words }) => `${driver}\n${words}`).values()], heading, SUSPECTS);
}

/** What says of itself that it did not come up. */
export function silentLines(silent: Why['silent']): string[] {
  const all = new Map(silent.map((one) => [one.device, one]));
  const alike = [...groupBy(silent, keyOf).values()].map((those) => those.map((said) => ({ ...said, tie: null })));
  return errorLines(alike, OF_SILENT, SILENT, ({ device }) => {
    const { warning = null, before = null } = all.get(device) ?? {};
    return [
      ...(before === null
        ? []
        : [`    just before, of ${printable(before.device)}: ${printable(before.words)} (line ${before.line})`]),
      ...(warning === null
        ? []
        : [`    just before, in ${printable(warning.probe)}(): ${printable(warning.title)} (line ${warning.line})`]),
    ];
  });
}

/** The only I2C bus that several devices are on, which may be what does not answer. */
function busLines(those: readonly Suspect[]): string[] {
  const buses = new Set(those.map(({ device }) => (I2C_DEVICE.test(device) ? device.split('-', 1)[0] : null)));
  const [bus = null, ...others] = buses;
  return those.length < SEVERAL || bus === null || others.length > 0
    ? []
    : [`    all of these are on I2C bus ${bus}: that may be what does not work (guess)`];
}

function errorLines(
  alike: readonly (readonly Suspect[])[],
  heading: string,
  most: number,
  more: (said: Suspect) => readonly string[] = () => [],
): string[] {
  if (alike.length === 0) return [];
  const told = alike.slice(0, most);
  const rest = alike.slice(most).flat().length;
  const ties = told.map(([first]) => tieText(first?.tie ?? null));
  return [
    '',
    heading,
    ...told.flatMap((those, at) => {
      const [first] = those;
      if (first === undefined) return [];
      const who = first.driver === null ? '' : ` (${printable(first.driver)})`;
      const names = listed(those.map(({ device }) => (isFunction(device) ? `in ${device}()` : device)));
      const deferral = IS_DEFERRED.test(first.words) ? ', a deferral' : '';
      const tie = ties[at] ?? null;
      return [
        `  ${names}${who}: ${printable(first.words)} (line ${first.line})${deferral}`,
        ...busLines(those),
        ...more(first),
        // Of several that have it in common it is told with the last.
        ...(tie === null || ties[at + 1] === tie ? [] : [`    ${tie}`]),
        ...(IS_HOST.test(first.device) || (first.times ?? 1) < OFTEN || !OF_A_PROBE.test(first.words)
          ? []
          : [`    said ${first.times} times: a probe that is tried again was deferred (guess)`]),
      ];
    }),
    ...(rest > 0 ? [`  and of ${rest} more`] : []),
  ];
}

function tieText(tie: Suspect['tie']): string | null {
  return tie === null ? null : `${TIES[tie.kind]}: ${listed(tie.devices, LIKELY)}`;
}

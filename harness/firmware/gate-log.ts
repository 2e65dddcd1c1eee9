/** One line of the firmware's log. `time` is microseconds of virtual time since the machine was started. */
export type GateEvent =
  | {
      readonly verb: (typeof PLACE_VERBS)[number];
      readonly time: number;
      /**
       * A device; or a function as `name()`, its return as `name():return`; a module; a step of the plan as `step:2`.
       */
      readonly device: string;
      /** What it waits for, as the firmware says it: `finished firmware:scm`, or milliseconds. */
      readonly detail: string;
    }
  | { readonly verb: 'forced'; readonly symbol: string }
  /**
   * When the plan is over: a gate at a function or a load that has not acted; there were so many calls. `late`: it has
   * stood there only since the kernel had patched its text.
   */
  | { readonly verb: 'missed'; readonly place: string; readonly calls: number; readonly late: boolean }
  /** A module has been loaded that has no such function, `module:function`. */
  | { readonly verb: 'unknown'; readonly symbol: string }
  | { readonly verb: 'firmware-exception'; readonly detail: string };

const PLACE_VERBS = [
  'delayed',
  'held',
  'open',
  'released',
  'timed-out',
  'entered',
  'finished',
  'refused',
  'atomic',
] as const;
const LINE = /^(\d+) (\S+) (\S+) ?(.*)$/;
const UNKNOWN = /^unknown (\S+)$/;
const EXCEPTION = 'firmware-exception ';

/** Reads the firmware's log (gates.c, `report()`); lines that are not the firmware's are ignored. */
export function parseGateLog(log: string): GateEvent[] {
  // The guest may have been ended in the middle of the last line.
  return log.split('\n').slice(0, -1).flatMap(parseLine);
}

function parseLine(line: string): GateEvent[] {
  if (line.startsWith(EXCEPTION)) return [{ verb: 'firmware-exception', detail: line }];
  const [, symbol] = UNKNOWN.exec(line) ?? [];
  if (symbol !== undefined) return [{ verb: 'unknown', symbol }];
  const [, time, word, place, detail] = LINE.exec(line) ?? [];
  if (time === undefined || place === undefined || detail === undefined) return [];
  if (word === 'forced') return [{ verb: 'forced', symbol: functionOf(place) }];
  if (word === 'missed') {
    const [calls, late] = detail.split(' ');
    return [{ verb: 'missed', place, calls: Number(calls), late: late === 'late' }];
  }
  const verb = PLACE_VERBS.find((known) => known === word);
  return verb === undefined ? [] : [{ verb, time: Number(time), device: place, detail }];
}

function functionOf(place: string): string {
  return place.replace(/\(\)(:return)?$/, '');
}

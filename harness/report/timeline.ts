import { z } from 'zod';
import type { CellRecord } from '../run/record.ts';

/**
 * A boot as lanes over virtual time: what each device went through. All times are microseconds of the guest's printk
 * clock.
 */
export interface Timeline {
  readonly from: number;
  readonly to: number;
  /** The devices that the verdict is about first, then the others by time. */
  readonly lanes: readonly Lane[];
  /** Steps of the init's plan. */
  readonly steps: readonly Mark[];
  readonly crash: { readonly time: number; readonly line: number; readonly title: string } | null;
}

export interface Lane {
  readonly device: string;
  readonly driver: string | null;
  /** Deferred, retried, failed, crashed, gated, or named by the verdict. */
  readonly notable: boolean;
  readonly attempts: readonly Attempt[];
  readonly marks: readonly Mark[];
  readonly gates: readonly GateSpan[];
}

export interface Attempt {
  readonly from: number;
  readonly to: number;
  readonly outcome: 'bound' | 'deferred' | 'failed' | 'crash' | 'unfinished';
  readonly line: number;
}

export interface Mark {
  readonly time: number;
  readonly line: number | null;
  readonly kind: string;
  readonly text: string;
}

interface GateSpan {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** The part of an event (dmesg/events.ts) that a timeline or a trace shows, as it is read back from events.jsonl. */
const eventSchema = z.object({
  event: z.string(),
  line: z.number(),
  time: z.number().nullable(),
  device: z.string().optional(),
  driver: z.string().nullable().optional(),
  reason: z.string().nullable().optional(),
  by: z.string().optional(),
  error: z.number().optional(),
  value: z.number().optional(),
  consumer: z.string().optional(),
  title: z.string().optional(),
  verb: z.string().optional(),
  words: z.array(z.string()).optional(),
  source: z.string().nullable().optional(),
  trace: z
    .array(z.object({ function: z.string(), module: z.string().nullable(), source: z.string().nullable() }))
    .optional(),
});
export type RecordedEvent = z.infer<typeof eventSchema>;

/** A guest that prints for ever has events for ever. */
const MOST_EVENTS = 5000;
const MOST_LANES = 60;

/** Events of events.jsonl that a report shows; lines that are not events are left out. */
export function readEvents(text: string): RecordedEvent[] {
  const events: RecordedEvent[] = [];
  for (const line of text.split('\n')) {
    // Most events are initcalls, which no lane shows.
    if (line === '' || line.includes('"event":"initcall-')) continue;
    if (events.length === MOST_EVENTS) break;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      continue; // the last line of a boot that was killed
    }
    const parsed = eventSchema.safeParse(value);
    if (parsed.success) events.push(parsed.data);
  }
  return events;
}

interface OpenLane {
  device: string;
  driver: string | null;
  first: number;
  notable: boolean;
  open: { from: number; line: number } | null;
  attempts: Attempt[];
  marks: Mark[];
  gates: GateSpan[];
}

const NOTABLE = new Set(['deferred', 'retried', 'probe-failed', 'deferral-timeout', 'deferral-pending']);
/** Verbs of the init's final report (guest/plan.ts), which say what was found and not what was done. */
const REPORT_VERBS = new Set(['bound', 'unbound', 'absent', 'deferred']);

/** Lanes from what was recorded of a cell. Pure. */
export function makeTimeline(cell: CellRecord, events: readonly RecordedEvent[]): Timeline {
  const timed = events.flatMap((event) => (event.time === null ? [] : [{ ...event, time: event.time }]));
  const end = Math.max(0, ...timed.map((event) => event.time));
  const lanes = new Map<string, OpenLane>();
  const laneOf = (device: string, time: number): OpenLane => {
    const known = lanes.get(device);
    if (known !== undefined) return known;
    const lane: OpenLane = {
      device,
      driver: null,
      first: time,
      notable: device === cell.crash?.device || cell.reason.includes(device),
      open: null,
      attempts: [],
      marks: [],
      gates: [],
    };
    lanes.set(device, lane);
    return lane;
  };
  const crash = timed.find((event) => event.event === 'crash');
  for (const event of timed) {
    if (event.device !== undefined) addProbeEvent(laneOf(event.device, event.time), event);
  }
  addGates(cell, lanes, laneOf, end);
  for (const lane of lanes.values()) {
    const died = crash !== undefined && (cell.crash?.device === lane.device || cell.crash?.device === null);
    if (lane.open !== null) close(lane, died ? 'crash' : 'unfinished', died ? crash.time : end);
  }
  const shown = [...lanes.values()]
    .sort((a, b) => Number(b.notable) - Number(a.notable) || a.first - b.first)
    .slice(0, MOST_LANES);
  const from = Math.min(end, ...shown.map((lane) => lane.first));
  return {
    from,
    to: end,
    lanes: shown.map(({ device, driver, notable, attempts, marks, gates }) => ({
      device,
      driver,
      notable,
      attempts,
      marks,
      gates,
    })),
    steps: timed.flatMap((event) =>
      event.event === 'agent' && event.verb !== undefined && !REPORT_VERBS.has(event.verb)
        ? [
            {
              time: event.time,
              line: event.line,
              kind: event.verb,
              text: [event.verb, ...(event.words ?? [])].join(' '),
            },
          ]
        : [],
    ),
    crash: crash === undefined ? null : { time: crash.time, line: crash.line, title: crash.title ?? 'crash' },
  };
}

function close(lane: OpenLane, outcome: Attempt['outcome'], time: number): void {
  if (lane.open === null) return;
  lane.attempts.push({ from: lane.open.from, to: Math.max(lane.open.from, time), outcome, line: lane.open.line });
  lane.open = null;
}

function addProbeEvent(lane: OpenLane, event: RecordedEvent & { time: number }): void {
  const { time, line } = event;
  if (event.driver !== undefined && event.driver !== null) lane.driver = event.driver;
  if (NOTABLE.has(event.event)) lane.notable = true;
  const mark = (text: string) => void lane.marks.push({ time, line, kind: event.event, text });
  switch (event.event) {
    case 'probe-entered':
      close(lane, 'unfinished', time);
      lane.open = { from: time, line };
      break;
    case 'bound':
      close(lane, 'bound', time);
      mark(`bound${lane.driver === null ? '' : ` to ${lane.driver}`}`);
      break;
    case 'deferred': {
      // The driver core says it twice: that the driver asks for it, and that the device is on the list.
      const again = lane.open === null && lane.marks.at(-1)?.kind === 'deferred';
      close(lane, 'deferred', time);
      const reason = event.reason ?? null;
      if (!again || reason !== null) mark(`deferred${reason === null ? '' : `: ${reason}`}`);
      break;
    }
    case 'probe-failed':
      close(lane, 'failed', time);
      mark(`probe failed with ${event.error ?? 'an error'}`);
      break;
    case 'probe-returned':
      if (event.value !== 0) close(lane, event.value === -EPROBE_DEFER ? 'deferred' : 'failed', time);
      break;
    case 'retried':
      mark('retried from the deferred list');
      break;
    case 'deferral-timeout':
      mark('deferral timed out');
      break;
    case 'deferral-pending':
      mark(`still deferred${event.reason === null || event.reason === undefined ? '' : `: ${event.reason}`}`);
      break;
    case 'sync-state-pending':
      mark(`waits for sync_state of ${event.consumer ?? 'a consumer'}`);
      break;
  }
}

/** include/linux/errno.h */
const EPROBE_DEFER = 517;
const GATE_BEGINS = new Set(['delayed', 'held']);
const GATE_ENDS = new Set(['released', 'timed-out', 'entered', 'finished', 'refused']);
const US_PER_MS = 1000;

/**
 * Gates as spans. The firmware counts from the start of the machine and printk from the start of its own clock; the two
 * are brought together at the first probes that both saw, as a gate closes right after the kernel has said that it
 * enters the probe.
 */
function addGates(
  cell: CellRecord,
  lanes: ReadonlyMap<string, OpenLane>,
  laneOf: (device: string, time: number) => OpenLane,
  end: number,
): void {
  const gates = cell.gates.flatMap((gate) => (gate.time === null ? [] : [{ ...gate, time: gate.time }]));
  const offsets = [...lanes.values()].flatMap((lane) => {
    const entered = lane.attempts[0]?.from ?? lane.open?.from;
    const seen = gates.find((gate) => gate.subject === lane.device);
    return entered === undefined || seen === undefined ? [] : [seen.time - entered];
  });
  const offset = offsets.length === 0 ? 0 : Math.min(...offsets);
  for (const [index, gate] of gates.entries()) {
    if (!GATE_BEGINS.has(gate.verb)) continue;
    const opened = gates.slice(index + 1).find((later) => later.subject === gate.subject && GATE_ENDS.has(later.verb));
    const milliseconds = /^(\d{1,9})/.exec(gate.detail)?.[1];
    const from = gate.time - offset;
    const planned =
      gate.verb === 'delayed' && milliseconds !== undefined ? from + Number(milliseconds) * US_PER_MS : end;
    const lane = laneOf(gate.subject, from);
    lane.notable = true;
    lane.gates.push({
      from,
      to: Math.min(end, opened === undefined ? planned : opened.time - offset),
      text: `gate: ${gate.verb} ${gate.detail}`.trimEnd(),
    });
  }
}

import { useEffect, useRef, useState } from 'preact/hooks';
import type { Attempt, Lane, Mark, Timeline } from '../timeline.ts';
import { chooseTicks, digitsFor, formatSeconds, formatSpan, makeScale, type Scale } from './scale.ts';

interface TimelineProps {
  readonly timeline: Timeline;
  readonly linkTo: (line: number) => string;
}

const LABEL_WIDTH = 190;
const RIGHT = 24;
const LANE_HEIGHT = 28;
const TOP = 22;
const BOTTOM = 26;
const TICK_DISTANCE = 64;
const NARROWEST = 520;

/** What the bars are, by their class. */
const KEYS = [
  ['bound', 'probe that bound'],
  ['deferred', 'deferred'],
  ['failed', 'failed or crashed'],
  ['gate', 'held by a gate'],
] as const;
/** A span shorter than this many pixels is drawn this wide, or it could not be seen. */
const THINNEST = 4;
/** Idle time is written into gaps that are wider than this and longer than {@link LONG_GAP}. */
const GAP_WIDTH = 70;
const LONG_GAP = 500_000;

const OUTCOME: Readonly<Record<Attempt['outcome'], string>> = {
  bound: 'bound',
  deferred: 'deferred',
  failed: 'failed',
  crash: 'crashed',
  unfinished: 'not finished at the end of the log',
};

/** Devices as lanes, their probe attempts as bars, deferrals, retries, gates and the crash in virtual time. */
export function TimelineView({ timeline, linkTo }: TimelineProps) {
  const [all, setAll] = useState(false);
  const [linear, setLinear] = useState(false);
  const [width, root] = useWidth();
  const notable = timeline.lanes.filter((lane) => lane.notable);
  const lanes = all || notable.length === 0 ? timeline.lanes : notable;
  const times = timesOf(timeline, lanes);
  if (times.length === 0) return <p class="none">No probe stands in the log.</p>;
  const scale = makeScale(times, Math.max(NARROWEST, width) - LABEL_WIDTH - RIGHT, linear);
  const height = TOP + (lanes.length + (timeline.steps.length > 0 ? 1 : 0)) * LANE_HEIGHT + BOTTOM;
  const right = LABEL_WIDTH + scale.width;
  const laneTop = (index: number) => TOP + index * LANE_HEIGHT;
  return (
    <div ref={root} class="timeline">
      <div class="controls">
        {notable.length > 0 && notable.length < timeline.lanes.length && (
          <label>
            <input type="checkbox" checked={all} onChange={() => setAll(!all)} /> all {timeline.lanes.length} devices
          </label>
        )}
        <label>
          <input type="checkbox" checked={linear} onChange={() => setLinear(!linear)} /> linear time
        </label>
        <span class="legend">
          {KEYS.map(([kind, what]) => (
            <span key={kind} class="meaning">
              <i class={`key ${kind}`} /> {what}
            </span>
          ))}
        </span>
      </div>
      <svg width={right + RIGHT} height={height} aria-label="Timeline of probes in virtual time">
        <defs>
          <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <rect width="2" height="6" class="hatch" />
          </pattern>
        </defs>
        <Axis times={times} scale={scale} height={height} />
        {lanes.map((lane, index) => (
          <LaneView key={lane.device} lane={lane} top={laneTop(index)} scale={scale} linkTo={linkTo} />
        ))}
        {timeline.steps.length > 0 && (
          <g transform={`translate(0 ${laneTop(lanes.length)})`}>
            <text x={LABEL_WIDTH - 10} y={LANE_HEIGHT / 2} class="device">
              init
            </text>
            <line x1={LABEL_WIDTH} x2={right} y1={LANE_HEIGHT / 2} y2={LANE_HEIGHT / 2} class="lane" />
            {timeline.steps.map((step) => (
              <MarkView key={`${step.line} ${step.text}`} mark={step} scale={scale} linkTo={linkTo} />
            ))}
          </g>
        )}
        {timeline.crash !== null && (
          <a href={linkTo(timeline.crash.line)} class="crash">
            <title>{`${formatSeconds(timeline.crash.time)} s: ${timeline.crash.title}`}</title>
            <line
              x1={LABEL_WIDTH + scale.place(timeline.crash.time)}
              x2={LABEL_WIDTH + scale.place(timeline.crash.time)}
              y1={TOP - 6}
              y2={height - BOTTOM}
            />
            <text
              x={LABEL_WIDTH + scale.place(timeline.crash.time)}
              y={TOP - 9}
              class={scale.place(timeline.crash.time) > scale.width / 2 ? 'end' : ''}
            >
              ✗ crash
            </text>
          </a>
        )}
      </svg>
      <Events timeline={timeline} lanes={lanes} linkTo={linkTo} />
    </div>
  );
}

function useWidth(): [number, (element: HTMLElement | null) => void] {
  const [width, setWidth] = useState(900);
  const observer = useRef<ResizeObserver | null>(null);
  useEffect(() => () => observer.current?.disconnect(), []);
  const attach = useRef((element: HTMLElement | null) => {
    observer.current?.disconnect();
    if (element === null) return;
    observer.current = new ResizeObserver(([entry]) => entry !== undefined && setWidth(entry.contentRect.width));
    observer.current.observe(element);
  });
  return [width, attach.current];
}

function timesOf(timeline: Timeline, lanes: readonly Lane[]): number[] {
  return [
    ...lanes.flatMap((lane) => [
      ...lane.attempts.flatMap((attempt) => [attempt.from, attempt.to]),
      ...lane.gates.flatMap((gate) => [gate.from, gate.to]),
      ...lane.marks.map((mark) => mark.time),
    ]),
    ...timeline.steps.map((step) => step.time),
    ...(timeline.crash === null ? [] : [timeline.crash.time]),
  ];
}

function Axis({ times, scale, height }: { times: readonly number[]; scale: Scale; height: number }) {
  const sorted = [...new Set(times)].sort((a, b) => a - b);
  const gaps = sorted.slice(1).flatMap((to, index) => {
    const from = sorted[index] ?? 0;
    const [left, right] = [scale.place(from), scale.place(to)];
    return to - from >= LONG_GAP && right - left >= GAP_WIDTH ? [{ from, to, middle: (left + right) / 2 }] : [];
  });
  const ticks = chooseTicks(times, scale, TICK_DISTANCE);
  const digits = digitsFor(ticks);
  return (
    <g>
      {ticks.map((time) => (
        <g key={time} transform={`translate(${LABEL_WIDTH + scale.place(time)} 0)`} class="tick">
          <line y1={TOP} y2={height - BOTTOM} />
          <text y={height - 8}>{formatSeconds(time, digits)}</text>
        </g>
      ))}
      {gaps.map((gap) => (
        <text key={gap.from} x={LABEL_WIDTH + gap.middle} y={TOP - 9} class="gap">
          {`⟵ ${formatSpan(gap.to - gap.from)} ⟶`}
        </text>
      ))}
    </g>
  );
}

interface LaneProps {
  readonly lane: Lane;
  readonly top: number;
  readonly scale: Scale;
  readonly linkTo: (line: number) => string;
}

function LaneView({ lane, top, scale, linkTo }: LaneProps) {
  const middle = LANE_HEIGHT / 2;
  const span = (from: number, to: number) => ({
    x: LABEL_WIDTH + scale.place(from),
    width: Math.max(THINNEST, scale.place(to) - scale.place(from)),
  });
  return (
    <g transform={`translate(0 ${top})`}>
      <text x={LABEL_WIDTH - 10} y={middle} class="device">
        <title>{lane.driver === null ? lane.device : `${lane.device} (${lane.driver})`}</title>
        {lane.device.length > 26 ? `${lane.device.slice(0, 25)}…` : lane.device}
      </text>
      <line x1={LABEL_WIDTH} x2={LABEL_WIDTH + scale.width} y1={middle} y2={middle} class="lane" />
      {lane.attempts.map((attempt, index) => (
        <a key={attempt.from} href={linkTo(attempt.line)} class={`attempt ${attempt.outcome}`}>
          <title>{describeAttempt(attempt, index)}</title>
          <rect {...span(attempt.from, attempt.to)} y={middle - 7} height={14} rx={2} />
        </a>
      ))}
      {lane.gates.map((gate) => (
        <rect key={gate.from} {...span(gate.from, gate.to)} y={middle - 7} height={14} class="gate" fill="url(#hatch)">
          <title>{`${formatSpan(gate.to - gate.from)}, ${gate.text}`}</title>
        </rect>
      ))}
      {lane.marks.map((mark) => (
        <MarkView key={`${mark.line} ${mark.kind}`} mark={mark} scale={scale} linkTo={linkTo} />
      ))}
    </g>
  );
}

function describeAttempt(attempt: Attempt, index: number): string {
  const span = formatSpan(attempt.to - attempt.from);
  return `probe ${index + 1}: entered at ${formatSeconds(attempt.from)} s, ${OUTCOME[attempt.outcome]} after ${span}`;
}

const SHAPES: Readonly<Record<string, string>> = {
  bound: 'M-5 0 A5 5 0 1 0 5 0 A5 5 0 1 0 -5 0 Z',
  deferred: 'M0 -7 L7 0 L0 7 L-7 0 Z',
  'deferral-pending': 'M0 -7 L7 0 L0 7 L-7 0 Z',
  'deferral-timeout': 'M0 -7 L7 0 L0 7 L-7 0 Z',
  retried: 'M-5 -6 L6 0 L-5 6 Z',
  'probe-failed': 'M-5 -5 L5 5 M-5 5 L5 -5',
};
const OTHER_SHAPE = 'M-2 -6 H2 V6 H-2 Z';

function MarkView({ mark, scale, linkTo }: { mark: Mark; scale: Scale; linkTo: (line: number) => string }) {
  const drawn = (
    <g transform={`translate(${LABEL_WIDTH + scale.place(mark.time)} ${LANE_HEIGHT / 2})`}>
      <title>{`${formatSeconds(mark.time)} s: ${mark.text}`}</title>
      <path d={SHAPES[mark.kind] ?? OTHER_SHAPE} />
    </g>
  );
  const name = `mark ${Object.hasOwn(SHAPES, mark.kind) ? mark.kind : 'other'}`;
  return mark.line === null ? (
    <g class={name}>{drawn}</g>
  ) : (
    <a class={name} href={linkTo(mark.line)}>
      {drawn}
    </a>
  );
}

interface EventsProps extends TimelineProps {
  readonly lanes: readonly Lane[];
}

/** The same as a list: for reading, for searching, and for who does not see the picture. */
function Events({ timeline, lanes, linkTo }: EventsProps) {
  const rows = [
    ...lanes.flatMap((lane) => [
      ...lane.attempts.map(({ from, line }) => ({ time: from, line, device: lane.device, text: 'probe entered' })),
      ...lane.gates.map((gate) => ({ time: gate.from, line: null, device: lane.device, text: gate.text })),
      ...lane.marks.map(({ time, line, text }) => ({ time, line, device: lane.device, text })),
    ]),
    ...timeline.steps.map(({ time, line, text }) => ({ time, line, device: 'init', text })),
    ...(timeline.crash === null ? [] : [{ ...timeline.crash, device: '', text: timeline.crash.title }]),
  ].sort((a, b) => a.time - b.time || (a.line ?? 0) - (b.line ?? 0));
  return (
    <details>
      <summary>{rows.length} events as a list</summary>
      <table class="events">
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              <td class="when">{formatSeconds(row.time)}</td>
              <td>{row.line === null ? '' : <a href={linkTo(row.line)}>line {row.line}</a>}</td>
              <td>{row.device}</td>
              <td>{row.text}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { PageDetail } from '../page-data.ts';
import { addressOf, type View } from './address.ts';
import { Console } from './console.tsx';
import { type ConsoleLine, head, loadDetail } from './data.ts';
import { TimelineView } from './timeline.tsx';

interface DetailProps {
  readonly index: number;
  readonly view: View;
  readonly onLine: (line: number) => void;
  readonly onClose: () => void;
}

type Loaded = Awaited<ReturnType<typeof loadDetail>>;

/** Everything about one cell. */
export function Detail({ index, view, onLine, onClose }: DetailProps) {
  const [state, setState] = useState<{ index: number; loaded: Loaded } | { index: number; error: string } | null>(null);
  useEffect(() => {
    let current = true;
    loadDetail(index).then(
      (loaded) => current && setState({ index, loaded }),
      (error: unknown) => current && setState({ index, error: String(error) }),
    );
    return () => {
      current = false;
    };
  }, [index]);
  const heading = useRef<HTMLHeadingElement>(null);
  // A reader who opens a cell, by key or by ear, goes on there.
  useEffect(() => heading.current?.focus(), [index]);
  const cell = head.cells[index];
  const linkTo = (line: number) => addressOf({ ...view, cell: cell?.id ?? null, line });
  return (
    <aside aria-label="Cell">
      <header class="bar">
        <h2 ref={heading} tabIndex={-1}>
          {cell?.row !== null && <span class="row">{cell?.row}</span>} {cell?.id}
        </h2>
        <button type="button" class="close" onClick={onClose} title="Close (Esc)" aria-label="Close">
          ✕
        </button>
      </header>
      {state === null || state.index !== index ? (
        <p class="none">…</p>
      ) : 'error' in state ? (
        <p class="bad">This cell cannot be shown: {state.error}</p>
      ) : (
        <Sections {...state.loaded} view={view} linkTo={linkTo} onLine={onLine} />
      )}
    </aside>
  );
}

interface SectionsProps {
  readonly detail: PageDetail;
  readonly lines: readonly ConsoleLine[];
  readonly view: View;
  readonly linkTo: (line: number) => string;
  readonly onLine: (line: number) => void;
}

function Sections({ detail, lines, view, linkTo, onLine }: SectionsProps) {
  const { cell } = detail;
  const flakes = head.run.flakes.filter((flake) => flake.id === cell.id);
  const races = head.run.clockRaces.filter((race) => race.id === cell.id);
  return (
    <div class="sections">
      {cell.claim !== null && <p class="claim">“{cell.claim}”</p>}
      <p>
        <span class={`verdict v-${cell.verdict}`}>{cell.verdict}</span>{' '}
        {cell.asExpected ? 'as expected' : <b class="bad">expected {detail.expectation}</b>}
        {cell.expected.reason !== undefined && <span class="dim"> — {cell.expected.reason}</span>}
      </p>
      {cell.crash === null && <p>{cell.reason}</p>}
      {flakes.map((flake) => (
        <p class="bad" key={`${flake.repetition} ${flake.what}`}>
          Repetition {flake.repetition} differed in its {flake.what}: a defect of the harness.
        </p>
      ))}
      {races.map(({ repetition, microseconds }) => (
        <p class="dim" key={`${repetition} ${microseconds}`}>
          {repetition === null ? 'A boot' : `Repetition ${repetition}`} was made once more: QEMU's clock had been off by
          up to {microseconds} µs.
        </p>
      ))}
      {cell.notes.map((note) => (
        <p class="dim" key={note}>
          {note}
        </p>
      ))}
      {cell.crash !== null && <Crash detail={detail} linkTo={linkTo} />}
      <Section title="Timeline">
        <TimelineView timeline={detail.timeline} linkTo={linkTo} />
      </Section>
      <Section title="Console">
        {lines.length === 0 ? (
          <p class="none">There is no console: nothing was booted, or its log was not kept.</p>
        ) : (
          <Console lines={lines} cell={cell} selected={view.line} linkTo={linkTo} onLine={onLine} />
        )}
        {detail.cut && <p class="dim">The log goes on; see console.log in the cell’s folder.</p>}
      </Section>
      <Section title="Replay">
        <pre class="command">{cell.replay}</pre>
        {cell.folder !== null && (
          <p class="dim">
            The records are in {head.run.run}/{cell.folder}; its command.sh boots the same guest without bootrace.
          </p>
        )}
      </Section>
      <Section title="Device tree against the board’s">
        {detail.tree === null ? (
          <p class="none">The trees were not kept.</p>
        ) : detail.tree.length === 0 ? (
          <p class="none">No difference.</p>
        ) : (
          <ul class="tree">
            {detail.tree.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        )}
      </Section>
      <Section title="Conditions">
        <Facts detail={detail} />
      </Section>
    </div>
  );
}

function Section({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function Crash({ detail, linkTo }: { detail: PageDetail; linkTo: (line: number) => string }) {
  const { crash } = detail.cell;
  if (crash === null) return null;
  const where = [
    crash.address === null ? null : `at ${crash.address}`,
    crash.driver === null ? null : `while ${crash.driver} probed ${crash.device ?? 'a device'}`,
    crash.comm === null ? null : `in ${crash.comm}`,
    detail.source,
  ].filter((part) => part !== null);
  return (
    <section class="crash">
      <h3>
        <a href={linkTo(crash.line)} title={`line ${crash.line} of the console`}>
          {crash.title}
        </a>
      </h3>
      <p>{where.join(', ')}</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it */}
      <ol tabIndex={0} aria-label="Call trace">
        {detail.frames.map((frame, index) => (
          <li key={index}>
            <code>{frame.function}</code>
            {frame.module !== null && <span class="dim"> [{frame.module}]</span>}
            {frame.source !== null && <span class="source"> {frame.source}</span>}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Facts({ detail }: { detail: PageDetail }) {
  const { cell } = detail;
  const facts: [string, string][] = [
    ...Object.entries(cell.axes).filter(([, value]) => value !== '-'),
    ['release', cell.kernel.release ?? ''],
    ['build', cell.kernel.key ?? ''],
    ['virtual time', cell.virtualMs === null ? '' : `${(cell.virtualMs / 1000).toFixed(3)} s`],
    ['wall time', cell.cached ? 'from the result cache' : `${(cell.wallMs / 1000).toFixed(2)} s`],
    ['bound', cell.bound.map(({ device, driver }) => `${device} (${driver})`).join(', ')],
    ['deferred', cell.deferred.map(({ device, reason }) => `${device} (${reason ?? 'no reason'})`).join(', ')],
    ['gates', cell.gates.map((gate) => `${gate.verb} ${gate.subject} ${gate.detail}`.trimEnd()).join(', ')],
  ];
  return (
    <dl>
      {facts
        .filter(([, value]) => value !== '')
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

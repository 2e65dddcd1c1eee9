import { memo } from 'preact/compat';
import { useEffect, useRef } from 'preact/hooks';
import type { CellRecord } from '../../run/record.ts';
import { formatTimeStamp } from '../page-data.ts';
import type { ConsoleLine } from './data.ts';

interface ConsoleProps {
  readonly lines: readonly ConsoleLine[];
  readonly cell: CellRecord;
  readonly selected: number | null;
  readonly linkTo: (line: number) => string;
  readonly onLine: (line: number) => void;
}

/** Lines in one part of the console: the browser lays out only the parts that are seen. */
const PART_LINES = 100;

/** The console with line numbers as links, the crash marked, and each line's level as far as its words tell it. */
export function Console({ lines, cell, selected, linkTo, onLine }: ConsoleProps) {
  const root = useRef<HTMLElement>(null);
  const shown = selected ?? cell.crash?.line ?? null;
  useEffect(() => {
    const box = root.current;
    if (box === null || shown === null) return;
    const line = box.querySelector<HTMLElement>(`[data-line="${shown}"]`);
    if (line === null) return;
    // Scrolls the console alone; scrollIntoView() would move the whole page.
    const show = () => {
      box.scrollTop += line.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientHeight / 4;
    };
    show();
    // Parts above are laid out only now, and have their true height a frame later.
    requestAnimationFrame(show);
  }, [shown, lines]);
  useEffect(() => {
    for (const old of root.current?.querySelectorAll('.selected') ?? []) old.classList.remove('selected');
    if (selected !== null) root.current?.querySelector(`[data-line="${selected}"]`)?.classList.add('selected');
  }, [selected, lines]);
  const parts = Array.from({ length: Math.ceil(lines.length / PART_LINES) }, (_, part) =>
    lines.slice(part * PART_LINES, (part + 1) * PART_LINES),
  );
  const onClick = (event: MouseEvent) => {
    const line = event.target instanceof Element ? event.target.closest<HTMLElement>('a[data-number]') : null;
    if (line === null || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    onLine(Number(line.dataset.number));
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Enter on a link is a click
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled region is reached by keyboard
    <section class="console" ref={root} onClick={onClick} tabIndex={0} aria-label="Console">
      {parts.map((part) => (
        <Part key={part[0]?.number} lines={part} cell={cell} linkTo={linkTo} />
      ))}
    </section>
  );
}

interface PartProps {
  readonly lines: readonly ConsoleLine[];
  readonly cell: CellRecord;
  readonly linkTo: (line: number) => string;
}

const Part = memo(
  ({ lines, cell, linkTo }: PartProps) => (
    <div class="part">
      {lines.map((line) => (
        <div key={line.number} data-line={line.number} class={`line ${levelOf(line, cell)}`}>
          <a class="number" data-number={line.number} href={linkTo(line.number)}>
            {line.number}
          </a>
          <span class="text">
            {line.time !== null && <span class="time">{formatTimeStamp(line.time)}</span>}
            {line.text}
            {'\n'}
          </span>
        </div>
      ))}
    </div>
  ),
  (a, b) => a.lines[0] === b.lines[0] && a.cell === b.cell,
);

/** A level in front of the text (console_msg_format=syslog), include/linux/kern_levels.h. */
const SYSLOG = /^<(\d{1,3})>/;
const LEVELS = ['error', 'error', 'error', 'error', 'warning', 'notice', 'info', 'debug'] as const;
const ERROR = /\b(BUG|Oops|Unable to handle|Internal error|panic|segfault|Call trace)\b/;
const WARNING = /\b(WARNING|error|fail(ed|ure)?|unable|cannot|invalid|timed? ?out|deferr(ed|al)|refused)\b/i;
const DEBUG =
  /^(calling |initcall |probe of |bus: |device: |driver: |entering |really_probe|platform .*: (probe|Retrying))/;

/**
 * How much a line wants to be seen. A console without syslog prefixes carries no levels, so they are taken from the
 * words that the kernel uses.
 */
function levelOf(line: ConsoleLine, cell: CellRecord): string {
  const { crash } = cell;
  if (crash !== null && line.number >= crash.line && line.number <= crash.lastLine) {
    return line.number === crash.line ? 'crash first' : 'crash';
  }
  if (line.text.startsWith('bootrace: ')) return 'agent';
  const level = SYSLOG.exec(line.text)?.[1];
  if (level !== undefined) return LEVELS[Number(level) % LEVELS.length] ?? 'info';
  if (ERROR.test(line.text)) return 'error';
  if (DEBUG.test(line.text)) return 'debug';
  return WARNING.test(line.text) ? 'warning' : 'info';
}

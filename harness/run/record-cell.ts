import { createHash } from 'node:crypto';
import { brokenPollNotes } from '../board/broken-polls.ts';
import { resolveBoard } from '../boards/boards.ts';
import type { Crash, DmesgEvent } from '../dmesg/events.ts';
import { type GateEvent, parseGateLog } from '../firmware/gate-log.ts';
import { commandLine } from '../invocation.ts';
import type { KernelArtefact } from '../kernel/artefact.ts';
import type { Cell } from '../model/cell.ts';
import type { PlanStep } from '../model/plan.ts';
import { isMissing, type Verdict } from '../model/verdict.ts';
import { didYouMean } from '../suggest.ts';
import { differences, judge } from '../verdict/judge.ts';
import type { KnownIssue } from '../verdict/knownissues.ts';
import type { BootResult } from './boot.ts';
import { gateRemarks, gateTrouble } from './gate-trouble.ts';
import type { PreparedCell } from './prepare.ts';
import type { CellRecord } from './record.ts';
import { cellFolder } from './results.ts';

/** Lines of a crash report that the record keeps; the rest stands in console.log. */
const CRASH_LINES = 40;
const CRASH_FRAMES = 32;

interface JudgedBy {
  /** Where the boot comes from: the result cache, the machine's reset, or a guest of the same kind that was saved. */
  readonly from: 'cache' | 'reset' | 'snapshot';
  readonly knownIssues: readonly KnownIssue[];
  /** Words behind `bootrace cell` that boot this cell again. */
  readonly replay: readonly string[];
  /** `2020-10-30`: decides which known issues have expired. */
  readonly today: string;
  /** Where the guest's first CPU was last seen; null for one that came to its end. */
  readonly spins: string | null;
}

/** The record of a boot: what the log says, the verdict, and whether the cell expected it. Pure. */
export function recordBoot(
  cell: Cell,
  kernel: KernelArtefact,
  prepared: Pick<PreparedCell, 'inputs' | 'devices'>,
  result: BootResult,
  { from, replay, knownIssues, today, spins }: JudgedBy,
): CellRecord {
  const gates = parseGateLog(result.firmwareLog);
  const isCutShort = resolveBoard(cell.board).kind === 'dtb' && !endsWithShutdown(cell);
  const completeBy = isCutShort ? 'init' : 'plan';
  const judgement = judge({ summary: result.summary, watch: cell.watch, completeBy, knownIssues, today });
  const trouble = troubleOf(cell, result, gates, judgement.crash);
  // After a warning the boot goes on: what the gates were to bring about still counts.
  const isWarning = trouble === null && judgement.verdict === 'warning';
  const notHad = isWarning ? gateTrouble(cell, result.summary, gates) : null;
  const unexpected = trouble === null ? differences(cell.expect, judgement) : [];
  const { crash } = judgement;
  return {
    ...namesOf(cell, replay),
    kernel: {
      ...kernelOf(cell),
      release: kernel.release,
      source: kernel.source,
      key: kernel.key,
      imageHash: kernel.imageHash,
    },
    inputs: { ...prepared.inputs },
    verdict: trouble === null ? judgement.verdict : 'infra-error',
    asExpected: trouble === null && notHad === null && unexpected.length === 0,
    reason:
      trouble ??
      [
        judgement.reason,
        ...(notHad === null ? [] : [notHad]),
        ...(judgement.verdict === 'hang' && spins !== null ? [`CPU 0 was last seen ${spins}`] : []),
        ...gateRemarks(cell, gates, judgement.verdict),
        ...stepRemarks(result.events),
        ...moduleRemarks(cell, kernel),
      ].join('; '),
    notes: [
      ...judgement.notes,
      ...kernel.dropped.map((option) => `this kernel has no option ${option}: left out`),
      ...brokenPollNotes(
        result.firmwareLog,
        prepared.devices,
        new Set([...cell.watch, ...(crash?.probing ? [crash.probing.device] : [])]),
      ),
    ],
    crash: crash === null ? null : recordCrash(crash),
    warnings: result.summary.crashes.length - (crash === null ? 0 : 1),
    bound: reported(result.events, 'bound').flatMap(([device, driver]) =>
      device === undefined || driver === undefined ? [] : [{ device, driver }],
    ),
    deferred: reported(result.events, 'deferred').flatMap(([device, ...reason]) =>
      device === undefined ? [] : [{ device, reason: reason.length === 0 ? null : reason.join(' ') }],
    ),
    order: probeOrder(result.events),
    gates: gates.map(recordGate),
    consoleHash: createHash('sha256').update(result.console).digest('hex'),
    virtualMs: lastTime(result.events),
    wallMs: Math.round(result.wallMs),
    cached: from === 'cache',
    forked: from === 'snapshot',
    folder: `cells/${cellFolder(cell.id)}`,
  };
}

/** On a real board, only a plan that asks for it comes to the shutdown callbacks of drivers. */
function endsWithShutdown({ plan }: Cell): boolean {
  const last = plan.at(-1)?.step;
  return last === 'shutdown' || last === 'reboot';
}

/** The record of a cell that was not booted: its kernel cannot exist, or the harness could not boot it. */
export function recordWithoutBoot(
  cell: Cell,
  verdict: Extract<Verdict, 'unbuildable' | 'infra-error'>,
  reason: string,
  replay: readonly string[],
): CellRecord {
  return {
    ...namesOf(cell, replay),
    kernel: { ...kernelOf(cell), release: null, source: null, key: null, imageHash: null },
    inputs: {},
    verdict,
    asExpected: !isMissing(verdict) && cell.expect.verdicts.includes(verdict),
    reason,
    notes: [],
    crash: null,
    warnings: 0,
    bound: [],
    deferred: [],
    order: [],
    gates: [],
    consoleHash: null,
    virtualMs: null,
    wallMs: 0,
    cached: false,
    folder: null,
  };
}

function namesOf(
  cell: Cell,
  replay: readonly string[],
): Pick<CellRecord, 'id' | 'row' | 'claim' | 'axes' | 'expected' | 'replay'> {
  return {
    id: cell.id,
    row: cell.row,
    claim: cell.claim,
    axes: { ...cell.axes },
    expected: { ...cell.expect, verdicts: [...cell.expect.verdicts] },
    replay: commandLine(['cell', ...replay]),
  };
}

function kernelOf(cell: Cell): Pick<CellRecord['kernel'], 'recipe' | 'linkage'> {
  return { recipe: cell.kernel, linkage: cell.linkage };
}

/** Why a boot says nothing about the kernel, or null when it does. */
function troubleOf(
  cell: Cell,
  { end, summary }: BootResult,
  gates: readonly GateEvent[],
  crash: Crash | null,
): string | null {
  const exception = gates.find((gate) => gate.verb === 'firmware-exception');
  if (exception !== undefined) return `the EL2 firmware gave up: ${exception.detail}`;
  if (end.end === 'silent') return "nothing came from the guest's console for two minutes of wall-clock time";
  if (end.end === 'flooded')
    return "the guest has written to the firmware's log, by driving its device: nothing in it can be believed";
  if (end.end === 'killed') return `QEMU was killed by ${end.signal}`;
  if (end.end === 'exited' && end.code !== 0)
    return `QEMU ended with exit code ${end.code}: ${end.stderr.trim().split('\n').at(-1) ?? ''}`;
  // A crash says something of the kernel whatever else was still held, or ran out of time while the guest was being
  // ended.
  if (crash !== null) return null;
  return gateTrouble(cell, summary, gates);
}

function recordCrash(crash: Crash): NonNullable<CellRecord['crash']> {
  return {
    kind: crash.kind,
    title: crash.title,
    signature: crash.signature,
    function: crash.function,
    module: crash.module,
    address: crash.address,
    comm: crash.comm,
    driver: crash.probing?.driver ?? null,
    device: crash.probing?.device ?? null,
    line: crash.line,
    lastLine: crash.lastLine,
    text: crash.text.slice(0, CRASH_LINES),
    trace: crash.trace.slice(0, CRASH_FRAMES).map((entry) => entry.function),
  };
}

function recordGate(gate: GateEvent): CellRecord['gates'][number] {
  switch (gate.verb) {
    case 'forced':
      return { time: null, verb: gate.verb, subject: gate.symbol, detail: '' };
    case 'missed':
      return { time: null, verb: gate.verb, subject: gate.place, detail: `${gate.calls}` };
    case 'unknown':
      return { time: null, verb: gate.verb, subject: gate.symbol, detail: '' };
    case 'firmware-exception':
      return { time: null, verb: gate.verb, subject: 'el2-firmware', detail: gate.detail };
    default:
      return { time: gate.time, verb: gate.verb, subject: gate.device, detail: gate.detail };
  }
}

/** Steps whose failure no device's or module's state shows. */
const SILENT_STEPS: ReadonlySet<string> = new Set<PlanStep['step']>([
  'autoprobe',
  'bind',
  'override',
  'read',
  'rescan',
  'suspend',
  'unbind',
  'unload',
  'write',
]);
const MOST_STEPS = 3;

/** Modules of the plan that the kernel does not have: what the guest says of them is that there is no such file. */
function moduleRemarks({ plan }: Cell, { modules }: KernelArtefact): string[] {
  const wanted = new Set(plan.flatMap((step) => (step.step === 'load' ? [step.module] : [])));
  const lacking = [...wanted].filter((module) => !modules.has(module));
  const more = lacking.length - MOST_STEPS;
  const told = lacking.slice(0, MOST_STEPS).map((module) => `${module}${didYouMean(module, modules.keys())}`);
  const rest = more > 0 ? [`${more} more`] : [];
  return told.length === 0 ? [] : [`the kernel has no module ${[...told, ...rest].join('; ')}`];
}

/**
 * Steps of the plan that the kernel refused, or that waited in vain: a boot without them is not the one that the cell
 * describes.
 */
function stepRemarks(events: readonly DmesgEvent[]): string[] {
  const refused = events.flatMap((event) => {
    if (event.event !== 'agent') return [];
    const [first = '', second] = event.words;
    // `wait DEVICE timeout`, `join timeout TASKS`; `read` has how often it read behind the path (guest/init/steps.c).
    if (event.verb === 'wait' && second === 'timeout') return [`the step wait ${first} ended with it not bound`];
    if (event.verb === 'join' && first === 'timeout')
      return [`the step join ended with tasks still running: ${second ?? ''}`];
    if (!SILENT_STEPS.has(event.verb)) return [];
    // VERB WORDS... error NUMBER TEXT (guest/init/report.c, report_result()).
    // A module or a driver may be called `error`.
    const at = event.words.findIndex((word, n) => word === 'error' && /^\d+$/.test(event.words[n + 1] ?? ''));
    if (at < 0) return [];
    const step = [event.verb, ...event.words.slice(0, event.verb === 'read' ? 1 : at)].join(' ');
    return [`the step ${step} failed: ${event.words.slice(at + 2).join(' ')}`];
  });
  const more = refused.length - MOST_STEPS;
  return more > 0 ? [...refused.slice(0, MOST_STEPS), `and ${more} more`] : refused;
}

/** Words of the init's lines with this verb. */
function reported(events: readonly DmesgEvent[], verb: string): (readonly string[])[] {
  return events.flatMap((event) => (event.event === 'agent' && event.verb === verb ? [event.words] : []));
}

/** What happened to devices, in the order in which the kernel said so. */
function probeOrder(events: readonly DmesgEvent[]): CellRecord['order'] {
  return events.flatMap((event): CellRecord['order'] => {
    switch (event.event) {
      case 'probe-entered':
      case 'bound':
      case 'deferred':
      case 'retried':
      case 'probe-failed':
        return [{ event: event.event, device: event.device }];
      case 'crash':
        return [{ event: 'crash', signature: event.signature }];
      default:
        return [];
    }
  });
}

const US_PER_MS = 1000;

function lastTime(events: readonly DmesgEvent[]): number | null {
  const last = events.findLast((event) => event.time !== null);
  return last === undefined || last.time === null ? null : Math.round(last.time / US_PER_MS);
}

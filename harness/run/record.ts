import { z } from 'zod';
import { isMissing, VERDICTS } from '../model/verdict.ts';

/**
 * What a run leaves behind. The schema is published as `docs/run.schema.json`; every report is a function of these
 * records and of the files in a cell's folder. Times are ISO 8601 in UTC, durations milliseconds unless the name says
 * otherwise.
 */
export const RUN_SCHEMA_VERSION = 1;

const crash = z.object({
  kind: z.string(),
  title: z.string(),
  signature: z.string(),
  function: z.string().nullable(),
  module: z.string().nullable(),
  address: z.string().nullable().describe('virtual address of the fault, 0x and hexadecimal without leading zeros'),
  comm: z.string().nullable(),
  driver: z.string().nullable().describe('driver whose probe was in flight'),
  device: z.string().nullable().describe('device whose probe was in flight'),
  line: z.number().int().describe('first line of the report in console.log, from 1'),
  lastLine: z.number().int(),
  text: z.array(z.string()).describe("the report's first lines"),
  trace: z.array(z.string()).describe('functions of the call trace, innermost first'),
});

const probeEvent = z.object({
  event: z.enum(['probe-entered', 'bound', 'deferred', 'retried', 'probe-failed']),
  device: z.string(),
});
const crashEvent = z.object({ event: z.literal('crash'), signature: z.string() });

const gateEvent = z.object({
  time: z.number().int().nullable().describe('microseconds of virtual time since the machine was started'),
  verb: z.string(),
  subject: z.string().describe('device or symbol'),
  detail: z.string(),
});

const expectation = z.object({
  verdicts: z.array(z.enum(VERDICTS)),
  function: z.string().optional(),
  address: z.string().optional(),
  reason: z.string().optional(),
});

export const cellRecordSchema = z.object({
  id: z.string(),
  row: z.string().nullable(),
  claim: z.string().nullable(),
  axes: z.record(z.string(), z.string()),
  kernel: z.object({
    recipe: z.string(),
    linkage: z.string(),
    release: z.string().nullable(),
    source: z
      .string()
      .nullable()
      .default(null)
      .describe('what it was built from: "git COMMIT", "debian VERSION"; null where that is not known'),
    key: z.string().nullable().describe('content key of the build'),
    imageHash: z.string().nullable().describe('SHA-256 of the Image'),
  }),
  inputs: z
    .record(z.string(), z.string())
    .describe(
      'SHA-256 by name of everything that the outcome depends on: image, modules, tree, plan, gates, machine, firmware',
    ),
  verdict: z.enum(VERDICTS),
  asExpected: z.boolean(),
  expected: expectation,
  reason: z.string().describe('what decided the verdict, one sentence'),
  notes: z.array(z.string()),
  crash: crash.nullable(),
  warnings: z.number().int().describe('crash events beside the one above'),
  bound: z.array(z.object({ device: z.string(), driver: z.string() })),
  deferred: z.array(z.object({ device: z.string(), reason: z.string().nullable() })),
  order: z
    .array(z.union([probeEvent, crashEvent, z.string().describe('in records of 0.1.0: "probe-entered DEVICE"')]))
    .describe('probe events and crashes in the order in which they happened'),
  gates: z.array(gateEvent),
  consoleHash: z.string().nullable().describe('SHA-256 of console.log'),
  virtualMs: z.number().nullable().describe("the guest's own time at its last line"),
  wallMs: z.number(),
  cached: z.boolean().describe('taken from the result cache, not booted in this run'),
  forked: z.boolean().optional().describe('booted from a snapshot that other cells share, not from reset'),
  folder: z.string().nullable().describe("the cell's files, relative to run.json"),
  replay: z.string().describe('command that boots the cell again'),
});
export type CellRecord = z.infer<typeof cellRecordSchema>;

export const runRecordSchema = z.object({
  schema: z.literal(RUN_SCHEMA_VERSION),
  run: z.string().describe('name of the folder under results/'),
  startedAt: z.string(),
  finishedAt: z.string(),
  harness: z.object({ version: z.string(), commit: z.string().nullable() }),
  qemu: z.string().describe('first line of qemu-system-aarch64 --version'),
  host: z.object({ platform: z.string(), cores: z.number().int(), node: z.string() }),
  matrix: z.object({ file: z.string(), hash: z.string(), selection: z.array(z.string()) }),
  workers: z.number().int(),
  repeat: z.number().int(),
  shard: z.object({ index: z.number().int(), of: z.number().int() }).nullable(),
  missing: z
    .object({ shards: z.array(z.number().int()), of: z.number().int() })
    .nullable()
    .default(null)
    .describe('shards whose cells this run should have and does not; null where it is complete'),
  wallMs: z
    .object({ kernels: z.number(), boots: z.number(), total: z.number() })
    .describe('until the last kernel was ready, from then to the end, and both; what is ready is booted meanwhile'),
  kernels: z.array(
    z.object({
      recipe: z.string(),
      linkage: z.string(),
      built: z.boolean().describe('compiled in this run, not taken from the cache'),
      wallMs: z.number(),
      log: z.string().nullable(),
      unbuildable: z.string().nullable(),
    }),
  ),
  cells: z.array(cellRecordSchema),
  /** Cells whose repetitions differed: the harness's own bug, never the kernel's. */
  flakes: z.array(
    z.object({ id: z.string(), what: z.enum(['verdict', 'order', 'console']), repetition: z.number().int() }),
  ),
  clockRaces: z
    .array(
      z.object({
        id: z.string(),
        repetition: z.number().int().nullable().describe('null for the boot that checks one from a snapshot'),
        microseconds: z.number().int().describe('largest difference of two stamps'),
      }),
    )
    .default([])
    .describe(
      "boots that were made once more, and agreed then: QEMU's clock alone had been ahead (run/repetitions.ts)",
    ),
});
export type RunRecord = z.infer<typeof runRecordSchema>;

/**
 * Exit code of a run: 1 something unexpected, 3 some cells have no verdict or a part of the run
 * is missing, 0 otherwise.
 */
export function exitCodeOf(run: Pick<RunRecord, 'cells' | 'flakes' | 'missing'>): 0 | 1 | 3 {
  if (run.flakes.length > 0 || run.cells.some((cell) => !cell.asExpected && !isMissing(cell.verdict))) return 1;
  return run.missing !== null || run.cells.some((cell) => isMissing(cell.verdict)) ? 3 : 0;
}

/** What two boots of the same cell do not agree on; null when they agree, which they have to in every byte. */
export function difference(a: CellRecord, b: CellRecord): RunRecord['flakes'][number]['what'] | null {
  if (a.verdict !== b.verdict || a.crash?.signature !== b.crash?.signature) return 'verdict';
  if (JSON.stringify(a.order) !== JSON.stringify(b.order)) return 'order';
  return a.consoleHash === b.consoleHash ? null : 'console';
}

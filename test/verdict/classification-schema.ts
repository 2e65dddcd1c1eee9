import { z } from 'zod';
import type { Crash, Frame } from '../../harness/dmesg/events.ts';
import { CRASH_KINDS } from '../../harness/model/crash.ts';
import { VERDICTS } from '../../harness/model/verdict.ts';
import type { Classification } from '../../harness/verdict/classify.ts';

/** The published shape of what `bootrace classify --json` prints; the compiler holds it against the types. */

const text = z.string().nullable();
const number = z.int().nullable();
const named = z.strictObject({ function: z.string(), why: z.string() });

const frame: z.ZodType<Frame> = z.strictObject({
  function: z.string().describe('as the log has it; an address where the kernel has no symbols'),
  offset: number,
  size: number,
  module: text,
  source: text.describe('file:line, from a decoded log or a vmlinux'),
});

const followUp = z.strictObject({ kind: z.enum(CRASH_KINDS), title: z.string(), line: z.int() });

const crash: z.ZodType<Crash> = z.strictObject({
  event: z.literal('crash'),
  line: z.int().describe('1-based line that the report begins in'),
  time: z.number().nullable().describe('printk time stamp, microseconds'),
  kind: z.enum(CRASH_KINDS),
  fatal: z.boolean().describe('the kernel, or at least the task, did not go on'),
  title: z.string().describe('as a maintainer would say it'),
  trackerTitle: z.string().describe("as a tracker that groups reports by machine says it (syzkaller's convention)"),
  signature: z.string().describe('kind and title without what differs from boot to boot'),
  function: text.describe('the function to blame'),
  offset: number,
  module: text,
  address: text.describe('virtual address of the fault'),
  passedOver: z.array(named).describe('functions further in, and why they are not to blame'),
  comm: text,
  pid: number,
  cpu: number,
  stalledCpus: z.array(z.int()).describe('CPUs that an RCU stall is about'),
  workqueue: text,
  pc: frame.nullable(),
  lr: frame.nullable(),
  trace: z.array(frame),
  code: text,
  registers: z.record(z.string(), z.string()),
  source: text,
  lastLine: z.int(),
  text: z.array(z.string()),
  followUps: z.array(followUp),
  truncated: z.boolean().describe('the log is cut in this report'),
  probing: z.strictObject({ driver: z.string(), device: z.string() }).nullable(),
});

const classification: z.ZodType<Classification> = z.strictObject({
  file: z.string(),
  verdict: z.enum(VERDICTS),
  reason: z.string(),
  fragment: z.boolean().describe('an excerpt, with neither the beginning nor the end of a boot'),
  boots: z
    .array(
      z.strictObject({
        line: z.int(),
        sign: z.enum(['banner', 'firmware', 'clock', 'announced']).describe('how the next boot shows that it begins'),
        ended: z.enum(['shutdown', 'crash', 'silent', 'unknown']),
        lastText: z.string(),
        probing: z.array(z.string()),
      }),
    )
    .describe('boots before the last one'),
  kernel: text.describe('release, from the banner'),
  crashes: z.array(crash),
  deferrals: z.array(
    z.strictObject({
      device: z.string(),
      driver: text,
      by: z.enum(['driver', 'supplier', 'unknown']),
      reason: text,
      times: z.int(),
      outcome: z.enum(['bound', 'failed', 'pending', 'waiting']).describe('waiting: the log ends before it is known'),
    }),
  ),
  bound: z.array(z.string()).describe('in the order in which they bound'),
  failed: z.array(z.strictObject({ device: z.string(), driver: text, error: number, reason: text })),
  awaited: z
    .array(z.strictObject({ device: z.string(), by: z.array(z.string()) }))
    .describe('devices that bound suppliers wait for in sync_state()'),
  cycles: z.array(z.strictObject({ node: z.string(), with: z.string() })),
  remoteprocs: z.array(z.strictObject({ processor: z.string(), reason: z.string() })),
  root: z.strictObject({ name: text, missing: z.boolean() }).nullable(),
  rejected: z.array(z.strictObject({ module: text, reason: z.string() })),
  inFlight: text,
  lastLine: z.string(),
  lines: z.int(),
  notes: z.array(z.string()),
});

export const classificationsSchema = z.array(classification);

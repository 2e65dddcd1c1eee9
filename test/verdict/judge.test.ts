import { describe, expect, it } from 'vitest';
import type { Crash, DmesgEvent } from '../../harness/dmesg/events.ts';
import { Summary } from '../../harness/dmesg/summary.ts';
import type { CrashKind } from '../../harness/model/crash.ts';
import { CRASH_KINDS } from '../../harness/model/crash.ts';
import { VERDICTS, type Verdict } from '../../harness/model/verdict.ts';
import { differences, judge } from '../../harness/verdict/judge.ts';
import type { KnownIssue } from '../../harness/verdict/knownissues.ts';
import { crashEvent } from '../crashes.ts';

const DEVICE = '15000000.iommu';

const crash = (kind: CrashKind, more: Partial<Crash> = {}): Crash => crashEvent({ kind, ...more });

const at = { line: 3, time: null };
const agent = (text: string): DmesgEvent => {
  const [verb = '', ...words] = text.split(' ');
  return { event: 'agent', verb, words, ...at };
};
const banner: DmesgEvent = { event: 'banner', release: '6.1.0', ...at };
const shutdown: DmesgEvent = { event: 'shutdown', ...at };
const bound: DmesgEvent = { event: 'bound', device: DEVICE, driver: 'arm-smmu', ...at };
const deferred: DmesgEvent = {
  event: 'deferred',
  by: 'supplier',
  reason: 'supplier scm not ready',
  device: DEVICE,
  driver: null,
  ...at,
};
const complete = (...events: DmesgEvent[]): DmesgEvent[] => [
  banner,
  agent('start'),
  ...events,
  agent('done'),
  shutdown,
];

interface Given {
  readonly watch?: readonly string[];
  readonly completeBy?: 'plan' | 'init' | 'boot';
  readonly knownIssues?: readonly KnownIssue[];
  readonly lastLine?: string;
}

function judged(events: readonly DmesgEvent[], given: Given = {}) {
  const summary = new Summary();
  for (const event of events) summary.add(event);
  return judge({
    summary: summary.finish({
      lines: events.length,
      lastLine: given.lastLine ?? 'the last line',
      kernel: true,
      quoted: false,
    }),
    watch: given.watch ?? [DEVICE],
    completeBy: given.completeBy ?? 'plan',
    knownIssues: given.knownIssues ?? [],
    today: '2026-06-15',
  });
}
const verdictOf = (events: readonly DmesgEvent[], given: Given = {}): Verdict => judged(events, given).verdict;

describe('a complete boot', () => {
  it('is bound when every watched device bound at its first try', () => {
    expect(verdictOf(complete(bound))).toBe('bound');
    expect(verdictOf(complete(agent(`bound ${DEVICE} arm-smmu`)))).toBe('bound');
    expect(verdictOf(complete(agent(`bound ${DEVICE} arm-smmu`)), { watch: [] })).toBe('bound');
  });

  it('is deferred-then-bound when one of them was deferred before', () => {
    expect(verdictOf(complete(deferred, bound))).toBe('deferred-then-bound');
    expect(
      verdictOf(
        complete({ event: 'probe-returned', value: 517, usecs: 1, device: DEVICE, driver: null, ...at }, bound),
      ),
    ).toBe('deferred-then-bound');
    const other: DmesgEvent = { ...deferred, device: 'other' };
    expect(verdictOf(complete(other, bound))).toBe('bound');
  });

  it('is stuck-deferred when one of them is still deferred', () => {
    expect(verdictOf(complete(deferred))).toBe('stuck-deferred');
    expect(verdictOf(complete(agent(`deferred ${DEVICE} platform: supplier scm not ready`)))).toBe('stuck-deferred');
    expect(verdictOf(complete(bound, deferred))).toBe('stuck-deferred');
    expect(judged(complete(agent(`deferred ${DEVICE} platform: supplier scm not ready`))).reason).toContain(
      'supplier scm not ready',
    );
  });

  it('is probe-failed when one of them has no driver', () => {
    const failed: DmesgEvent = {
      event: 'probe-failed',
      error: 22,
      words: null,
      device: DEVICE,
      driver: 'arm-smmu',
      ...at,
    };
    expect(verdictOf(complete(failed))).toBe('probe-failed');
    expect(judged(complete(failed)).reason).toContain('-22');
    expect(verdictOf(complete(agent(`unbound ${DEVICE}`)))).toBe('probe-failed');
    expect(verdictOf(complete(agent(`probing ${DEVICE} arm-smmu`)))).toBe('hang');
    expect(verdictOf(complete(agent(`absent ${DEVICE}`)))).toBe('probe-failed');
    expect(verdictOf(complete())).toBe('probe-failed');
  });

  it('is module-rejected when a module did not load', () => {
    expect(verdictOf(complete(bound, agent('load arm_smmu error 2 Unknown symbol')))).toBe('module-rejected');
    expect(
      verdictOf(complete(bound, { event: 'module-rejected', module: 'arm_smmu', reason: 'version magic', ...at })),
    ).toBe('module-rejected');
    expect(verdictOf(complete(bound, agent('load arm_smmu ok')))).toBe('bound');
  });
});

describe('what waits for what', () => {
  const listed: DmesgEvent = { event: 'deferral-listed', reason: 'a: wait', device: 'late', driver: null, ...at };

  it('is noted as long as it waits', () => {
    expect(judged(complete(bound, listed)).notes).toEqual(['still deferred: late']);
    const later: DmesgEvent = { ...bound, device: 'late' };
    expect(judged(complete(bound, listed, later)).notes).toEqual([]);
  });
});

describe('a boot that does not end', () => {
  it('a guest that finished its plan need not power off where its init goes on', () => {
    const finished = [agent('start'), bound, agent('done')];
    expect(verdictOf(finished, { completeBy: 'init' })).toBe('bound');
    expect(verdictOf(finished, { completeBy: 'plan' })).toBe('hang');
  });

  it('a log that ends with a report has ended by that, and is no hang as well', () => {
    const ended = [banner, crash('warning')];
    expect(verdictOf(ended, { completeBy: 'boot', watch: [] })).toBe('warning');
  });

  it('is a hang, and never a pass', () => {
    expect(verdictOf([banner, bound])).toBe('hang');
    expect(verdictOf([banner, agent('start'), bound])).toBe('hang');
    expect(verdictOf([banner, agent('start'), bound, agent('done')])).toBe('hang');
    expect(verdictOf([])).toBe('hang');
    expect(verdictOf([banner], { completeBy: 'boot', watch: [] })).toBe('hang');
    expect(verdictOf([banner, agent('start'), bound], { completeBy: 'boot', watch: [] })).toBe('hang');
  });

  it('names what was in flight and the last line', () => {
    const events: DmesgEvent[] = [
      banner,
      { event: 'initcall-entered', function: 'foo_init', module: 'foo', ...at },
      { event: 'probe-entered', device: DEVICE, driver: 'arm-smmu', ...at },
    ];
    const { reason } = judged(events, { lastLine: 'foo: waiting' });
    expect(reason).toContain(`probe of ${DEVICE} by arm-smmu`);
    expect(reason).toContain('load of module foo (foo_init)');
    expect(reason).toContain('foo: waiting');
  });

  it('of many initcalls in flight it names those that were entered last', () => {
    const events = ['a', 'b', 'c', 'd'].map(
      (name): DmesgEvent => ({ event: 'initcall-entered', function: `${name}_init`, module: null, ...at }),
    );
    expect(judged([banner, ...events]).reason).toContain(
      ', initcall b_init, initcall c_init, initcall d_init in flight',
    );
  });

  it('passes as a foreign log when user space was reached, and gives no verdict when it is only an excerpt', () => {
    expect(verdictOf([banner, { event: 'user-space', ...at }], { completeBy: 'boot', watch: [] })).toBe('bound');
    expect(verdictOf([bound], { completeBy: 'boot', watch: [] })).toBe('infra-error');
  });
});

describe('crashes', () => {
  const expected: Readonly<{ [kind in CrashKind]: Verdict }> = {
    'null-deref': 'null-deref',
    'paging-request': 'oops',
    oops: 'oops',
    bug: 'oops',
    exception: 'oops',
    'stack-overflow': 'oops',
    serror: 'panic',
    panic: 'panic',
    'rcu-stall': 'hang',
    'hung-task': 'hang',
    'soft-lockup': 'hang',
    'hard-lockup': 'hang',
    'workqueue-lockup': 'hang',
    warning: 'warning',
    kasan: 'warning',
    ubsan: 'warning',
    kfence: 'warning',
    kcsan: 'warning',
    kmsan: 'warning',
    lockdep: 'warning',
    oom: 'warning',
    'sleeping-in-atomic': 'warning',
    refcount: 'warning',
    memleak: 'warning',
    other: 'warning',
  };
  it.each(CRASH_KINDS)('%s', (kind) => {
    expect(verdictOf(complete(bound, crash(kind)))).toBe(expected[kind]);
    expect(judged(complete(bound, crash(kind))).crash?.kind).toBe(kind);
  });

  it('the worst finding wins, whatever the order', () => {
    for (const first of CRASH_KINDS) {
      for (const second of CRASH_KINDS) {
        const worst =
          VERDICTS.indexOf(expected[first]) >= VERDICTS.indexOf(expected[second]) ? expected[first] : expected[second];
        expect(verdictOf(complete(bound, crash(first), crash(second, { line: 9 })))).toBe(worst);
      }
    }
  });

  it('a panic that follows from a crash leaves its verdict, an oops that a sanitizer announced does not', () => {
    const panic = { kind: 'panic', title: 'kernel panic: Fatal exception', line: 9 } as const;
    expect(verdictOf(complete(bound, crash('null-deref', { followUps: [panic] })))).toBe('null-deref');
    expect(verdictOf(complete(bound, crash('warning', { followUps: [panic] })))).toBe('warning');
    expect(
      verdictOf(complete(bound, crash('kasan', { followUps: [{ kind: 'null-deref', title: 't', line: 9 }] }))),
    ).toBe('null-deref');
  });

  it('a BUG: report that the kernel survives is a warning, a sanitizer that traps is an oops', () => {
    expect(verdictOf(complete(bound, crash('bug', { fatal: false })))).toBe('warning');
    expect(verdictOf(complete(bound, crash('ubsan', { fatal: true })))).toBe('oops');
  });

  it('a crash before the end is not a hang, a warning before it is', () => {
    expect(verdictOf([banner, agent('start'), crash('null-deref')])).toBe('null-deref');
    expect(verdictOf([banner, agent('start'), crash('warning')])).toBe('hang');
  });
});

describe('known issues', () => {
  const known = (match: KnownIssue['match'], expires = '2026-12-31'): KnownIssue => ({
    match,
    reason: 'a board without the part',
    link: 'https://example.org/1',
    expires,
    place: 'known-issues.yaml:1:3',
  });

  it('turn a warning or a stuck deferral into a note', () => {
    const warning = judged(complete(bound, crash('warning')), {
      knownIssues: [known({ signature: 'warning: * in f' })],
    });
    expect(warning.verdict).toBe('bound');
    expect(warning.notes.join()).toContain('a board without the part');
    expect(judged(complete(deferred), { knownIssues: [known({ device: '*.iommu' })] }).verdict).toBe('bound');
  });

  it('do not excuse anything else', () => {
    expect(
      judged(complete(bound, crash('warning')), { knownIssues: [known({ signature: 'warning: * in g' })] }).verdict,
    ).toBe('warning');
    expect(judged(complete(agent(`unbound ${DEVICE}`)), { knownIssues: [known({ device: '*' })] }).verdict).toBe(
      'probe-failed',
    );
  });

  it('count up to their last day and fail after it', () => {
    const events = complete(bound, crash('warning'));
    const match = { signature: '*' };
    expect(judged(events, { knownIssues: [known(match, '2026-06-15')] }).verdict).toBe('bound');
    const expired = judged(events, { knownIssues: [known(match, '2026-06-14')] });
    expect(expired.verdict).toBe('warning');
    expect(expired.notes.join()).toContain('expired on 2026-06-14');
  });
});

describe('differences from the expectation', () => {
  const nullDeref = judged(complete(bound, crash('null-deref', { address: '0x0' })));
  it('are none when verdict, function and address are as expected', () => {
    expect(differences({ verdicts: ['null-deref'], function: 'f', address: '0x0' }, nullDeref)).toEqual([]);
    expect(differences({ verdicts: ['oops', 'null-deref'] }, nullDeref)).toEqual([]);
  });
  it('name what differs', () => {
    expect(differences({ verdicts: ['bound'] }, nullDeref).join()).toContain('expected bound, got null-deref');
    expect(differences({ verdicts: ['null-deref'], function: 'g' }, nullDeref).join()).toContain(
      'expected the crash in g, got f',
    );
    expect(differences({ verdicts: ['null-deref'], address: '0x8' }, nullDeref).join()).toContain('0x8');
  });
});

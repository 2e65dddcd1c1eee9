import { describe, expect, test } from 'vitest';
import type { Cell } from '../../harness/model/cell.ts';
import type { Gate } from '../../harness/model/gate.ts';
import { type BootResult, readConsole } from '../../harness/run/boot.ts';
import { recordBoot } from '../../harness/run/record-cell.ts';
import { aCell } from '../cells.ts';
import { A_KERNEL } from '../kernels.ts';

const SMMU = '5f000000.iommu';
const SCM = 'firmware:scm';

const HOLD: Gate = { gate: 'hold', device: SMMU, until: SCM, phase: 'finished' };

function gated(gates: readonly Gate[] = []): Cell {
  return aCell({ gates: [...gates], watch: [SMMU] });
}

const BANNER = '[    0.000000] Linux version 6.1.170 (builder@host) #1 SMP';
const PROBES = `[    1.000000] bus: 'platform': really_probe: probing driver arm-smmu with device ${SMMU}`;
const BINDS = `[    1.100000] bus: 'platform': really_probe: bound device ${SMMU} to driver arm-smmu`;
const CRASHES = [
  '[    1.050000] Unable to handle kernel NULL pointer dereference at virtual address 0000000000000000',
  '[    1.050100] Internal error: Oops: 0000000096000004 [#1] SMP',
  '[    1.050200] pc : a_function+0x18/0x50',
];

const WARNS = [
  '[    1.010000] ------------[ cut here ]------------',
  '[    1.010000] WARNING: CPU: 0 PID: 7 at drivers/a.c:1 b_function+0x4/0x8',
  '[    1.010100] pc : b_function+0x4/0x8',
  '[    1.010100] ---[ end trace 0000000000000000 ]---',
];

interface Boot {
  readonly lines?: readonly string[];
  readonly firmwareLog?: string;
  readonly end?: BootResult['end'];
}

function aBoot({ lines = [BANNER, PROBES, BINDS], firmwareLog = '', end = { end: 'stopped' } }: Boot): BootResult {
  const console = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  return {
    console,
    ...readConsole(console),
    end,
    firmwareLog,
    wallMs: 12.6,
    snapshotAt: null,
    raw: { console, firmwareLog, end },
  };
}

const BY = { from: 'reset', knownIssues: [], replay: ['T8'], today: '2020-10-30', spins: null } as const;

function record(boot: Boot, gates: readonly Gate[] = []) {
  return recordBoot(gated(gates), A_KERNEL, { inputs: {}, devices: [] }, aBoot(boot), BY);
}

describe('a boot that says nothing about the kernel has no verdict, and the reason says why', () => {
  test.each<[string, Boot, readonly Gate[]]>([
    ['nothing came from the guest', { end: { end: 'silent', stderr: '' } }, []],
    ['driving its device', { end: { end: 'flooded' } }, []],
    ['killed by SIGSEGV', { end: { end: 'killed', signal: 'SIGSEGV', stderr: '' } }, []],
    ['exit code 3: the last line', { end: { end: 'exited', code: 3, stderr: 'the first\nthe last line\n' } }, []],
    ['firmware gave up: firmware-exception esr=1', { firmwareLog: 'firmware-exception esr=1\n' }, []],
    [
      `holds ${SMMU} until ${SCM} has finished never opened: no driver probed`,
      { firmwareLog: `60000000 timed-out ${SMMU} finished ${SCM}\n` },
      [HOLD],
    ],
    [
      `holds ${SMMU} until gadget_driver has finished never opened: its load has not ended with success`,
      { firmwareLog: `60000000 timed-out ${SMMU} finished gadget_driver\n` },
      [{ gate: 'hold', at: { probe: SMMU }, until: { loaded: 'gadget_driver' } }],
    ],
    ['the gate at nonesuch() was never hit (it saw 2 calls)', { firmwareLog: '1 missed nonesuch() 2\n' }, []],
    ['the gate at early() was never hit after driver_init()', { firmwareLog: '1 missed early() 0 late\n' }, []],
    [
      'the gate at driver=arm-smm was never hit: no driver of that name probed a device, did you mean arm-smmu?',
      { firmwareLog: '1 missed arm-smm 0\n' },
      [{ gate: 'delay', device: 'driver=arm-smm', ms: 1 }],
    ],
    ['its bus is not instrumented', {}, [HOLD]],
  ])('%s', (reason, boot, gates) => {
    const { verdict, asExpected, reason: said } = record(boot, gates);
    expect(said).toContain(reason);
    expect({ verdict, asExpected }).toEqual({ verdict: 'infra-error', asExpected: false });
  });

  test('all gates that were never hit are told, each once', () => {
    const firmwareLog = '1 missed first() 0\n2 missed second():return 3\n';
    const gates: readonly Gate[] = [HOLD, { gate: 'delay', device: SMMU, ms: 1 }];
    expect(record({ firmwareLog }, gates).reason).toBe(
      'the gate at first() was never hit; the gate at second():return was never hit (it saw 3 calls); ' +
        `the gate on ${SMMU} was never hit: its bus is not instrumented (harness/buses)`,
    );
  });

  test('a gate that acted is no trouble', () => {
    expect(record({ firmwareLog: `1 held ${SMMU} finished ${SCM}\n` }, [HOLD]).verdict).not.toBe('infra-error');
  });

  test('a crash counts whatever was still held', () => {
    const firmwareLog = `60000000 timed-out ${SMMU} finished ${SCM}\n`;
    expect(record({ lines: [BANNER, PROBES, ...CRASHES], firmwareLog }, [HOLD])).toMatchObject({
      verdict: 'null-deref',
      asExpected: false,
    });
  });
});

test('a cell with a warning is not as expected where its gates did not bring about what was asked for', () => {
  const bound = `[    1.100000] driver: 'arm-smmu': driver_bound: bound to device '${SMMU}'`;
  const plan = ['[    2.000000] bootrace: start', '[    2.100000] bootrace: done'];
  const lines = [BANNER, PROBES, ...WARNS, bound, ...plan];
  const of = (firmwareLog: string) => {
    const cell = { ...gated([HOLD]), expect: { verdicts: ['warning'] } } as const;
    const shutdown = '[    2.200000] reboot: Power down';
    return recordBoot(
      cell,
      A_KERNEL,
      { inputs: {}, devices: [] },
      aBoot({ lines: [...lines, shutdown], firmwareLog }),
      BY,
    );
  };
  const released = `1 held ${SMMU} finished ${SCM}\n2 released ${SMMU} finished ${SCM}\n`;
  expect(of(released)).toMatchObject({ verdict: 'warning', asExpected: true });
  const { verdict, asExpected, reason } = of(`60000000 timed-out ${SMMU} finished ${SCM}\n`);
  expect({ verdict, asExpected }).toEqual({ verdict: 'warning', asExpected: false });
  expect(reason).toContain(`the gate that holds ${SMMU} until ${SCM} has finished never opened`);
});

test('the record has what the log says', () => {
  const lines = [BANNER, PROBES, BINDS, `[    2.000000] bootrace: bound ${SMMU} arm-smmu`];
  expect(record({ lines, firmwareLog: `1500 held ${SMMU} finished ${SCM}\n` })).toMatchObject({
    bound: [{ device: SMMU, driver: 'arm-smmu' }],
    deferred: [],
    gates: [{ subject: SMMU, verb: 'held', time: 1500, detail: `finished ${SCM}` }],
    kernel: { recipe: '6.1', linkage: 'builtin', release: '6.1.170', source: 'git abc', key: 'key', imageHash: 'hash' },
    wallMs: 13,
    cached: false,
    forked: false,
  });
});

test('crashes beside the one that the verdict is about are counted', () => {
  expect(record({ lines: [BANNER, PROBES, BINDS] }).warnings).toBe(0);
  expect(record({ lines: [BANNER, PROBES, ...CRASHES] }).warnings).toBe(0);
  expect(record({ lines: [BANNER, PROBES, ...WARNS, ...CRASHES] })).toMatchObject({
    verdict: 'null-deref',
    warnings: 1,
  });
});

test('a forced function that was never called is told beside the verdict', () => {
  const never: Gate = { gate: 'force', symbol: 'nonesuch', value: 0 };
  expect(record({}, [never]).reason).toContain('the gate at nonesuch() was never hit');
  expect(record({ firmwareLog: '1 forced nonesuch() 0\n' }, [never]).reason).not.toContain('never hit');
});

test('a hang tells which gates were never hit, and what they still hold', () => {
  const gates: readonly Gate[] = [
    HOLD,
    { gate: 'delay', at: { return: 'device_add' }, ms: 1 },
    { gate: 'delay', device: '0-0048', ms: 1 },
  ];
  const { verdict, reason } = record(
    { lines: [BANNER, PROBES], firmwareLog: `1 held ${SMMU} finished ${SCM}\n` },
    gates,
  );
  expect(verdict).toBe('hang');
  expect(reason).toContain('the gate at device_add():return was not hit before that');
  expect(reason).toContain('the gate at 0-0048 was not hit before that');
  expect(reason).toContain(`a gate holds ${SMMU} until ${SCM} has finished`);
  expect(reason).not.toContain(`the gate at ${SMMU}`);
});

test('a call that is held is so still when another one comes there that must not sleep', () => {
  const firmwareLog = '1 held a_function() finished b\n2 atomic a_function()\n';
  expect(record({ lines: [BANNER, PROBES], firmwareLog }).reason).toContain(
    'a gate holds a_function() until b has finished',
  );
});

test('a device that a gate still holds when the plan is over is not bound', () => {
  const lines = [BANNER, 'bootrace: start', 'bootrace: bound 0-00 pmic-spmi', 'bootrace: done', 'reboot: Power down'];
  const stamped = lines.map((line, n) => (line === BANNER ? line : `[    ${n}.000000] ${line}`));
  const watching = (firmwareLog: string) =>
    recordBoot(
      { ...gated([]), watch: ['0-00'] },
      A_KERNEL,
      { inputs: {}, devices: [] },
      aBoot({ lines: stamped, firmwareLog }),
      BY,
    );
  expect(watching('').verdict).toBe('bound');
  const { verdict, reason } = watching('1 held 0-00 entered spi0.0\n');
  expect({ verdict, reason }).toEqual({
    verdict: 'infra-error',
    reason: 'the plan was over while a gate still held 0-00 until spi0.0 has entered',
  });
});

test('a guest that spins has its place in the reason, beside the last line', () => {
  const lines = [BANNER, '[    1.000000] the last word'];
  const spinning = recordBoot(gated([]), A_KERNEL, { inputs: {}, devices: [] }, aBoot({ lines }), {
    ...BY,
    spins: 'in __delay+0x20, link register time_init+0x4',
  });
  expect(spinning.verdict).toBe('hang');
  expect(spinning.reason).toContain(
    'last line: the last word; CPU 0 was last seen in __delay+0x20, link register time_init+0x4',
  );
});

test('a module of the plan that the kernel does not have is named, with the nearest', () => {
  const file = { name: 'qcom_hwspinlock', path: '/qcom_hwspinlock.ko', depends: [] };
  const kernel = { ...A_KERNEL, modules: new Map([['qcom_hwspinlock', file]]) };
  const reasonOf = (module: string) => {
    const cell = { ...gated([]), plan: [{ step: 'load', module, params: '' }] as const };
    return recordBoot(cell, kernel, { inputs: {}, devices: [] }, aBoot({ lines: [BANNER, PROBES, BINDS] }), BY).reason;
  };
  expect(reasonOf('qcom_hwspinloc')).toMatch(
    /; the kernel has no module qcom_hwspinloc, did you mean qcom_hwspinlock\?$/,
  );
  expect(reasonOf('qcom_hwspinlock')).not.toContain('has no module');
});

test('steps that the kernel refused are in the reason: the boot is not the one that the cell describes', () => {
  const steps = [
    'unbind arm-smmu 5f000000.iommu error 2 No such file or directory',
    'bind arm-smmu 5f000000.iommu ok',
    'probe 5f000000.iommu error 19 No such device',
  ];
  const reasonAfter = (agent: readonly string[]) =>
    record({ lines: [BANNER, PROBES, BINDS, ...agent.map((line, n) => `[    ${n + 2}.000000] bootrace: ${line}`)] })
      .reason;
  expect(reasonAfter(['start', ...steps])).toMatch(
    /; the step unbind arm-smmu 5f000000\.iommu failed: No such file or directory$/,
  );
  expect(reasonAfter(['start', ...Array.from({ length: 5 }, () => 'write /sys/x error 22 Invalid argument')])).toMatch(
    /(; the step write \/sys\/x failed: Invalid argument){3}; and 2 more$/,
  );
  expect(reasonAfter(['start', 'read /sys/x 179 error 2 No such file or directory'])).toMatch(
    /; the step read \/sys\/x failed: No such file or directory$/,
  );
  expect(reasonAfter(['start', 'wait a.device timeout', 'wait another bound', 'join timeout 2'])).toMatch(
    /; the step wait a\.device ended with it not bound; the step join ended with tasks still running: 2$/,
  );
  // A module of that name.
  expect(reasonAfter(['start', 'load error ok', 'unload error ok'])).not.toContain('failed');
  expect(reasonAfter(['start', 'unload error error 11 Device busy'])).toMatch(
    /the step unload error failed: Device busy$/,
  );
});

import type { Verdict } from '../../harness/model/verdict.ts';
import { type CellRecord, RUN_SCHEMA_VERSION, type RunRecord } from '../../harness/run/record.ts';

export type CrashRecord = NonNullable<CellRecord['crash']>;

export const T8_FUNCTION = 'qcom_scm_qsmmu500_wait_safe_toggle';

/** The crash of row T8 as Linux 6.1 prints it. */
export function aCrash(over: Partial<CrashRecord> = {}): CrashRecord {
  return {
    kind: 'null-deref',
    title: `unable to handle kernel NULL pointer dereference in ${T8_FUNCTION}`,
    signature: `null-deref ${T8_FUNCTION}`,
    function: T8_FUNCTION,
    module: null,
    address: '0x0',
    comm: 'kworker/u2:0',
    driver: 'arm-smmu',
    device: '5f000000.iommu',
    line: 5,
    lastLine: 12,
    text: [
      '[    6.412345] Unable to handle kernel NULL pointer dereference at virtual address 0000000000000000',
      '[    6.412360] Mem abort info:',
      '[    6.412400] Internal error: Oops: 0000000096000004 [#1] SMP',
      '[    6.412420] Workqueue: events_unbound async_run_entry_fn',
      `[    6.412430] pc : ${T8_FUNCTION}+0x18/0x50`,
      '[    6.412440] lr : qcom_smmu500_reset+0x50/0x70',
      '[    6.412450] x29: ffff80000800ba90 x28: 0000000000000000',
      '[    6.412460] Call trace:',
    ],
    trace: [T8_FUNCTION, 'qcom_smmu500_reset', 'arm_smmu_device_reset', 'arm_smmu_device_probe', 'platform_probe'],
    ...over,
  };
}

const REASON: Partial<Record<Verdict, string>> = {
  bound: 'both watched devices bound at the first attempt',
  'deferred-then-bound': '5f000000.iommu deferred once, then bound',
  'module-rejected': 'arm_smmu: Unknown symbol qcom_scm_is_available',
  unbuildable: 'ARM_SMMU_QCOM selects QCOM_SCM: asked for QCOM_SCM=m, Kconfig gave y',
  'infra-error': 'qemu-system-aarch64 ended with signal SIGKILL after 0.2 s',
};

export function aCell(over: Partial<CellRecord> = {}): CellRecord {
  const verdict = over.verdict ?? 'bound';
  const id = over.id ?? '6.1.builtin.node-first';
  const crash = verdict === 'null-deref' ? aCrash() : null;
  return {
    id,
    row: null,
    claim: null,
    axes: { kernel: '6.1', linkage: 'builtin', node: 'first' },
    kernel: {
      recipe: '6.1',
      linkage: 'builtin',
      release: '6.1.192',
      source: 'debian 6.1.192-1',
      key: 'k'.repeat(64),
      imageHash: 'a'.repeat(64),
    },
    inputs: { image: 'a'.repeat(64), tree: 'b'.repeat(64), plan: 'c'.repeat(64) },
    asExpected: true,
    expected: { verdicts: [verdict] },
    reason: crash === null ? (REASON[verdict] ?? verdict) : `null-deref in ${T8_FUNCTION}`,
    notes: [],
    warnings: 0,
    bound: [
      { device: 'firmware:scm', driver: 'qcom_scm' },
      { device: '5f000000.iommu', driver: 'arm-smmu' },
    ],
    deferred: [],
    order: ['firmware:scm', '5f000000.iommu'].flatMap((device) => [
      { event: 'probe-entered' as const, device },
      { event: 'bound' as const, device },
    ]),
    gates: [],
    consoleHash: 'd'.repeat(64),
    virtualMs: 612,
    wallMs: 834,
    cached: false,
    folder: `cells/${id}`,
    replay: `npm run -s bootrace -- cell ${id}`,
    crash,
    ...over,
    verdict,
  };
}

export function aRun(cells: readonly CellRecord[], over: Partial<RunRecord> = {}): RunRecord {
  return {
    schema: RUN_SCHEMA_VERSION,
    run: '2026-11-22T14-40-00',
    startedAt: '2026-11-22T14:40:00.000Z',
    finishedAt: '2026-11-22T14:40:48.000Z',
    harness: { version: '0.1.0', commit: 'ec2337a0' },
    qemu: 'QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)',
    host: { platform: 'linux x64', cores: 2, node: 'v20.19.5' },
    matrix: { file: 'matrix.yaml', hash: 'e'.repeat(64), selection: [] },
    workers: 2,
    repeat: 1,
    shard: null,
    missing: null,
    wallMs: { kernels: 0, boots: 47_000, total: 48_200 },
    kernels: [],
    cells: [...cells],
    flakes: [],
    clockRaces: [],
    ...over,
  };
}

/** The matrix of the problem statement as it should come out, about a hundred cells. */
export function threadRun(): RunRecord {
  const cells: CellRecord[] = [];
  for (const kernel of ['6.1', '6.1-unfixed', '6.12', '6.12-unfixed', '5.10-unfixed']) {
    for (const linkage of ['builtin', 'modules', 'smmu-module'] as const) {
      for (const node of ['first', 'last']) {
        for (const async of ['none', 'both']) {
          for (const delay of ['0', '6000']) {
            const racing = async === 'both' && delay === '6000' && linkage === 'builtin';
            const verdict: Verdict = !racing
              ? 'bound'
              : kernel.endsWith('unfixed')
                ? 'null-deref'
                : 'deferred-then-bound';
            const recipe = {
              recipe: kernel,
              linkage,
              release: `${kernel}.192`,
              source: `debian ${kernel}.192-1`,
              key: null,
              imageHash: null,
            };
            const axes = { kernel, linkage, node, async, delay, load: linkage === 'modules' ? 'scm-smmu' : '-' };
            const id = `${kernel}.${linkage}.node-${node}.async-${async}.d${delay}`;
            cells.push(aCell({ id, axes, kernel: recipe, verdict }));
          }
        }
      }
    }
  }
  const claim = (row: string, text: string, id: string) => {
    const index = cells.findIndex((cell) => cell.id === id);
    const cell = cells[index];
    if (cell !== undefined) cells[index] = { ...cell, row, claim: text };
  };
  claim('T1', 'both built in, default order: works', '6.1-unfixed.builtin.node-first.async-none.d0');
  claim('T1', 'both built in, default order: works', '6.12-unfixed.builtin.node-first.async-none.d0');
  claim(
    'T7',
    'modules, async probing of both, node last, 6 s delay: could not be made to crash',
    '6.1-unfixed.modules.node-last.async-both.d6000',
  );
  claim('T8', 'the same, all built in: NULL dereference', '6.1-unfixed.builtin.node-last.async-both.d6000');
  claim('T10', 'guard and NULL-group check: works', '6.1.builtin.node-last.async-both.d6000');
  const kernel = {
    recipe: '6.1',
    linkage: 'scm-module' as const,
    release: null,
    source: null,
    key: null,
    imageHash: null,
  };
  cells.push(
    aCell({
      id: 'T4.6.1.scm-module',
      row: 'T4',
      claim: 'SMMU built in, SCM a module: cannot be built',
      axes: { kernel: '6.1', linkage: 'scm-module' },
      kernel,
      verdict: 'unbuildable',
      folder: null,
      consoleHash: null,
      virtualMs: null,
    }),
  );
  return aRun(cells);
}

/** `run` with some cells changed. */
export function withCells(run: RunRecord, change: (cell: CellRecord) => Partial<CellRecord> | null): RunRecord {
  return { ...run, cells: run.cells.map((cell) => ({ ...cell, ...change(cell) })) };
}

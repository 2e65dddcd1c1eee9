import type { MadeCommit } from './kernel-history.ts';

const SMMU = 'drivers/iommu/arm/arm-smmu/arm-smmu-qcom.c';
const SCM = 'drivers/firmware/qcom_scm.c';

const GUARD = '	if (!qcom_scm_is_available())\n		return ERR_PTR(-EPROBE_DEFER);\n';
const PROBE = '	scm = devm_kzalloc(&pdev->dev, sizeof(*scm), GFP_KERNEL);\n';
const CRASH = `	BUG_ON(pdev);\n${PROBE}`;
const CREATE = 'static struct arm_smmu_device *qcom_smmu_create(';
const BROKEN = `this_does_not_compile;\n${CREATE}`;
const LICENSE = 'MODULE_LICENSE("GPL v2");';

/** Changes nothing that is built, or the text of a file but not its object. */
function unrelated(n: number): MadeCommit['edits'] {
  return n % 3 === 0
    ? [{ file: SCM, from: LICENSE, to: `${LICENSE} /* ${n} */` }]
    : [{ file: 'CREDITS', from: 'This is at least', to: `(${n}) This is at least` }];
}

const SPECIAL: Readonly<Record<number, Omit<MadeCommit, 'name'>>> = {
  11: {
    subject: 'a side branch',
    edits: [{ file: 'COPYING', from: 'The Linux Kernel', to: 'This Linux Kernel' }],
    parents: ['c8'],
  },
  12: { subject: 'Merge the side branch', edits: [], parents: ['c10', 'c11'] },
  17: { subject: 'break the build', edits: [{ file: SMMU, from: CREATE, to: BROKEN }] },
  20: { subject: 'mend the build', edits: [{ file: SMMU, from: BROKEN, to: CREATE }] },
  22: { subject: 'another crash', edits: [{ file: SCM, from: PROBE, to: CRASH }] },
  24: { subject: 'no other crash', edits: [{ file: SCM, from: CRASH, to: PROBE }] },
  27: { subject: 'iommu: do not ask whether the firmware is there', edits: [{ file: SMMU, from: GUARD, to: '' }] },
};
export const COUNT = 36;
/** A guard that a commit of many takes out; builds break on the way, and another crash comes and goes. */
export const HISTORY: MadeCommit[] = Array.from({ length: COUNT }, (_, at) => at + 1).map((n) => ({
  name: `c${n}`,
  ...(SPECIAL[n] ?? { subject: `unrelated change ${n}`, edits: unrelated(n) }),
}));

/** The race of the thread: with the guard the SMMU waits for the SCM, without it it dereferences NULL. */
export const GUARDED_CELL = `
id: guarded
kernel: '6.1'
bootargs: [driver_async_probe=qcom_scm,arm-smmu]
gates: [{ gate: delay, device: firmware:scm, ms: 6000 }]
plan: [{ step: settle, ms: 500 }]
expect: { verdict: deferred-then-bound }
`;
export const CULPRIT = 'c27';

import { childNamed, type TreeNode } from '../devicetree/tree.ts';
import { readCells } from '../devicetree/values.ts';
import type { DeviceModel } from './device.ts';

/** Qualcomm's capability registers. */

export const llcc: DeviceModel = {
  compatible: /^qcom,.*-llcc$/,
  reads: 'drivers/soc/qcom/llcc-qcom.c, qcom_llcc_probe() (6.12): LLCC_COMMON_STATUS0, four banks',
  model(device, answers) {
    for (const { address } of device.ranges) {
      answers.word(address + 0x3_000c, 4 << 28);
      answers.word(address + 0x3_4000, 0);
    }
  },
};

const REFERENCE_HERTZ = 19_200_000;
const LUT_ROWS = 40;
const LUT_ROW = 32;
const LUT = 0x110;
const VOLTAGES = 0x114;

/** Frequencies of the tree's operating points, ascending. */
function frequencies(table: TreeNode | undefined): number[] {
  const values = (table?.children ?? []).flatMap((row) => {
    const [high = 0, low] = readCells(row.properties.get('opp-hz') ?? new Uint8Array()) ?? [];
    return low === undefined ? [] : [high * 2 ** 32 + low];
  });
  return values.sort((a, b) => a - b);
}

/** Lookup tables of frequency and voltage that the CPUs' clock controllers come with. */
export const cpufreqHw: DeviceModel = {
  compatible: ['qcom,cpufreq-hw', 'qcom,osm-l3', 'qcom,sdm845-osm-l3'],
  reads: 'drivers/cpufreq/qcom-cpufreq-hw.c, qcom_cpufreq_hw_read_lut(); drivers/interconnect/qcom/osm-l3.c (6.12)',
  model(device, answers) {
    const tables = device.root.children.filter(({ name }) =>
      /^opp-table-cpu|^cpu\d+-opp-table|^opp-table-cpu\d/.test(name),
    );
    device.ranges.forEach(({ address }, domain) => {
      const found = frequencies(tables[domain] ?? tables[0] ?? childNamed(device.root, 'opp-table'));
      const last = found.at(-1) ?? REFERENCE_HERTZ;
      answers.word(address, 1);
      for (let row = 0; row < LUT_ROWS; row++) {
        const hertz = found[row] ?? last;
        const level = Math.min(row, Math.max(0, found.length - 1));
        answers.word(
          address + LUT + row * LUT_ROW,
          row === 0 ? 0 : (1 << 30) | (4 << 16) | Math.round(hertz / REFERENCE_HERTZ),
        );
        answers.word(address + VOLTAGES + row * LUT_ROW, (level << 16) | (600 + 10 * level));
      }
    });
  },
};

export const ufs: DeviceModel = {
  compatible: ['qcom,ufshc'],
  reads: 'drivers/ufs/core/ufshcd.c, ufshcd_hba_capabilities(), ufshcd_uic_cmd_compl() (6.12)',
  model(device, answers) {
    const { base } = device;
    // CAP, VER 2.1, HCS: device present, request lists and UIC ready.
    answers.word(base, 0x1587_031f);
    answers.word(base + 0x08, 0x210);
    answers.word(base + 0x30, 0xf);
    // A UIC command is complete at once (IS.UCCS); what is written as one to IS becomes zero.
    const done = { mask: 0, value: 0, set: 0x400, clear: 0, interrupt: device.interrupt() };
    answers.rule({ rule: 'on-write', at: base + 0x90, to: base + 0x20, ...done });
    answers.rule({ rule: 'write-one-clears', at: base + 0x20, bits: 0xffff_ffff });
  },
};

export const dsi: DeviceModel = {
  compatible: ['qcom,mdss-dsi-ctrl'],
  reads: 'drivers/gpu/drm/msm/dsi/dsi_host.c, dsi_get_version() (6.12): 2.2.1 of version 3',
  model({ base }, answers) {
    answers.word(base, 0x2002_0001);
    answers.word(base + 0x1f4, 3 << 24);
  },
};

export const mdss: DeviceModel = {
  compatible: /^qcom,.*-(?:mdss|dpu)$/,
  reads: 'drivers/gpu/drm/msm/disp/dpu1/dpu_kms.c, dpu_kms_hw_init(); msm_mdss.c (6.12): hardware version 4.0.0',
  model({ base }, answers) {
    answers.word(base, 0x4000_0000);
  },
};

export const sdhci: DeviceModel = {
  compatible: /^qcom,sdhci-msm-v5$/,
  reads:
    'drivers/mmc/host/sdhci-msm.c, sdhci_msm_probe(); sdhci.c, sdhci_setup_host() (6.12): capabilities of the DB845C',
  model({ base }, answers) {
    answers.word(base + 0x40, 0x362d_c8b2);
    answers.word(base + 0x44, 0x8007);
  },
};

export const tsens: DeviceModel = {
  compatible: /^qcom,tsens-v2|^qcom,.*-tsens$/,
  reads: 'drivers/thermal/qcom/tsens.c, init_common() (6.12): version 2.3, sensors that are there and valid',
  model(device, answers) {
    const srot = device.ranges[1]?.address;
    if (srot === undefined) return;
    answers.word(srot, 0x2003_0000);
    answers.word(srot + 4, (0x1ff << 3) | 1);
  },
};

export const qusb2: DeviceModel = {
  compatible: /^qcom,.*qusb2-phy$/,
  reads: 'drivers/phy/qualcomm/phy-qcom-qusb2.c, qusb2_phy_init() (6.12): PLL status',
  model({ base }, answers) {
    answers.word(base + 0x1a0, 1);
  },
};

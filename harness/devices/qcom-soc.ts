import { childNamed, type TreeNode } from '../devicetree/tree.ts';
import { cellsOf } from '../devicetree/values.ts';
import type { DeviceModel } from './device.ts';

/** Qualcomm's capability registers. */

export const llcc: DeviceModel = {
  compatible: /^qcom,.*-llcc$/,
  reads: 'drivers/soc/qcom/llcc-qcom.c, qcom_llcc_probe() (6.12): LLCC_COMMON_STATUS0, banks',
  model(device, answers) {
    // As many banks as the tree has; trees of SDM845's time name none of them.
    const named = device.strings('reg-names').filter((name) => /^llcc\d+_base$/.test(name)).length;
    const banks = (named === 0 ? 4 : named) * 2 ** 28;
    for (const { address } of device.ranges) {
      // Version 1, and 2.1 and later.
      answers.word(address + 0x3_000c, banks);
      answers.word(address + 0x3_400c, banks);
      answers.word(address + 0x3_4000, 0);
    }
  },
};

const REFERENCE_HERTZ = 19_200_000;
const LUT_ROWS = 40;
/** Of `struct qcom_cpufreq_soc_data`: bytes of a row, frequencies, voltages, what runs now (vote or domain's state). */
const OSM = { row: 32, frequencies: 0x110, voltages: 0x114, current: 0x704 } as const;
const EPSS = { row: 4, frequencies: 0x100, voltages: 0x200, current: 0x20 } as const;
/** What runs now: 300 MHz, the first row of every table, in steps of the reference. */
const CURRENT = 16;

/** Frequencies of the tree's operating points, ascending. */
function frequencies(table: TreeNode | undefined): number[] {
  const values = (table?.children ?? []).flatMap((row) => {
    const [high = 0, low] = cellsOf(row, 'opp-hz');
    return low === undefined ? [] : [high * 2 ** 32 + low];
  });
  return values.sort((a, b) => a - b);
}

/** Lookup tables of frequency and voltage that the CPUs' clock controllers come with. */
export const cpufreqHw: DeviceModel = {
  compatible: /^qcom,cpufreq-(?:hw|epss)$|^qcom,(?:\w+-)?(?:osm|epss)-l3$/,
  reads:
    'drivers/cpufreq/qcom-cpufreq-hw.c, qcom_cpufreq_hw_read_lut(), qcom_lmh_get_throttle_freq(); ' +
    'drivers/interconnect/qcom/osm-l3.c, qcom_osm_l3_probe() (6.12)',
  model(device, answers) {
    const tables = device.root.children.filter(({ name }) =>
      /^opp-table-cpu|^cpu\d+-opp-table|^opp-table-cpu\d/.test(name),
    );
    const layout = device.compatible.some((name) => name.includes('epss')) ? EPSS : OSM;
    device.ranges.forEach(({ address }, domain) => {
      const found = frequencies(tables[domain] ?? tables[0] ?? childNamed(device.root, 'opp-table'));
      const last = found.at(-1) ?? REFERENCE_HERTZ;
      answers.word(address, 1);
      answers.word(address + layout.current, CURRENT);
      for (let row = 0; row < LUT_ROWS; row++) {
        const hertz = found[row] ?? last;
        const level = Math.min(row, Math.max(0, found.length - 1));
        answers.word(
          address + layout.frequencies + row * layout.row,
          row === 0 ? 0 : (1 << 30) | (4 << 16) | Math.round(hertz / REFERENCE_HERTZ),
        );
        answers.word(address + layout.voltages + row * layout.row, (level << 16) | (600 + 10 * level));
      }
    });
  },
};

/** REG_VERSION: 5.3 (major and minor in the upper half). */
const QCE_VERSION = 0x0503_0000;

export const qce: DeviceModel = {
  compatible: ['qcom,qce', 'qcom,crypto-v5.1', 'qcom,crypto-v5.4'],
  reads: 'drivers/crypto/qce/core.c, qce_check_version() (6.12)',
  model({ base }, answers) {
    answers.word(base, QCE_VERSION);
  },
};

export const ufs: DeviceModel = {
  compatible: ['qcom,ufshc'],
  reads:
    'drivers/ufs/core/ufshcd.c, ufshcd_hba_capabilities(), ufshcd_uic_cmd_compl(); ' +
    'drivers/ufs/core/ufshcd.c, ufshcd_validate_link_params() (7.2)',
  model(device, answers) {
    const { base } = device;
    // CAP, VER 2.1, HCS: device present, request lists and UIC ready.
    answers.word(base, 0x1587_031f);
    answers.word(base + 0x08, 0x210);
    answers.word(base + 0x30, 0xf);
    // A UIC command is complete at once (IS.UCCS); what is written as one to IS becomes zero.
    const done = { mask: 0, value: 0, set: 0x400, clear: 0, interrupt: device.interrupt() };
    answers.rule({ rule: 'on-write', at: base + 0x90, to: base + 0x20, ...done });
    // Attributes that are asked for (DME_GET, DME_PEER_GET) are the number of lanes: both sides have connected all.
    const lanes = device.cells('lanes-per-direction')[0] ?? 2;
    const attribute = { set: lanes, clear: ~lanes >>> 0, interrupt: 0 };
    for (const value of [1, 3])
      answers.rule({ rule: 'on-write', at: base + 0x90, mask: 0xff, value, to: base + 0x9c, ...attribute });
    answers.rule({ rule: 'write-one-clears', at: base + 0x20, bits: 0xffff_ffff });
  },
};

/** MSM_DSI_6G_VER_MINOR_* of drivers/gpu/drm/msm/dsi/dsi_cfg.h; of the rest that of SDM845, 2.2.1. */
const DSI_VERSIONS: readonly (readonly [string, number])[] = [
  ['qcom,msm8916-dsi-ctrl', 0x1003_0001],
  ['qcom,msm8953-dsi-ctrl', 0x1004_0002],
  ['qcom,msm8976-dsi-ctrl', 0x1004_0002],
  ['qcom,msm8996-dsi-ctrl', 0x1004_0001],
  ['qcom,msm8998-dsi-ctrl', 0x2000_0000],
  ['qcom,sdm660-dsi-ctrl', 0x2001_0000],
];
const DSI_SDM845 = 0x2002_0001;

export const dsi: DeviceModel = {
  compatible: ['qcom,mdss-dsi-ctrl'],
  reads: 'drivers/gpu/drm/msm/dsi/dsi_host.c, dsi_get_version() (6.12): version 3, which has one of its own',
  model({ base, compatible }, answers) {
    answers.word(base, DSI_VERSIONS.find(([name]) => compatible.includes(name))?.[1] ?? DSI_SDM845);
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
  compatible: /^qcom,sdhci-msm-v[45]$/,
  reads:
    'drivers/mmc/host/sdhci-msm.c, sdhci_msm_probe(); sdhci.c, sdhci_setup_host() (6.12): capabilities of the DB845C',
  model({ base }, answers) {
    answers.word(base + 0x40, 0x362d_c8b2);
    answers.word(base + 0x44, 0x8007);
  },
};

export const tsens: DeviceModel = {
  compatible: /^qcom,tsens-v|^qcom,.*-tsens$/,
  reads: 'drivers/thermal/qcom/tsens.c, init_common() (6.12): version 2.3, sensors that are there and valid',
  model(device, answers) {
    const srot = device.ranges[1]?.address;
    if (srot === undefined) return;
    // Before version 1 there is no version, and TSENS_EN is the first bit.
    if (device.compatible.includes('qcom,tsens-v0_1')) {
      answers.word(srot, (0x1ff << 3) | 1);
      return;
    }
    answers.word(srot, 0x2003_0000);
    answers.word(srot + 4, (0x1ff << 3) | 1);
  },
};

export const qusb2: DeviceModel = {
  compatible: /^qcom,.*qusb2-phy$/,
  reads: 'drivers/phy/qualcomm/phy-qcom-qusb2.c, qusb2_phy_init() (6.12): PLL status, in its two places',
  model({ base }, answers) {
    answers.word(base + 0x1a0, 1);
    answers.word(base + 0x38, 1 << 5);
  },
};

/**
 * QUP_STATE of the serial engines before GENI: valid, and an I2C master where it is one. What it transfers never ends.
 */
const QUP_STATE = 0x04;
const QUP_STATE_VALID = 1 << 2;
const QUP_I2C_MAST_GEN = 1 << 4;

export const qup: DeviceModel = {
  compatible: /^qcom,(?:i2c|spi)-qup-v/,
  reads:
    'drivers/i2c/busses/i2c-qup.c, qup_i2c_poll_state_mask(); drivers/spi/spi-qup.c, spi_qup_is_valid_state() (6.12)',
  model({ base }, answers) {
    const bits = QUP_STATE_VALID | QUP_I2C_MAST_GEN;
    answers.word(base + QUP_STATE, bits);
    answers.rule({ rule: 'read-only', at: base + QUP_STATE, bits });
    answers.rule({ rule: 'plain', at: base + QUP_STATE });
  },
};

import type { DeviceModel } from './device.ts';

/** What Tegra's boot processor leaves in the clock controller: the rate of its crystal, and which clocks run. */
const OSC_CTRL = 0x50;
/** OSC_CTRL_OSC_FREQ: index into `tegra210_input_freq` and `tegra124_input_freq`: 38.4 MHz and 12 MHz. */
const CRYSTALS: readonly (readonly [string, number])[] = [
  ['nvidia,tegra210-car', 5],
  ['nvidia,tegra132-car', 8],
  ['nvidia,tegra124-car', 8],
];
const FREQUENCY_SHIFT = 2 ** 28;
/**
 * SCLK, CCLKG and CCLKLP_BURST_POLICY (drivers/clk/tegra/clk-tegra-super-gen4.c), and that of ACLK: running, from the
 * crystal.
 */
const BURST_POLICIES = [0x28, 0x368, 0x370, 0x6e0];
const SUPER_STATE_RUN = 2 * 2 ** 28;

/**
 * PLLs of clk-tegra210.c: base register, where the factor is in it, which bit says that it is locked. At reset each is
 * off and set up for ten times the crystal, so that no clock behind one has no rate.
 */
const PLLS = [
  { base: 0x80, factor: 10, lock: 27 },
  { base: 0x90, factor: 8, lock: 27 },
  { base: 0xa0, factor: 10, lock: 27 },
  { base: 0xb0, factor: 8, lock: 27 },
  { base: 0xc0, factor: 8, lock: 27 },
  { base: 0xd0, factor: 11, lock: 27 },
  { base: 0xe0, factor: 8, lock: 27 },
  { base: 0x4b8, factor: 8, lock: 27 },
  { base: 0x4e8, factor: 10, lock: 26 },
  { base: 0x4fc, factor: 10, lock: 26 },
  { base: 0x590, factor: 8, lock: 27 },
  { base: 0x5a4, factor: 8, lock: 27 },
  { base: 0x5e8, factor: 8, lock: 27 },
  { base: 0x6a4, factor: 10, lock: 26 },
] as const;
const PLL_ENABLE = 30;
const TEN_TIMES = 10;
/**
 * PLLP_OUTA of Tegra124 and 132: 408 MHz by 42.5 (a half more than OUT1_RATIO says), one of the two rates that
 * tegra_pll_a_freq_table knows (clk-tegra124.c); any other is a BUG() of _calc_rate() (clk-pll.c).
 */
const PLLP_OUTA = 0xa4;
const PLLP_OUT1 = (83 << 8) | 7;
/** CLK_SOURCE_VIC03, NVDEC, NVJPG and NVENC (clk-tegra-periph.c): from PLLP; zero is no source of theirs. */
const SOURCES = [
  [0x678, 2 * 2 ** 29],
  [0x698, 4 * 2 ** 29],
  [0x69c, 4 * 2 ** 29],
  [0x6a0, 4 * 2 ** 29],
] as const;
/** PLLRE and PLLE are locked in another register, PLLE is switched on by another bit. */
const PLL_ELSEWHERE = [
  { base: 0x4c4, enable: 30, at: 0x4c8, lock: 27 },
  { base: 0xe8, enable: 31, at: 0xec, lock: 11 },
] as const;

export const tegraCar: DeviceModel = {
  compatible: CRYSTALS.map(([name]) => name),
  reads:
    'drivers/clk/tegra/clk-tegra-fixed.c, tegra_osc_clk_init(); clk-super.c, clk_super_get_parent(); ' +
    'clk-pll.c, clk_pll_wait_for_lock() (6.12)',
  model({ base, compatible }, answers) {
    const index = CRYSTALS.find(([name]) => compatible.includes(name))?.[1] ?? 0;
    answers.word(base + OSC_CTRL, index * FREQUENCY_SHIFT);
    for (const policy of BURST_POLICIES) answers.word(base + policy, SUPER_STATE_RUN);
    if (!compatible.includes('nvidia,tegra210-car')) {
      answers.word(base + PLLP_OUTA, PLLP_OUT1);
      return;
    }
    for (const [at, source] of SOURCES) answers.word(base + at, source);
    const locks = (at: number, bit: number, to: number, source: number) =>
      answers.rule({ rule: 'follows', at: base + at, to: base + to, bit, source, inverted: false });
    for (const pll of PLLS) {
      answers.word(base + pll.base, (TEN_TIMES << pll.factor) | 1);
      locks(pll.base, pll.lock, pll.base, PLL_ENABLE);
    }
    for (const { base: control, enable, at, lock } of PLL_ELSEWHERE) locks(at, lock, control, enable);
  },
};

/** drivers/gpio/gpio-tegra.c (6.12), tegra210_gpio_config: banks of four ports of eight lines. */
const GPIO = { banks: 8, bank: 0x100, ports: 4, lines: 8, masked: 0x80 } as const;
/** GPIO_CNF, GPIO_OE, GPIO_OUT, GPIO_INT_ENB. */
const GPIO_REGISTERS = [0x00, 0x10, 0x20, 0x50] as const;

/** A write to the masked view of a register changes the lines that its second byte names. */
export const tegraGpio: DeviceModel = {
  compatible: ['nvidia,tegra210-gpio', 'nvidia,tegra30-gpio'],
  reads: 'drivers/gpio/gpio-tegra.c, tegra_gpio_mask_write(), tegra_gpio_get_direction() (6.12)',
  model({ base }, answers) {
    const each = { count: GPIO.ports, toStride: Uint32Array.BYTES_PER_ELEMENT, interrupt: 0 };
    for (let bank = 0; bank < GPIO.banks; bank++)
      for (const register of GPIO_REGISTERS)
        for (let line = 0; line < GPIO.lines; line++) {
          const to = base + bank * GPIO.bank + register;
          const [bit, named] = [1 << line, 1 << (line + GPIO.lines)];
          const masked = { rule: 'on-write', at: to + GPIO.masked, mask: named | bit, to, ...each } as const;
          answers.rule({ ...masked, value: named | bit, set: bit, clear: 0 });
          answers.rule({ ...masked, value: named, set: 0, clear: bit });
        }
  },
};

/** Where APB_MISC says which chip it is: family, major revision, chip and minor revision (HIDREV). */
const HIDREV = 4;
const CHIPS: readonly (readonly [RegExp, number])[] = [
  [/^nvidia,tegra210-/, 0x0002_2117],
  [/^nvidia,tegra132-/, 0x0001_1317],
  [/^nvidia,tegra186-/, 0x0001_1817],
  [/^nvidia,tegra194-/, 0x0002_1947],
  [/^nvidia,tegra234-/, 0x0001_2347],
];

export const tegraMisc: DeviceModel = {
  compatible: /^nvidia,tegra\d+-(?:apbmisc|misc)$/,
  reads: 'drivers/soc/tegra/fuse/tegra-apbmisc.c, tegra_init_apbmisc(), tegra_read_chipid() (6.12)',
  model({ base, compatible }, answers) {
    const chip = CHIPS.find(([pattern]) => compatible.some((name) => pattern.test(name)))?.[1];
    if (chip !== undefined) answers.word(base + HIDREV, chip);
  },
};

/** Registers of `tegra_pmc_regs` and of drivers/soc/tegra/pmc.c (6.12). */
const PWRGATE_TOGGLE = 0x30;
const PWRGATE_STATUS = 0x38;
const TOGGLE_START = 1 << 8;

/** Partitions of Tegra210. */
const PARTITIONS = 30;

/** A partition that is toggled is on at once, and then stays on: the driver is told that it could not be turned off. */
export const tegraPmc: DeviceModel = {
  compatible: /^nvidia,tegra(?:124|132|210)-pmc$/,
  reads: 'drivers/soc/tegra/pmc.c, tegra_powergate_state(), tegra114_powergate_set() (6.12)',
  model({ base }, answers) {
    for (let id = 0; id < PARTITIONS; id++)
      answers.rule({
        rule: 'on-write',
        at: base + PWRGATE_TOGGLE,
        mask: TOGGLE_START | 0xff,
        value: TOGGLE_START | id,
        to: base + PWRGATE_STATUS,
        set: 2 ** id,
        clear: 0,
        interrupt: 0,
      });
    answers.rule({ rule: 'self-clearing', at: base + PWRGATE_TOGGLE, bits: TOGGLE_START });
    answers.rule({ rule: 'plain', at: base + PWRGATE_STATUS });
  },
};

/**
 * Capabilities as other controllers of the SD Host Controller Standard have them: 3.3 V and 1.8 V, base clock 200 MHz.
 */
const SDHCI = { capabilities: 0x40, capabilities1: 0x44, version: 0xfc } as const;

export const sdhciTegra: DeviceModel = {
  compatible: /^nvidia,tegra\d+-sdhci$/,
  reads: 'drivers/mmc/host/sdhci-tegra.c, sdhci_tegra_probe(); sdhci.c, sdhci_setup_host() (6.12)',
  model({ base }, answers) {
    answers.word(base + SDHCI.capabilities, 0x056c_c8b2);
    answers.word(base + SDHCI.capabilities1, 7);
    answers.word(base + SDHCI.version, 2 << 16);
  },
};

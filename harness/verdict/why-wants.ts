import { oneOf } from '../regex.ts';

/** What drivers say that they lack. */

export interface Want {
  /** With its article. */
  readonly noun: string;
  readonly words: RegExp;
  /** What it is called in the device's node, for people; null where no property names it. */
  readonly named: string | null;
  /** What to do about it, where that is more than to enable a driver. */
  readonly help?: string;
  /** The properties that name the provider in the device's node. */
  readonly property: RegExp | null;
  /** What devices are called that provide it. */
  readonly provider: RegExp | null;
  /** The deferred probe timeout ends the wait for it: what calls driver_deferred_probe_check_state() (6.12). */
  readonly timesOut?: true;
}

const WANTS: readonly Want[] = [
  {
    noun: 'a regulator',
    named: '`*-supply`',
    words: /(?<!power[ _-])suppl(?:y|ies)\b|regulator|vmmc|vqmmc|vbus|vdd|vcc/gi,
    property: /-supply$/,
    provider: /regulator|-supply$|^vcc|^vdd|^vbus|^ldo|^buck|pmic/,
  },
  {
    // power_supply_check_supplies(), drivers/power/supply/power_supply_core.c.
    noun: 'a power supply (a charger or a battery)',
    named: '`power-supplies`',
    words: /power[ _-]suppl(?:y|ies)\b/gi,
    property: /^power-supplies$/,
    provider: /charger|battery|gauge/,
  },
  {
    noun: 'a PHY',
    named: '`phys`',
    // The last: dwc3_core_init(), drivers/usb/dwc3/core.c, in which only dwc3_core_get_phy() and ULPI are deferred.
    words: /\bphys?\b|phy\d|-phy|repeater|failed to initialize core/gi,
    property: /^phys$|^phy-handle$|^usb-phy$/,
    provider: /phy/,
  },
  {
    noun: 'a USB role switch (a USB controller)',
    named: '`remote-endpoint`',
    words: /role.?switch|\btcp[mc] port/gi,
    property: /^remote-endpoint$|^usb-role-switch$/,
    provider: /\.(?:usb|dwc3)$|typec/,
  },
  {
    noun: 'a clock',
    named: '`clocks`',
    words: /(?<![a-z])(?:[a-z]{0,4}clks?|clocks?)(?![a-z])/gi,
    property: /^clocks$/,
    provider: /clock|clk|\bcru\b|\brcc\b/,
  },
  { noun: 'a GPIO', named: '`*-gpios`', words: /gpio/gi, property: /gpios?$/, provider: /gpio|pinctrl|expander/ },
  {
    noun: 'a pin controller',
    named: '`pinctrl-0`',
    words: /pinctrl|pin.?control(?:ler)?/gi,
    property: /^pinctrl-\d+$/,
    provider: /pinctrl|pin-controller|pinmux|iomuxc/,
    timesOut: true,
  },
  {
    noun: 'an interrupt',
    named: '`interrupt-parent`',
    words: /\birqs?\b|interrupt/gi,
    property: /^interrupts/,
    provider: /gpio|pinctrl|interrupt/,
  },
  {
    noun: 'a panel or a bridge',
    named: '`remote-endpoint`',
    words: /panel|bridge|endpoint|(?<!(?:pcie|usb|serial|root|hub|tcp[mc])[ -])\bport\b|connector/gi,
    property: /^remote-endpoint$|^panel$/,
    provider: /panel|bridge|hdmi|lvds|\.dsi\.|connector/,
  },
  {
    noun: 'a DSI host',
    named: '`remote-endpoint`',
    words: /dsi[ _]host/gi,
    property: /^remote-endpoint$/,
    provider: /\bdsi\b/,
  },
  {
    noun: 'a part of the sound card (a DAI, a codec or a platform)',
    named: '`sound-dai`',
    help: 'enable the drivers of its codec and of the DAI (CONFIG_SND_SOC_...), or load their modules',
    words: /\bdais?\b|codec|parse error|sound|register[ _]?(?:the )?card|init link|init_link/gi,
    property: /^sound-dai$|^dais?$|^remote-endpoint$|codec/,
    provider:
      /(?<!video-)codec|i2s|\bdai\b|\be?sai\b|\bssi\b|spdif|macro|soundwire|audio|\baud\d|xcvr|asrc|micfil|mcasp|^sdw:/,
  },
  {
    noun: 'a power domain',
    named: '`power-domains`',
    words: /power.?domains?|genpd|pm.?domain/gi,
    property: /^power-domains$/,
    provider: /power-(?:controller|domain|manager)|pgc|blk-ctrl|rpmh?pd/,
    timesOut: true,
  },
  { noun: 'a reset controller', named: '`resets`', words: /reset/gi, property: /^resets$/, provider: /reset/ },
  { noun: 'a backlight', named: '`backlight`', words: /backlight/gi, property: /^backlight$/, provider: /backlight/ },
  { noun: 'a PWM', named: '`pwms`', words: /\bpwms?\b/gi, property: /^pwms$/, provider: /pwm/ },
  {
    noun: 'an interconnect',
    named: '`interconnects`',
    words: /(?<![a-z])icc(?![a-z])|interconnect|\bnoc\b/gi,
    property: /^interconnects$/,
    provider: /interconnect|noc/,
  },
  // The last: qcom_smd_parse_edge(), drivers/rpmsg/qcom_smd.c, and qcom_glink_native_probe() get the edge's mailbox.
  {
    noun: 'a mailbox',
    named: '`mboxes`',
    words: /mailbox|mbox|(?:smd|glink)[-_ ]edge/gi,
    property: /^mboxes$/,
    provider: /mailbox|mbox|mhu/,
  },
  {
    noun: 'an NVMEM cell',
    named: '`nvmem-cells`',
    words: /nvmem|efuse|calib/gi,
    property: /^nvmem/,
    provider: /efuse|nvmem|eeprom|ocotp|qfprom/,
  },
  {
    // devm_iio_channel_get(), drivers/iio/inkern.c.
    noun: 'an IIO channel (an ADC)',
    named: '`io-channels`',
    words: /\biio\b|\badc\b/gi,
    property: /^io-channels$/,
    provider: /\badc\b|vadc|iio/,
  },
  {
    // mux_get(), drivers/mux/core.c.
    noun: 'a multiplexer control',
    named: '`mux-controls`',
    words: /(?<![-\w])mux\b/gi,
    property: /^mux-controls$/,
    provider: /mux-controller|\bmux\b/,
  },
  {
    // snd_hdac_i915_init(), sound/hda.
    noun: 'the audio component of the display driver',
    named: null,
    help: 'load or enable the driver of the GPU that has HDMI audio (i915, xe, amdgpu)',
    words: /audio component/gi,
    property: null,
    provider: null,
  },
  {
    noun: 'an extcon device',
    named: '`extcon`',
    words: /extcon/gi,
    property: /^extcon$/,
    provider: /extcon|typec|usb-id/,
  },
  { noun: 'a DMA controller', named: '`dmas`', words: /(?<![a-z])dma(?![a-z])/gi, property: /^dmas$/, provider: /dma/ },
  {
    noun: 'an IOMMU',
    named: '`iommus`',
    words: /iommu|smmu/gi,
    property: /^iommus$/,
    provider: /iommu|smmu/,
    timesOut: true,
  },
  {
    // dwc3_imx8mp_probe() and others get what the dwc3 driver has set at the device below.
    noun: 'the device below it, which dwc3 has to be bound to',
    named: null,
    help: 'see what the device below it waits for, and enable CONFIG_USB_DWC3',
    words: /dwc3 (?:platform|core) data/gi,
    property: null,
    provider: /\.(?:usb|dwc3)$/,
  },
  {
    noun: 'a devfreq governor',
    named: null,
    help: 'enable the governor (CONFIG_DEVFREQ_GOV_...); a passive one waits for its parent, such as cpufreq',
    words: /governor/gi,
    property: null,
    provider: null,
  },
];

/** phy_create(), drivers/phy/phy-core.c, gets the PHY's own supply: only that is deferred. */
const CREATES_PHY = /(?:create|register) (?:the )?phy/i;
/** What the device itself provides cannot be registered, whatever it lacks for that. */
const OWN = new RegExp(
  `\\b(?:add|adding|register(?:ing)?|create|creating)\\s+(?:the )?${oneOf(
    /(?:gpio|pin|irq|pwm|iommu)\S*/,
    /(?:regulators?|clocks?|resets?|mbox|mailbox)\b/,
  )}`,
  'i',
);
/** Names of resources are in quotes, and say nothing of their kind. */
const QUOTED = /'[^']{0,80}'|"[^"]{0,80}"/g;

/** What the driver's words mean: the last kind in them (`no phy clock`: a clock); null where they do not tell. */
export function wantOf(reason: string | null): Want | null {
  if (reason === null) return null;
  if (CREATES_PHY.test(reason)) return WANTS[0] ?? null;
  if (OWN.test(reason)) return null;
  const words = reason.replace(QUOTED, "''");
  let last: { readonly want: Want; readonly at: number } | null = null;
  for (const want of WANTS) {
    const at = [...words.matchAll(want.words)].at(-1)?.index;
    if (at !== undefined && (last === null || at >= last.at)) last = { want, at };
  }
  return last?.want ?? null;
}

/** Properties that a driver's words speak of; null where they do not tell. */
export function propertiesWanted(reason: string | null): ((property: string) => boolean) | null {
  const patterns = WANTS.flatMap(({ words, property }) =>
    property !== null && reason !== null && reason.search(words) !== -1 ? [property] : [],
  );
  return patterns.length === 0 ? null : (property) => patterns.some((pattern) => pattern.test(property));
}

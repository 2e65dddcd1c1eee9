import { oneOf } from '../regex.ts';

/** Kinds of what drivers lack, by the words in which they say so. */

export interface Want {
  /** With its article. */
  readonly noun: string;
  readonly words: RegExp;
  /** What it is called in the device's node, for people; null where no property names it. */
  readonly named: string | null;
  /** What to do about it, where that is more than to enable a driver. */
  readonly help?: string;
  /** What it means that a probe failed for the lack of it (-ENOENT), where that is not told by `named`. */
  readonly failed?: string;
  /** The properties that name the provider in the device's node. */
  readonly property: RegExp | null;
  /** What devices are called that provide it. */
  readonly provider: RegExp | null;
  /** Those of them that provide nothing else. */
  readonly proper?: RegExp;
  /** The deferred probe timeout ends the wait for it: what calls driver_deferred_probe_check_state() (6.12). */
  readonly timesOut?: true;
  /** A chip has one provider, or few, for all that need one. */
  readonly isCentral?: true;
  /** On many a chip, the processor or the firmware that switches its power provides it, too. */
  readonly byFirmware?: true;
  /** It is made of a node below that of the device. */
  readonly isBelow?: true;
  /** The functions with which a driver makes it known, in Linux 4.9 to 7.2. */
  readonly registered?: RegExp;
  /** Who provides it speaks of errors in such words, where no name tells that it does. */
  readonly said?: RegExp;
}

/**
 * Not what uses GPIOs and is called after that: `gpio-keys`, `gpio-fan`, `gpio-regulator`
 * (Documentation/devicetree/bindings).
 */
export const OF_GPIOS = /gpio(?!-(?!controller|expander|bank|mux))/;
const GPIO_PROVIDER = new RegExp(`${OF_GPIOS.source}|pinctrl|expander`);

/** Not one of {@link WANTS}: that a chip's GPIOs cannot be registered tells it only where that is deferred. */
export const PINS_OF_GPIOS: Want = {
  noun: 'the pin controller of its GPIOs',
  named: '`gpio-ranges`',
  words: /gpio/gi,
  property: /^gpio-ranges$/,
  provider: /pinctrl|pin-controller|pinmux|iomuxc/,
};

/**
 * All that fw_devlink links by a property of its own (of_supplier_bindings, drivers/of/property.c, 6.12), and what
 * drivers look up besides.
 */
export const WANTS: readonly Want[] = [
  {
    noun: 'a regulator',
    named: '`*-supply`',
    words: /(?<!power[ _-])suppl(?:y|ies)\b|regulator|vmmc|vqmmc|vbus|vdd|vcc/gi,
    property: /-supply$/,
    provider: /regulator(?!y)|-supply$|^vcc|^vdd|^vbus|^ldo|^buck|pmic/,
    byFirmware: true,
    registered: /^(?:devm_)?regulator_register$/,
  },
  {
    // power_supply_check_supplies(), drivers/power/supply/power_supply_core.c; many a driver calls its regulator so.
    noun: 'a regulator, or a power supply (a charger or a battery)',
    named: '`*-supply` or `power-supplies`',
    words: /power[ _-]suppl(?:y|ies)\b/gi,
    property: /-supply$|^power-supplies$/,
    provider: /charger|battery|gauge|regulator(?!y)|-supply$|pmic/,
  },
  {
    noun: 'a PHY',
    named: '`phys`',
    // The last: dwc3_core_init(), drivers/usb/dwc3/core.c, in which only dwc3_core_get_phy() and ULPI are deferred.
    words: /\bphys?\b(?! addr)|phy\d|-phy|repeater|failed to initialize core/gi,
    property: /^phys$|^phy-handle$|^usb-phy$/,
    provider: /phy/,
    registered: /^(?:devm_)?(?:phy_create|of_phy_provider_register|__(?:devm_)?of_phy_provider_register)$/,
  },
  {
    noun: 'a USB role switch (a USB controller)',
    named: '`remote-endpoint`',
    // usb_role_switch_get(), drivers/usb/roles/class.c: a controller of two roles registers it.
    words: /role.?switch|\busb[ _-]?role|\btcp[mc] port/gi,
    property: /^remote-endpoint$|^usb-role-switch$/,
    provider: /\.(?:usb|dwc3)$|typec|\bmusb\b|\bdwc[23]\b|chipidea|\bci_hdrc|\b[xeo]hci\b|\botg\b/,
  },
  {
    noun: 'a clock',
    named: '`clocks`',
    words: /(?<![a-z])(?:[a-z]{0,4}clks?|clocks?)(?![a-z])/gi,
    property: /^clocks$/,
    provider: /clock|clk|\bcru\b|\brcc\b/,
    byFirmware: true,
    isCentral: true,
    registered: /^(?:devm_)?of_clk_add_(?:hw_)?provider$/,
  },
  {
    noun: 'a GPIO',
    named: '`*-gpios`',
    // gpiod_hog() has a name that may be of any kind; the last: only spi_get_gpio_descs() is deferred there.
    words: /hog gpio \S+ ?|gpio|spi_register_(?:controller|master)/gi,
    property: /gpios?$/,
    provider: GPIO_PROVIDER,
    isCentral: true,
    registered: /^(?:devm_)?gpiochip_add_data(?:_with_key)?$/,
  },
  {
    noun: 'a pin controller',
    named: '`pinctrl-0`',
    words: /pinctrl|pctldev|pin.?control(?:ler)?/gi,
    property: /^pinctrl-\d+$/,
    provider: /pinctrl|pin-controller|pinmux|iomuxc/,
    timesOut: true,
    registered: /^(?:devm_)?pinctrl_(?:register(?:_and_init)?|enable)$/,
  },
  {
    noun: 'an interrupt',
    named: '`interrupt-parent`',
    words: /(?<![a-z])irqs?(?![a-z])|interrupt|wakeup[ _-]parent/gi,
    property: /^interrupts/,
    // fsl,imx-gpc.yaml: what controls the power of an i.MX has its interrupts, too.
    provider: /gpio|pinctrl|interrupt|\bgpc\b/,
    proper: /interrupt|\bgpc\b/,
  },
  {
    noun: 'a bridge',
    named: '`remote-endpoint`',
    words: /bridge/gi,
    property: /^remote-endpoint$/,
    provider: /bridge|hdmi|lvds|\.dsi\.|connector/,
  },
  {
    noun: 'a panel or a bridge',
    named: '`remote-endpoint`',
    words: new RegExp(
      oneOf(
        /panel(?:[\W_]{1,3}(?:or|and)?[\W_]{0,3}bridge)?|endpoint|\bencoders?\b|connector/,
        /(?<!(?:pcie|usb|serial|8250|uart|root|hub|tcp[mc])[ -])\bport\b/,
      ),
      'gi',
    ),
    property: /^remote-endpoint$|^panel$/,
    provider: /panel|bridge|hdmi|lvds|\.dsi\.|connector/,
  },
  {
    noun: 'a DSI host',
    named: '`remote-endpoint`',
    words: /dsi[ _](?:host|attach)/gi,
    property: /^remote-endpoint$/,
    provider: /\bdsi\b/,
  },
  {
    noun: 'a part of the sound card (a DAI, a codec or a platform)',
    named: '`sound-dai`',
    help: 'enable the drivers of its codec and of the DAI (CONFIG_SND_SOC_...), or load their modules',
    words: /\bdais?\b|codec|parse error|sound|register(?:ing)?[ _]?(?:the )?card|init link|init_link/gi,
    property: /^sound-dai$|^dais?$|^remote-endpoint$|codec/,
    provider:
      /(?<!video-)codec|i2s|\bdai\b|\be?sai\b|\bssi\b|spdif|macro|soundwire|audio|\baud\d|xcvr|asrc|micfil|mcasp|^sdw:/,
  },
  {
    noun: 'a power domain',
    named: '`power-domains`',
    words: /power.?domains?|genpd|pm.?domain/gi,
    property: /^power-domains$/,
    provider: /power-(?:controller|domain|manager)|pgc|\bgpc\b|blk-ctrl|rpmh?pd/,
    byFirmware: true,
    timesOut: true,
    isCentral: true,
    registered: /^(?:of_genpd_add_provider_\w{1,16}|pm_genpd_init)$/,
  },
  {
    noun: 'a reset controller',
    named: '`resets`',
    words: /reset/gi,
    property: /^resets$/,
    provider: /reset/,
    isCentral: true,
    registered: /^(?:devm_)?reset_controller_register$/,
  },
  {
    // mmc_pwrseq_simple_probe(), drivers/mmc/core/pwrseq_simple.c, of the only one of its `reset-gpios`, for
    // which __reset_add_reset_gpio_device(), drivers/reset/core.c, makes a reset controller; `resets` it does without.
    noun: 'the GPIO of its reset, or for the driver of such resets (reset_gpio)',
    named: '`reset-gpios`',
    help: 'see whether that GPIO chip is bound, and load reset_gpio or build it in (CONFIG_RESET_GPIO)',
    failed:
      'the reset core makes a reset of `reset-gpios` only where the GPIO chip has 2 for `#gpio-cells`; ' +
      'without CONFIG_RESET_GPIO the driver uses the GPIO itself',
    words: /\breset control not ready/gi,
    property: /^reset-gpios$/,
    provider: new RegExp(oneOf(GPIO_PROVIDER, /reset[-.]gpio/)),
  },
  { noun: 'a backlight', named: '`backlight`', words: /backlight/gi, property: /^backlight$/, provider: /backlight/ },
  { noun: 'a PWM', named: '`pwms`', words: /\bpwms?\b/gi, property: /^pwms$/, provider: /pwm/ },
  {
    noun: 'an interconnect',
    named: '`interconnects`',
    words: /(?<![a-z])icc(?![a-z])|interconnect|\bnoc\b/gi,
    property: /^interconnects$/,
    provider: /interconnect|noc/,
    byFirmware: true,
    registered: /^icc_provider_(?:add|register)$/,
  },
  // The last: qcom_smd_parse_edge(), drivers/rpmsg/qcom_smd.c, and qcom_glink_native_probe() get the edge's mailbox.
  {
    noun: 'a mailbox',
    named: '`mboxes`',
    words: /mailbox|mbox|(?:smd|glink)[-_ ]edge/gi,
    property: /^mboxes$/,
    provider: /mailbox|mbox|mhu/,
    registered: /^(?:devm_)?mbox_controller_register$/,
  },
  {
    noun: 'an NVMEM cell',
    named: '`nvmem-cells`',
    words: /nvmem|efuse|calib|mac[ _-]?addr/gi,
    property: /^nvmem/,
    provider: /efuse|nvmem|eeprom|ocotp|qfprom/,
    registered: /^(?:devm_)?nvmem_register$/,
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
    // mux_get(), drivers/mux/core.c; what a display goes through is one.
    noun: 'a multiplexer control',
    named: '`mux-controls`',
    words: /(?<![-\w])mux\b|crossbar|\bxbar\b/gi,
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
    // drm_err() of a device, include/drm/drm_print.h.
    said: /\[drm\] \*ERROR\* /,
  },
  {
    noun: 'an extcon device',
    named: '`extcon`',
    words: /extcon/gi,
    property: /^extcon$/,
    provider: /extcon|typec|usb-id/,
  },
  {
    noun: 'a DMA controller',
    named: '`dmas`',
    // The last: snd_dmaengine_pcm_register(), soc-generic-dmaengine-pcm.c, in which only channels are deferred.
    words: /(?<![a-z])dma(?![a-z])|register (?:the )?pcm\b|pcm register/gi,
    property: /^dmas$/,
    provider: /dma/,
    registered: /^(?:dmaenginem_async_device|dma_async_device|of_dma_controller)_register$/,
  },
  {
    noun: 'an IOMMU',
    named: '`iommus`',
    words: /iommu|smmu/gi,
    property: /^iommus$/,
    provider: /iommu|smmu/,
    timesOut: true,
    registered: /^iommu_device_register$/,
  },
  {
    // dwc3_imx8mp_probe() and others get what the dwc3 driver has set at the device below.
    noun: 'the device below it, which dwc3 has to be bound to',
    named: null,
    help: 'see what the device below it waits for, and enable CONFIG_USB_DWC3',
    words: /dwc3 (?:platform|core)\b/gi,
    property: null,
    provider: /\.(?:usb|dwc3)$/,
    isBelow: true,
  },
  {
    // cpufreq_passive_register_notifier(), drivers/devfreq/governor_passive.c, defers while a CPU has no policy.
    noun: 'a devfreq governor, or what a passive one follows (cpufreq)',
    named: null,
    help: 'see whether the CPUs have a cpufreq driver; else enable the governor (CONFIG_DEVFREQ_GOV_...)',
    words: /governor/gi,
    property: null,
    provider: null,
  },
  {
    // of_hwspin_lock_get_id(), drivers/hwspinlock/hwspinlock_core.c.
    noun: 'a hwspinlock',
    named: '`hwlocks`',
    words: /hw[ _-]?(?:spin[ _-]?)?locks?\b|hwspin\w*/gi,
    property: /^hwlocks$/,
    provider: /hwlock|hwspinlock|\bmutex\b|hwsem|tcsr/,
  },
  {
    noun: 'a power sequencer',
    named: '`mmc-pwrseq`',
    words: /pwr[ _-]?seq|power[ _-]?sequenc/gi,
    property: /^mmc-pwrseq$/,
    provider: /pwrseq|-pmu$/,
  },
  {
    // syscon_node_to_regmap(), drivers/mfd/syscon.c, and dev_get_regmap() of a device above.
    noun: "another device's registers (a syscon or a regmap)",
    named: 'a phandle',
    words: /syscon|\bgrf\b|(?:get|find|no|missing|lookup) (?:\S{1,16} ){0,2}regmap|regmap (?:not |lookup)/gi,
    property: /syscon|regmap|\bgrf$|syscfg/,
    provider: /syscon|syscfg|\bgrf\b|pmic/,
  },
  {
    noun: 'a remote processor',
    named: 'a phandle',
    words: /remote[ _-]?proc|\brproc\b|(?<![a-z])scp(?![a-z])/gi,
    property: /rproc|remoteproc|[,-]scp$/,
    provider: /remoteproc|rproc|\bscp\b/,
  },
  {
    // qmp_get(), drivers/soc/qcom/qcom_aoss.c.
    noun: 'the QMP mailbox of the always-on subsystem (AOSS)',
    named: '`qcom,qmp`',
    words: /\bqmp\b(?! phy)|\baoss\b/gi,
    property: /^qcom,qmp$/,
    provider: /aoss|^[0-9a-f]+\.power-(?:management|controller)$/,
  },
  {
    // qcom_smem_get(), drivers/soc/qcom/smem.c.
    noun: "the shared memory of Qualcomm's processors (SMEM)",
    named: null,
    help: 'see what keeps its device from being bound (CONFIG_QCOM_SMEM, and a hwspinlock)',
    words: /\bsmem\b/gi,
    property: null,
    provider: /smem/,
  },
  {
    // qcom_smem_state_get(), drivers/soc/qcom/smem_state.c.
    noun: 'a state bit of another processor (SMP2P or SMSM)',
    named: '`qcom,smem-states`',
    words: /smem[ _-]states?\b|\bsmp2p\b|\bsmsm\b/gi,
    property: /^qcom,smem-states$/,
    provider: /smp2p|smsm/,
  },
  {
    // qmi_sock_create(), drivers/soc/qcom/qmi_interface.c: there is no such protocol yet.
    noun: 'the QRTR protocol',
    named: null,
    help: 'enable CONFIG_QRTR, or load its module (qrtr) earlier',
    words: /\bqmi handle|\bqrtr\b/gi,
    property: null,
    provider: null,
  },
  {
    noun: 'an interface of the firmware (SCM, SCMI, TI SCI, SCU, RPMh, OP-TEE)',
    named: null,
    help: 'enable the driver of that firmware (CONFIG_QCOM_SCM, CONFIG_ARM_SCMI_PROTOCOL, CONFIG_TI_SCI_PROTOCOL, ...)',
    words: /(?<![a-z])(?:scmi?|ti[-_]?sci|scu|rpmh)(?![a-z])|op-?tee\b|cmd[-_]?db\b|firmware (?:handle|interface)/gi,
    property: /^firmware$|[,-](?:scm|sci|scu)$/,
    provider: /scm|\bsci\b|system-controller|rpmh?|\brsc\b|optee|firmware|\bscu\b/,
  },
  {
    noun: 'an I2C bus',
    named: '`i2c-parent` or `ddc-i2c-bus`',
    words: /i2c[ _-]?(?:adapter|bus|parent|mux)|\bddc\b|parent adapter/gi,
    property: /^i2c-parent$|^ddc-i2c-bus$|^i2c-bus$/,
    provider: /\bi2c/,
  },
  {
    // of_mdio_find_bus() and of_phy_get_and_connect(), drivers/net/mdio.
    noun: 'an MDIO bus, or a PHY on it',
    named: '`mdio-parent-bus` or `phy-handle`',
    words: /\bmdio\b/gi,
    property: /^mdio-parent-bus$|^phy-handle$/,
    provider: /mdio|ethernet-phy/,
  },
  {
    // dsa_port_parse_of(), net/dsa/dsa.c.
    noun: 'the Ethernet controller of its CPU port',
    named: '`ethernet`',
    words: /\bdsa (?:switch|tree|conduit|master)/gi,
    property: /^ethernet$/,
    provider: /ethernet|gmac|\beth\b/,
  },
  {
    noun: 'a USB Type-C switch, mux or retimer',
    named: '`remote-endpoint`',
    words: /re(?:timer|driver)\b|(?:orientation|mode|type-?c|sbu)[ _-]?(?:switch|mux)/gi,
    property: /^remote-endpoint$|^(?:orientation|mode|retimer)-switch$/,
    provider: /typec|retimer|redriver|\bmux\b|\.phy$/,
  },
  {
    noun: 'a part of the camera (a V4L2 sub-device)',
    named: '`remote-endpoint`',
    words: /sub-?dev(?:ice)?s?\b/gi,
    property: /^remote-endpoint$/,
    provider: /camera|sensor|csi/,
  },
  {
    // of_led_get(), drivers/leds/led-class.c.
    noun: 'an LED',
    named: '`leds`',
    words: /(?:get|find|request|acquire)\w* (?:\w{1,16} ){0,2}leds?\b/gi,
    property: /^leds$/,
    provider: /\bleds?\b/,
  },
  {
    noun: 'a thermal zone or its sensor',
    named: '`thermal-sensors`',
    words: /thermal[ _-]?(?:zone|sensor)s?\b/gi,
    property: /^thermal-sensors$/,
    provider: /thermal|tsens|\btmu\b|tsadc/,
  },
  {
    // devm_iio_backend_get(), drivers/iio/industrialio-backend.c.
    noun: 'an IIO backend',
    named: '`io-backends`',
    words: /\bi?io[ _-]backends?\b/gi,
    property: /^io-backends$/,
    provider: /backend|axi-(?:adc|dac)|\b(?:adc|dac)\b/,
  },
  {
    noun: 'an MSI controller',
    named: '`msi-parent`',
    words: /\bmsi[ _-](?:parent|domain|controller)/gi,
    property: /^msi-(?:parent|map)$/,
    provider: /\bmsi\b|\bits\b/,
  },
  {
    // stm32_firewall_get_firewall(), drivers/bus/stm32_firewall.c.
    noun: 'an access controller (a firewall of the bus)',
    named: '`access-controllers`',
    words: /access[ _-]controllers?|\bfirewall\b/gi,
    property: /^access-controllers$/,
    provider: /firewall|rifsc|etzpc/,
  },
  {
    noun: 'an inline crypto engine',
    named: '`qcom,ice`',
    words: /\bice\b|inline crypto/gi,
    property: /^qcom,ice$/,
    provider: /crypto/,
  },
  { noun: 'an SRAM', named: '`sram`', words: /\bsram\b/gi, property: /sram$/, provider: /sram/ },
  {
    noun: 'a reserved memory region',
    named: '`memory-region`',
    words: /reserved[ _-]?mem\w*|memory[ _-]region/gi,
    property: /^memory-region$/,
    provider: null,
  },
];

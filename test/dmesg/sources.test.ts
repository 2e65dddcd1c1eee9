import { describe, expect, it } from 'vitest';
import type { Crash } from '../../harness/dmesg/events.ts';
import type { Locate } from '../../harness/dmesg/frame.ts';
import { DmesgParser } from '../../harness/dmesg/parser.ts';

function crashOf(lines: readonly string[], locate: Locate | null = null): Crash | undefined {
  const parser = new DmesgParser(locate);
  const events = [...parser.push(Buffer.from(`${lines.join('\n')}\n`)), ...parser.end()];
  return events.find((event) => event.event === 'crash');
}

/** A fault in a function whose name says nothing of what it is for. */
const FAULT = [
  '[    1.000000] Unable to handle kernel paging request at virtual address dead000000000108',
  '[    1.000001] Internal error: Oops: 0000000096000044 [#1] PREEMPT SMP',
  '[    1.000002] CPU: 0 PID: 7 Comm: wobbled Not tainted 6.12.0 #1',
  '[    1.000003] pc : wobble_link+0x10/0x20',
  '[    1.000004] lr : wobble_start+0x10/0x20',
  '[    1.000005] Call trace:',
  '[    1.000006]  wobble_link+0x10/0x20',
  '[    1.000007]  wobble_start+0x10/0x20',
  '[    1.000008] ---[ end trace 0000000000000000 ]---',
];

describe('the sources of a vmlinux', () => {
  it('decide whom to blame, and are named', () => {
    expect(crashOf(FAULT)).toMatchObject({ function: 'wobble_link', source: null });
    const locate: Locate = (name) =>
      name === 'wobble_link'
        ? { source: 'lib/list_debug.c:51', home: 'lib/list_debug.c' }
        : { source: 'drivers/misc/wobble.c:7', home: 'drivers/misc/wobble.c' };
    expect(crashOf(FAULT, locate)).toMatchObject({
      function: 'wobble_start',
      source: 'drivers/misc/wobble.c:7',
      passedOver: [{ function: 'wobble_link' }],
      pc: { source: 'lib/list_debug.c:51' },
      lr: { source: 'drivers/misc/wobble.c:7' },
    });
  });

  it('do not excuse a function for what was inlined into it', () => {
    const locate: Locate = () => ({ source: 'include/linux/list.h:88', home: 'drivers/misc/wobble.c' });
    expect(crashOf(FAULT, locate)).toMatchObject({ function: 'wobble_link', source: 'include/linux/list.h:88' });
  });
});

describe('a decoded trace', () => {
  const decoded = (sources: string): string[] =>
    FAULT.map((line) => line.replace(/wobble_link\+0x10\/0x20/, `wobble_link (${sources})`)).map((line) =>
      line.replace(/wobble_start\+0x10\/0x20/, 'wobble_start (drivers/misc/wobble.c:7)'),
    );

  it('names what was inlined first, and the function by its own file last', () => {
    expect(crashOf(decoded('include/linux/list.h:88 (discriminator 2) drivers/misc/wobble.c:9'))).toMatchObject({
      function: 'wobble_link',
      source: 'include/linux/list.h:88',
    });
    expect(crashOf(decoded('include/linux/list.h:88 lib/list_debug.c:51'))).toMatchObject({
      function: 'wobble_start',
      source: 'drivers/misc/wobble.c:7',
    });
  });

  it('knows the file of a helper from the folder of a build next to the sources', () => {
    expect(crashOf(decoded('../lib/list_debug.c:51'))).toMatchObject({ function: 'wobble_start' });
  });
});

/** What is wrong in it is its caller's, unless it is a driver's own function that has such a name. */
const HELPER = 'clk_prepare';
const named = (line: string): string => line.replaceAll('wobble_link', HELPER);

describe('the file of a function with the name of a helper', () => {
  const CORE = [
    'kernel/irq/manage.c include/sound/soc.h drivers/base/regmap/regmap.c drivers/usb/core/urb.c drivers/tty/tty_io.c',
    'drivers/clk/clk.c drivers/clk/clk-bulk.c drivers/clk/clkdev.c drivers/gpio/gpiolib.c drivers/gpio/gpiolib-of.c',
    'drivers/spi/spi.c drivers/i2c/i2c-core-base.c drivers/phy/phy-core.c drivers/pci/access.c drivers/iommu/iommu.c',
    'drivers/net/phy/mdio_bus.c drivers/net/phy/phy_device.c drivers/net/phy/phy.c drivers/net/phy/phy-c45.c',
    'drivers/power/supply/power_supply_core.c drivers/power/power_supply_core.c drivers/hwspinlock/hwspinlock_core.c',
    'drivers/reset/core.c drivers/interconnect/core.c drivers/mailbox/mailbox.c drivers/extcon/extcon.c',
    'sound/soc/soc-core.c sound/soc/soc-dapm.c sound/core/init.c drivers/of/base.c drivers/of/property.c',
    'drivers/pmdomain/core.c drivers/dma/dmaengine.c drivers/char/hw_random/core.c drivers/irqchip/irq-gic-v3.c',
    'drivers/gpu/drm/drm_modeset_lock.c drivers/clocksource/arm_arch_timer.c drivers/perf/arm_pmuv3.c',
  ].flatMap((files) => files.split(' '));
  const DRIVERS = [
    'drivers/misc/wobble.c drivers/spi/spi-wobble.c drivers/clk/clk-wobble.c drivers/clk/wobble/clk.c sound/pci/wobble.c',
    'drivers/net/phy/mdio-wobble.c drivers/net/phy/wobble.c drivers/extcon/extcon-wobble.c drivers/reset/reset-wobble.c',
    'drivers/hwspinlock/wobble_hwspinlock.c drivers/i2c/busses/i2c-wobble.c sound/soc/wobble/soc-wobble.c',
    'drivers/net/wobble/core.c samples/wobble/wobble.c drivers/of/unittest.c drivers/pmdomain/wobble/core.c',
    'drivers/dma/wobble-dma.c drivers/char/hw_random/wobble-rng.c drivers/irqchip/irq-gic-v3-its.c',
    'drivers/gpu/drm/wobble/wobble_drv.c drivers/clocksource/timer-wobble.c sound/core/seq/wobble.c',
  ].flatMap((files) => files.split(' '));
  const ROOTS = ['', './', '../', '../../', '/usr/src/kernel/'];
  const cases = [
    ...CORE.map((file) => [file, 'wobble_start'] as const),
    ...DRIVERS.map((file) => [file, HELPER] as const),
  ];

  it.each(cases)('says who is to blame for a WARNING, wherever its path begins: %s, %s', (file, blamed) => {
    for (const root of ROOTS) {
      const warning = [
        `[    1.000000] WARNING: CPU: 0 PID: 7 at ${root}${file}:9 ${HELPER}+0x10/0x20`,
        ...FAULT.slice(2).map(named),
      ];
      expect(crashOf(warning)).toMatchObject({ kind: 'warning', function: blamed });
    }
  });

  it.each(cases)('says who is to blame in a decoded trace, wherever its path begins: %s, %s', (file, blamed) => {
    for (const root of ROOTS) {
      const decoded = FAULT.map((line) => named(line).replace(`${HELPER}+0x10/0x20`, `${HELPER} (${root}${file}:9)`));
      expect(crashOf(decoded)).toMatchObject({ function: blamed });
    }
  });
});

describe('a function in a core of the drivers', () => {
  // What acts on what its caller handed it, and what is the core's own doing.
  it.each([
    ['drivers/of/base.c', 'of_node_put', 'of_core_init'],
    ['drivers/pmdomain/core.c', 'genpd_runtime_resume', 'genpd_power_off_work_fn'],
    ['drivers/dma/dmaengine.c', 'dma_release_channel', 'dma_channel_rebalance'],
    ['drivers/char/hw_random/core.c', 'hwrng_unregister', 'hwrng_fillfn'],
    ['sound/core/init.c', 'snd_power_wait', 'snd_card_disconnect_sync'],
  ])('is blamed for its own doing only: %s, %s, %s', (file, called, own) => {
    const report = (name: string) =>
      FAULT.map((line) => line.replace('wobble_link+0x10/0x20', `${name} (${file}:9)`)).map((line) =>
        line.replace('wobble_start+0x10/0x20', 'wobble_start (drivers/misc/wobble.c:7)'),
      );
    expect(crashOf(report(called))).toMatchObject({ function: 'wobble_start', passedOver: [{ function: called }] });
    expect(crashOf(report(own))).toMatchObject({ function: own, passedOver: [] });
  });

  it.each([
    ['drivers/irqchip/irq-gic-v3.c', 'gic_handle_irq'],
    ['drivers/clocksource/arm_arch_timer.c', 'arch_timer_handler_virt'],
    ['drivers/perf/arm_pmuv3.c', 'armv8pmu_handle_irq'],
  ])('is not what a stuck CPU was doing where the interrupt came in by it: %s, %s', (file, entry) => {
    const stall = [
      '[   21.000000] watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [wobbled:7]',
      '[   21.000001] CPU: 1 UID: 0 PID: 7 Comm: wobbled Not tainted 6.12.0 #1',
      '[   21.000002] Call trace:',
      `[   21.000003]  ${entry} (${file}:9)`,
      '[   21.000004]  wobble_start (drivers/misc/wobble.c:7)',
    ];
    expect(crashOf(stall)).toMatchObject({ kind: 'soft-lockup', function: 'wobble_start' });
  });
});

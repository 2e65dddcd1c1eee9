import { describe, expect, it } from 'vitest';
import { formatWhy } from '../../harness/report/why.ts';
import { whyUnbound } from '../../harness/verdict/why.ts';
import { whyOfBoots } from '../../harness/verdict/why-boots.ts';
import { summaryOf } from './summary-of.ts';

/** What `why` says of a boot that crashed, and of who uses what fails. */

let time = 0;
const stamped = (text: string) => `[   12.${String(++time).padStart(6, '0')}] ${text}`;
const why = (...texts: string[]) => whyUnbound(summaryOf(texts.map(stamped)));
const oops = (...frames: string[]) => [
  'Unable to handle kernel NULL pointer dereference at virtual address 0000000000000000',
  'Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP',
  'CPU: 2 PID: 68 Comm: kworker/u8:4 Not tainted 6.2.0 #70',
  'pc : gadget_find+0x94/0x374',
  'lr : gadget_find+0x94/0x374',
  'Call trace:',
  ...frames.map((frame) => ` ${frame}+0x10/0x80`),
  '---[ end trace 0000000000000000 ]---',
];
const PROBE = ['gadget_find', 'gadget_domain_probe', 'platform_probe', 'really_probe', 'driver_probe_device'];

describe('a boot that crashed', () => {
  it('is said to, and in which probe', () => {
    const found = why(...oops(...PROBE, 'deferred_probe_work_func'));
    expect(found.crash).toMatchObject({ line: 1, probe: 'gadget_domain_probe' });
    expect(formatWhy(found)).toMatch(
      /^The kernel crashed in a probe, gadget_domain_probe: .*NULL pointer dereference in gadget_find \(line 1\)\n/,
    );
    // What the driver core calls in between is no driver's.
    expect(why(...oops('gadget_find', 'platform_probe', 'really_probe')).crash).toMatchObject({ probe: null });
    for (const bus of ['local_pci_probe', 'usb_probe_interface', 'virtio_dev_probe'])
      expect(why(...oops('gadget_find', 'gadget_probe', bus, 'really_probe')).crash?.probe).toBe('gadget_probe');
    const other = why(...oops('gadget_find', 'gadget_probe', 'gadget_open'));
    expect(other.crash).toMatchObject({ probe: null });
    expect(formatWhy(other)).toMatch(/^The kernel crashed: /);
  });

  it('is told with what was said of an error just before, and that nothing is retried after it', () => {
    const frames = [...PROBE, 'deferred_probe_work_func', 'worker_thread'];
    const said = 'gadget-sysc 1000.module: optional clocks cannot be enabled: -108';
    const waits = 'platform 2000.dev: deferred probe pending: gadget: no clock';
    const warning = ['WARNING: CPU: 1 PID: 7 at drivers/gadget.c:7 gadget_clk+0x94/0x374', ...oops(...PROBE).slice(2)];
    const text = formatWhy(why(waits, said, ...warning, ...oops(...frames)));
    expect(text).toContain('  shortly before, of 1000.module: optional clocks cannot be enabled: -108 (line 2)\n');
    expect(text).toContain('what waits is not tried again');
    const others = Array.from({ length: 5 }, (_, port) => `gadget-hub 3000.hub: port ${port}`);
    const far = why(said, ...others, ...oops('gadget_find', 'gadget_probe', 'platform_probe', 'really_probe'));
    expect(far.crash).toMatchObject({ before: null, endsRetries: false });
    expect(formatWhy(why(...oops(...frames)))).not.toContain('tried again');
    const entered = "gadget-x 5.x: bus: 'platform': really_probe: probing driver gadget_domain with device";
    const own = 'gadget_domain 5.x: cannot find its parent';
    expect(why(entered, own, ...others, ...oops(...frames)).crash?.before?.device).toBe('5.x');
  });

  it('is in the probe that its report names before the trace', () => {
    const arm = [
      'Unhandled fault: external abort on non-linefetch (0x1028) at 0xf9e07034',
      'Internal error: : 1028 [#1] SMP ARM',
      'CPU: 0 PID: 11 Comm: kworker/u4:0 Not tainted 6.13.0 #17',
      'PC is at gadget_gpio_probe+0x14c/0x5c0',
      'LR is at 0x20',
      'Call trace: ',
      ' gadget_gpio_probe from platform_probe+0x7c/0xc0',
      ' platform_probe from really_probe+0xc4/0x28c',
      ' really_probe from worker_thread+0x30/0x94',
      '---[ end trace 0000000000000000 ]---',
    ];
    expect(why(...arm).crash?.probe).toBe('gadget_gpio_probe');
  });

  it('has the release of the kernel in its report, where the log does not begin with it', () => {
    const report = ['WARNING: CPU: 1 PID: 7 at drivers/gadget.c:7 gadget_find+0x94/0x374', ...oops(...PROBE).slice(2)];
    expect(why(...report).kernel).toBe('6.2.0');
    const tainted = report.map((line) => line.replace('Not tainted 6.2.0', 'Tainted: G        W C       6.3.0-gadget'));
    expect(why(...tainted).kernel).toBe('6.3.0-gadget');
    expect(why('Linux version 6.1.0 (gadget)', ...report).kernel).toBe('6.1.0');
    expect(why('gadget 1.dev: ready').kernel).toBeNull();
  });

  it('is not one that only warned, nor that lacks its root file system', () => {
    const frames = oops(...PROBE).slice(2);
    expect(why('WARNING: CPU: 1 PID: 7 at drivers/gadget.c:7 gadget_find+0x94/0x374', ...frames).crash).toBeNull();
    const panic = 'Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)';
    const missing = 'VFS: Cannot open root device "sda" or unknown-block(0,0): error -6';
    expect(why(missing, panic)).toMatchObject({ crash: null, rootDevice: { name: 'sda' } });
    expect(why(panic).crash).not.toBeNull();
  });

  it('is answered for where it is the last, whatever an earlier one left open', () => {
    const failed = summaryOf([stamped('gadget 1000.dev: probe with driver gadget failed with error -22')]);
    const crashed = summaryOf(oops(...PROBE).map(stamped));
    const answer = (last: typeof failed) =>
      whyOfBoots({ earlier: [{ line: 1, summary: failed }], last: { line: 9, summary: last } }).found.boot?.number;
    expect([answer(crashed), answer(summaryOf([stamped('gadget 1000.dev: ready')]))]).toEqual([2, 1]);
  });
});

describe('what fails for another', () => {
  const waits = 'gadget-usb 1000.usb: deferred probe pending: gadget-usb: failed to get phy';
  const fails = 'phy phy-2000.phy.9: phy init failed --> -19';

  it('is not accused where the line after it says who uses it', () => {
    const perhaps = 'perhaps for phy-2000.phy.9, of which its driver says';
    expect(formatWhy(why(fails, waits))).toContain(perhaps);
    expect(formatWhy(why(fails, 'gadget-pcie 3000.pcie: unable to initialize its PHY', waits))).not.toContain(perhaps);
    // It is for the one that waits, or the next line speaks of something else.
    expect(formatWhy(why(fails, 'gadget-usb 1000.usb: unable to initialize its PHY', waits))).toContain(perhaps);
    expect(formatWhy(why(fails, 'gadget-pcie 3000.pcie: unable to start', waits))).toContain(perhaps);
    const far = ['gadget 4.a: one', 'gadget 4.a: two', 'gadget-pcie 3000.pcie: unable to initialize its PHY'];
    expect(formatWhy(why(fails, ...far, waits))).toContain(perhaps);
  });

  it('is the cause where a probe fails just after with the same error', () => {
    const told = (error: number, ...between: string[]) =>
      why(fails, ...between, `gadget-pcie: probe of 3000.pcie failed with error -${error}`).roots[0]?.evidence;
    expect(told(19)).toBe('phy-2000.phy.9: phy init failed --> -19');
    expect(told(22)).toBe(null);
    const dump = Array.from({ length: 20 }, (_, number) => `gadget: register ${number}`);
    const [own, last] = [
      'gadget-pcie 3000.pcie: unable to start its PHY',
      'gadget-pcie 3000.pcie: errors: 0, state -1',
    ];
    expect(told(22, own, ...dump, last)).toBe('phy-2000.phy.9: phy init failed --> -19; unable to start its PHY');
    expect(told(22, ...dump, last)).toBe('errors: 0, state -1');
    expect(told(22, own, last)).toBe('unable to start its PHY; errors: 0, state -1');
    const deferred = 'gadget-pcie 3000.pcie: error -EPROBE_DEFER: no clock';
    expect(told(22, own, deferred, ...dump, last)).toBe('errors: 0, state -1');
  });
});

describe('a warning while a provider was registered', () => {
  const warning = (...frames: string[]) => [
    'WARNING: CPU: 0 PID: 1 at drivers/gadget.c:7 gadget_add+0x94/0x374',
    ...oops(...frames).slice(2),
  ];
  const domains = warning('gadget_add', 'of_genpd_add_provider_onecell', 'gadget_sysc_init', 'do_one_initcall');
  const over = (device: string) => [
    `gadget-x ${device}: deferred probe timeout, ignoring dependency`,
    `gadget-x ${device}: probe with driver gadget-x failed with error -110`,
  ];

  it('is told first where somebody lacks such a one', () => {
    const found = why(...domains, ...over('1000.dma'));
    expect(found.warnedProviders).toMatchObject([{ noun: 'a power domain', by: 'gadget_sysc_init', line: 1 }]);
    expect(formatWhy(found)).toMatch(
      /^1 probe failed:\n\nWhile gadget_sysc_init\(\) registered a power domain the kernel/,
    );
    const clock = 'platform 2000.dev: deferred probe pending: gadget-x: failed to get the clock';
    expect(why(...domains, clock).warnedProviders).toEqual([]);
    expect(why(...warning('gadget_add', 'gadget_sysc_init'), ...over('1000.dma')).warnedProviders).toEqual([]);
  });

  it('is none of what was lacking before', () => {
    const lacks = 'gadget-x 1000.dma: failed to attach to power domain: -517';
    expect(why(lacks, ...domains).warnedProviders).toEqual([]);
    expect(why(...domains, lacks).warnedProviders).toHaveLength(1);
  });

  it('may be the cause behind several that fail alike, which others wait for', () => {
    const banks = Array.from({ length: 8 }, (_, bank) => over(`${bank + 1}000.gpio`));
    const keys = 'platform keys: deferred probe pending: gadget-keys: failed to get gpio';
    expect(formatWhy(why(...domains, ...banks.flat(), keys))).toContain(
      '  perhaps for 1000.gpio, 2000.gpio, 3000.gpio, 4000.gpio, and 4 more, ',
    );
  });
});

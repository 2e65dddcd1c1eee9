import { describe, expect, test } from 'vitest';
import { type CensusDevice, censusOf, countEnds, linkedToNoDriver } from '../../harness/board/census.ts';
import { type LeftOut, moduleToLeaveOut } from '../../harness/board/left-out.ts';
import type { Lacking } from '../../harness/board/waits.ts';
import { registersOf } from '../../harness/devicetree/addresses.ts';
import { DmesgParser } from '../../harness/dmesg/parser.ts';
import { Summary } from '../../harness/dmesg/summary.ts';
import { formatCensus } from '../../harness/report/census.ts';
import { boardTree, node } from './trees.ts';

const UART = node('uart@9000000', { compatible: 'acme,uart', reg: [0, 0x900_0000, 0, 0x1000] });

/** `each`: milliseconds between two lines. */
function count(lines: readonly string[], firmwareLog = '', leftOut: readonly LeftOut[] = [], each = 0.001) {
  const parser = new DmesgParser();
  const log = lines.map((line, n) => `[${(1 + (n * each) / 1000).toFixed(6).padStart(12)}] ${line}\n`).join('');
  const events = [...parser.push(Buffer.from(log)), ...parser.end()];
  const summary = new Summary();
  for (const event of events) summary.add(event);
  return censusOf({
    events,
    summary: summary.finish(parser),
    firmwareLog,
    registers: registersOf(boardTree({ more: [UART] })),
    modelled: new Set(['/failing']),
    modulesFor: (modalias) => (modalias.endsWith('Cacme,phy') ? ['phy_acme'] : []),
    isBuiltin: () => false,
    leftOut,
  });
}

const lackingIn =
  (by: Readonly<Record<string, readonly Lacking[]>>) =>
  (path: string): readonly Lacking[] =>
    by[path] ?? [];

const ends = (devices: readonly CensusDevice[]) => Object.fromEntries(devices.map(({ name, end }) => [name, end]));
const MATCHED = (device: string, driver: string) =>
  `platform ${device}: bus: 'platform': __driver_probe_device: matched device with driver ${driver}`;

describe('a census', () => {
  const census = count(
    [
      MATCHED('9000000.uart', 'uart'),
      MATCHED('failing', 'drv'),
      'drv failing: error -EINVAL: failed to get its clock',
      'drv failing: probe with driver drv failed with error -22',
      MATCHED('waiting', 'drv'),
      'bootrace: load phy_other ok',
      'bootrace: load msm killed',
      'bootrace: census begin',
      'bootrace: device platform 9000000.uart uart /uart@9000000 of:NuartT(null)Cacme,uart',
      'bootrace: device platform failing - /failing of:NfailingT(null)Cacme,failing',
      'bootrace: device platform waiting - /waiting of:NwaitingT(null)Cacme,waiting',
      'bootrace: device platform lonely - /lonely of:NlonelyT(null)Cacme,lonely',
      'bootrace: device mdio_bus phy0 - /phy of:NphyT(null)Cacme,phy',
      'bootrace: device i2c i2c-0 - /i2c -',
      'bootrace: device cpu cpu0 - /cpus/cpu@0 -',
      'bootrace: device platform reg-dummy reg-dummy - -',
      'bootrace: census end',
      'bootrace: deferred waiting platform: supplier x not ready',
      'bootrace: done',
    ],
    'page 0x9000000 reads=7 writes=2 broken=3\npoll 0x9000004 pc=0xffff broken=3\n',
  );

  test('gives each device with a node one end', () => {
    expect(census.complete).toBe(true);
    expect(ends(census.devices)).toEqual({
      '9000000.uart': 'bound',
      failing: 'failed',
      waiting: 'deferred',
      lonely: 'no-driver',
      phy0: 'no-driver',
    });
    expect(countEnds(census.devices)).toMatchObject({ bound: 1, failed: 1, deferred: 1, 'no-driver': 2 });
  });

  test('says which module is not loaded, what is waited for and what was guessed', () => {
    const found = (name: string) => census.devices.find((device) => device.name === name);
    expect(found('phy0')?.missing).toEqual(['phy_acme']);
    expect(found('waiting')?.reason).toBe('platform: supplier x not ready');
    expect(found('failing')?.reason).toBe('error -22; the driver said: failed to get its clock');
    expect(found('9000000.uart')?.answers).toEqual({ reads: 7, writes: 2, broken: 3 });
    expect(found('9000000.uart')?.answeredBy).toBe('broken polls');
    expect(found('failing')?.answeredBy).toBe('models');
    expect(census.modules).toEqual({ loaded: 1, failed: [{ name: 'msm', why: 'killed' }] });
  });

  test('counts a match that was put off only while the kernel still lists it as deferred', () => {
    const putOff = (name: string) => `amba ${name}: Device match requests probe deferral`;
    const { devices } = count([
      putOff('stm'),
      putOff('timer'),
      'amba stm: Retrying from deferred list',
      'bootrace: census begin',
      'bootrace: device amba stm - /stm amba:d000BB962',
      'bootrace: device amba timer - /timer amba:d00000000',
      'bootrace: census end',
      'bootrace: deferred timer',
      'bootrace: done',
    ]);
    expect(ends(devices)).toEqual({ stm: 'no-driver', timer: 'deferred' });
  });

  test('takes a probe for one that has not returned only where the log does not say that the device was bound', () => {
    const { devices } = count([
      MATCHED('pwm', 'drv'),
      "drv pwm: driver: 'drv': driver_bound: bound to device",
      MATCHED('slow', 'drv'),
      "platform slow: bus: 'platform': really_probe: probing driver drv with device",
      'bootrace: census begin',
      'bootrace: device platform pwm drv /pwm of:NpwmT(null)Cacme,pwm',
      'bootrace: device platform slow drv /slow of:NslowT(null)Cacme,slow',
      'bootrace: census end',
      'bootrace: probing pwm drv',
      'bootrace: probing slow drv',
      'bootrace: done',
    ]);
    expect(ends(devices)).toEqual({ pwm: 'bound', slow: 'hung' });
  });

  test('takes a device that is retried at that moment for deferred, unless its probe takes long', () => {
    const deferring = [
      MATCHED('sensor', 'drv'),
      "platform sensor: bus: 'platform': really_probe: probing driver drv with device",
      'drv sensor: Driver drv requests probe deferral',
      'platform sensor: Added to deferred list',
    ];
    const again = deferring.slice(0, 2);
    const counting = ['bootrace: census begin', 'bootrace: device platform sensor - /sensor -', 'bootrace: census end'];
    const done = [...counting, 'bootrace: done'];
    expect(
      count([...deferring, 'platform sensor: Retrying from deferred list', ...again, ...done]).devices,
    ).toMatchObject([{ end: 'deferred', reason: 'tried again while devices were counted' }]);
    expect(ends(count([...again, ...done]).devices), 'never deferred').toEqual({ sensor: 'hung' });
    const late = count([...deferring, ...again, ...done], '', [], 2_000).devices;
    expect(ends(late), 'for seconds').toEqual({ sensor: 'hung' });
  });

  test('counts no match that was put off, retried, and then found no driver, where the list is empty', () => {
    const { devices } = count([
      'amba stm: Device match requests probe deferral',
      'amba stm: Retrying from deferred list',
      'bootrace: census begin',
      'bootrace: device amba stm - /stm amba:d000BB962',
      'bootrace: census end',
      'bootrace: done',
    ]);
    expect(ends(devices)).toEqual({ stm: 'no-driver' });
  });

  test('counts the devices of a module that ended an earlier boot as crashed', () => {
    const census = count(
      [
        'bootrace: census begin',
        'bootrace: device mdio_bus phy0 - /phy of:NphyT(null)Cacme,phy',
        'bootrace: device platform lonely - /lonely of:NlonelyT(null)Cacme,lonely',
        'bootrace: census end',
        'bootrace: done',
      ],
      '',
      [{ module: 'phy_acme', why: 'kernel panic in phy_reset' }],
    );
    expect(ends(census.devices)).toEqual({ phy0: 'crashed', lonely: 'no-driver' });
    const text = formatCensus(census, {
      board: 'acme.dtb',
      release: '6.12',
      notes: [],
      linked: { waiting: [], suppliers: [], bound: 0 },
    });
    expect(text).toContain('0 of 1 matched devices bound, 1 crashed');
    expect(text).toContain('booted without phy_acme: a boot that loaded it came to kernel panic in phy_reset\n');
  });

  test('leaves out the innermost module of the trace that was chosen, and none after a boot that was counted', () => {
    const oops = [
      'Unable to handle kernel NULL pointer dereference at virtual address 0000000000000008',
      'Internal error: Oops: 0000000096000046 [#1] SMP',
      'CPU: 0 UID: 0 PID: 41 Comm: kworker/u16:3 Not tainted 6.12.0 #1',
      'pc : acme_lib_schedule+0x8c/0x298 [acme_lib]',
      'lr : acme_lib_all+0x24/0x60 [acme_lib]',
      'Call trace:',
      ' acme_lib_schedule+0x8c/0x298 [acme_lib]',
      ' phy_reset_work+0xc38/0x1030 [phy_acme]',
      ' other_work+0xc38/0x1030 [other]',
      ' worker_thread+0x1a8/0x390',
      'Kernel panic - not syncing: Oops: Fatal exception in interrupt',
    ];
    const chosen = new Set(['other', 'phy_acme']);
    const why = 'unable to handle kernel NULL pointer dereference in acme_lib_schedule';
    expect(moduleToLeaveOut(count(oops), chosen, () => [])).toEqual({ module: 'phy_acme', why });
    expect(moduleToLeaveOut(count(oops), new Set(['else']), () => [])).toBeNull();
    expect(moduleToLeaveOut({ ...count(oops), complete: true }, chosen, () => [])).toBeNull();
    expect(moduleToLeaveOut(count([]), chosen, () => [])).toBeNull();
  });

  test('tells the module whose probe ended the retries of deferred ones, and whose code that is in no frame', () => {
    const oops = [
      MATCHED('sensor', 'acme-sensor'),
      "platform sensor: bus: 'platform': really_probe: probing driver acme-sensor with device",
      'Unable to handle kernel NULL pointer dereference at virtual address 000000000000001d',
      'Internal error: Oops: 0000000096000006 [#1] SMP',
      'CPU: 0 UID: 0 PID: 33 Comm: kworker/u16:2 Not tainted 6.12.0 #1',
      'Workqueue: events_unbound deferred_probe_work_func',
      'pc : devm_platform_ioremap_resource+0x38/0x88',
      'Call trace:',
      ' devm_platform_ioremap_resource+0x38/0x88',
      ' rng_probe+0x5c/0x140 [acme_rng]',
      ' really_probe+0xc8/0x3a0',
      ' deferred_probe_work_func+0xb8/0x118',
      '---[ end trace 0000000000000000 ]---',
      'bootrace: census begin',
      'bootrace: device platform sensor - /sensor -',
      'bootrace: census end',
    ];
    const counted = count(oops);
    expect(counted.complete).toBe(true);
    const chosen = new Set(['acme_rng', 'acme_sensor']);
    const modulesFor = (device: string) => (device === 'sensor' ? ['acme_sensor'] : []);
    expect(moduleToLeaveOut(counted, chosen, modulesFor)?.module).toBe('acme_sensor');
    expect(moduleToLeaveOut(counted, new Set(['acme_rng']), modulesFor)).toBeNull();
    const elsewhere = count(oops.filter((line) => !line.includes('deferred_probe_work_func+')));
    expect(moduleToLeaveOut(elsewhere, chosen, modulesFor), 'a task of its own').toBeNull();
  });

  test('is printed with the sum first', () => {
    const clock = { path: '/clock', compatible: 'acme,clock' };
    const pins = { path: '/pins', compatible: 'acme,pins' };
    const lacking = lackingIn({ '/waiting': [clock, pins], '/failing': [pins], '/uart@9000000': [pins] });
    const linked = linkedToNoDriver(census.devices, lacking);
    const text = formatCensus(census, { board: 'acme.dtb', release: '6.12', notes: ['a note'], linked });
    expect(text.split('\n').slice(0, 3)).toEqual([
      'acme.dtb on 6.12: 1 of 3 matched devices bound, 1 failed, 1 deferred; 5 devices, 2 without a driver',
      "within reach of this kernel (a guess by the tree's links): 1 of 2 bound (50 %); " +
        '1 waits for suppliers that it has no driver for',
      'a note',
    ]);
    expect(text).toContain('1 device bound on guesses, by 3 broken polls: 9000000.uart 3');
    expect(text).not.toMatch(/^deferred/m);
    expect(text).toContain('\nprobe failed:\n  failing (drv): error -22');
    expect(text).toContain(
      "\nsuppliers without a driver in this kernel, and how many wait for each, directly or through others (a guess by the tree's " +
        'links; 1 device with such links is bound):\n' +
        '  /clock (acme,clock): 1\n' +
        '  /pins (acme,pins): 1\n' +
        '\nwait for those:\n' +
        '  waiting (drv): platform: supplier x not ready\n',
    );
  });

  test('tells what waits for another reason apart, and the most wanted supplier first', () => {
    const { devices } = count([
      MATCHED('one', 'drv'),
      MATCHED('two', 'drv'),
      MATCHED('three', 'drv'),
      'bootrace: census begin',
      'bootrace: device platform one - /one -',
      'bootrace: device platform two - /two -',
      'bootrace: device platform three - /three -',
      'bootrace: census end',
      'bootrace: deferred one',
      'bootrace: deferred two',
      'bootrace: deferred three',
      'bootrace: done',
    ]);
    const early = { path: '/early', compatible: 'acme,clock' };
    const late = { path: '/late', compatible: 'acme,clock' };
    const lacking = lackingIn({ '/one': [early, late], '/two': [late] });
    const linked = linkedToNoDriver(devices, lacking);
    expect(linked.suppliers.map(({ path, wanted }) => [path, wanted])).toEqual([
      ['/late', 2],
      ['/early', 1],
    ]);
    const text = formatCensus({ ...census, devices }, { board: 'acme.dtb', release: '6.12', notes: [], linked });
    expect(text).toContain('0 of 1 bound (0 %); 2 wait for suppliers');
    expect(text).toContain('\ndeferred, for another reason:\n  three (drv)');
  });

  test('says that a driver is not loaded, or that it is and did not match', () => {
    const reason = (...lines: string[]) => {
      const phy = 'bootrace: device mdio_bus phy0 - /phy of:NphyT(null)Cacme,phy';
      return count([...lines, 'bootrace: census begin', phy, 'bootrace: census end']).devices[0]?.reason;
    };
    expect(reason()).toBe('a driver for it is not loaded');
    expect(reason('bootrace: load phy_acme ok')).toBe('the driver that has an alias for it did not match it');
  });

  test('takes a failure that the deferred probe timeout caused for a wait, and no other failure', () => {
    const { devices } = count([
      MATCHED('late', 'drv'),
      'platform late: deferred probe timeout, ignoring dependency',
      'drv late: probe with driver drv failed with error -110',
      MATCHED('slow', 'drv'),
      'drv slow: probe with driver drv failed with error -110',
      'bootrace: census begin',
      'bootrace: device platform late - /late -',
      'bootrace: device platform slow - /slow -',
      'bootrace: census end',
      'bootrace: done',
    ]);
    const clock = { path: '/clock', compatible: 'acme,clock' };
    expect(linkedToNoDriver(devices, lackingIn({ '/late': [clock], '/slow': [clock] }))).toEqual({
      waiting: [{ device: 'late', lacks: ['/clock'] }],
      suppliers: [{ ...clock, wanted: 1 }],
      bound: 0,
    });
    expect(devices.map(({ reason }) => reason)).toEqual([
      'error -110: the deferred probe timeout ended its wait for a supplier',
      'error -110',
    ]);
  });
});

test('buses that have no driver for one reason share a line, but for those with broken polls', () => {
  const names = ['a000.bus', 'b000.bus', 'c000.bus', '9000000.uart'];
  const lines = names.flatMap((name) => [
    MATCHED(name, 'simple-pm-bus'),
    `platform ${name}: bus: 'platform': really_probe: probing driver simple-pm-bus with device`,
    `simple-pm-bus ${name}: probe with driver simple-pm-bus rejects match -19`,
    `probe of ${name} returned 19 after 697 usecs`,
  ]);
  const reports = names.map((name) => `bootrace: device platform ${name} - /${name.replace(/(.*)\.(.*)/, '$2@$1')} -`);
  const broken = 'poll 0x9000004 pc=0xffff broken=3\n';
  const census = count([...lines, 'bootrace: census begin', ...reports, 'bootrace: census end'], broken);
  const linked = { waiting: [], suppliers: [], bound: 0 };
  const text = formatCensus(census, { board: 'acme.dtb', release: '6.12', notes: [], linked });
  const reason = 'simple-pm-bus leaves it to a driver of its own compatible';
  expect(text).toContain(
    '\nno driver:\n' +
      `  9000000.uart (simple-pm-bus): ${reason} [3 polls broken]\n` +
      `  3 devices (${reason}): a000.bus, b000.bus, c000.bus\n`,
  );
});

test('a device whose probe crashed is not bound, though the link to its driver is there', () => {
  const census = count([
    MATCHED('9000000.uart', 'uart'),
    "uart 9000000.uart: bus: 'platform': really_probe: probing driver uart with device",
    'Unable to handle kernel NULL pointer dereference at virtual address 0000000000000008',
    'Internal error: Oops: 0000000096000004 [#1] SMP',
    'CPU: 0 PID: 1 Comm: swapper/0 Not tainted 6.12.0 #1',
    'pc : uart_probe+0x10/0x100',
    'Call trace:',
    ' uart_probe+0x10/0x100',
    ' platform_probe+0x68/0xd8',
    ' really_probe+0xc0/0x3e0',
    '---[ end trace 0000000000000000 ]---',
    'bootrace: census begin',
    'bootrace: device platform 9000000.uart uart /uart@9000000 -',
    'bootrace: census end',
  ]);
  expect(ends(census.devices)).toEqual({ '9000000.uart': 'crashed' });
});

test('a boot that ended before is not complete', () => {
  expect(count(['bootrace: census begin']).complete).toBe(false);
});

test('a boot that ended before says so first, and counts nothing where it saw nothing', () => {
  const title = { board: 'acme.dtb', release: '6.12', notes: [], linked: { waiting: [], suppliers: [], bound: 0 } };
  const ended = 'acme.dtb on 6.12: the boot ended before its devices could be counted';
  expect(formatCensus(count([]), title).split('\n').slice(0, 2)).toEqual([ended, 'no device was seen']);
  const seen = formatCensus(
    count(['bootrace: census begin', 'bootrace: device platform 9000000.uart uart /uart@9000000 -']),
    title,
  );
  expect(seen).toMatch(new RegExp(`^${ended}\nseen until then: `));
});

test('a bus that simple-pm-bus declines has no driver: it leaves all but its own compatibles alone', () => {
  const { devices } = count([
    MATCHED('soc', 'simple-pm-bus'),
    "platform soc: bus: 'platform': really_probe: probing driver simple-pm-bus with device",
    'simple-pm-bus soc: probe with driver simple-pm-bus rejects match -19',
    'probe of soc returned 19 after 697 usecs',
    MATCHED('phy', 'drv'),
    "platform phy: bus: 'platform': really_probe: probing driver drv with device",
    'drv phy: probe with driver drv rejects match -19',
    'probe of phy returned 19 after 697 usecs',
    'bootrace: census begin',
    'bootrace: device platform soc - /soc of:NsocT(null)Cacme,soc',
    'bootrace: device platform phy - /phy of:NphyT(null)Cacme,other',
    'bootrace: census end',
  ]);
  expect(ends(devices)).toEqual({ soc: 'no-driver', phy: 'declined' });
  expect(devices.find(({ name }) => name === 'soc')?.reason).toContain('simple-pm-bus');
});

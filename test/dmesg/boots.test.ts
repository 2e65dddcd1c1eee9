import { describe, expect, it } from 'vitest';
import { DmesgParser } from '../../harness/dmesg/parser.ts';
import { classifyBytes } from '../../harness/verdict/classify.ts';

const classify = (...lines: string[]) =>
  classifyBytes('log', Buffer.from(`${lines.join('\n')}\n`), { knownIssues: [], today: '2026-01-01' });

const HEAD = ['[    0.000000] Booting Linux on physical CPU 0x0', '[    0.000000] Linux version 6.12.0 (a@b) #1 SMP'];
const UP = ['[    1.500000] Run /init as init process', '[    9.000000] systemd[1]: Reached target multi-user.target.'];
const DOWN = '[   20.000000] reboot: Restarting system';

describe('records of one microsecond', () => {
  it('are different ones when they differ in a device alone', () => {
    const devices = ['1c00000.usb', '1d00000.usb', '1e00000.usb', 'c.three'];
    const lines = devices.map((device) => `[   12.000000] platform ${device}: deferred probe pending: wait for x`);
    const parser = new DmesgParser();
    const events = [...parser.push(Buffer.from([...HEAD, ...UP, ...lines, ''].join('\n'))), ...parser.end()];
    expect(events.flatMap((event) => (event.event === 'deferral-pending' ? [event.device] : []))).toEqual(devices);
  });
});

describe('several boots in one log', () => {
  it('takes one that ends without a word for a hang, whatever came after it', () => {
    for (const between of [
      [],
      ['U-Boot 2024.01'],
      ['Format: Log Type - Time(microsec) - Message'],
      ['Starting kernel ...'],
    ]) {
      const found = classify(...HEAD, '[    0.300000] foo: probing', ...between, ...HEAD, ...UP);
      expect(found.verdict).toBe('hang');
      expect(found.reason).toContain('boot 1 of 2 ended without a word');
      expect(found.boots).toMatchObject([{ ended: 'silent', lastText: 'foo: probing' }]);
    }
  });

  it('takes one that reached user space and did not shut down for a hang, too', () => {
    expect(classify(...HEAD, ...UP, 'U-Boot 2024.01', ...HEAD, ...UP)).toMatchObject({ verdict: 'hang' });
  });

  it('lets a boot that was shut down pass', () => {
    const found = classify(...HEAD, ...UP, DOWN, 'U-Boot 2024.01', ...HEAD, ...UP);
    expect(found).toMatchObject({ verdict: 'bound', boots: [{ ended: 'shutdown' }] });
  });

  it('does not take dmesg on the same console for another boot', () => {
    const log = [...HEAD, '[    0.300000] systemd[1]: first', ...UP];
    expect(classify(...log, '# dmesg', ...log)).toMatchObject({ verdict: 'bound', boots: [] });
  });

  it('does not where dmesg shows records that the console has not', () => {
    const log = [...HEAD, '[    0.300000] systemd[1]: one', '[    1.000000] systemd[1]: two', ...UP];
    const quiet = ['[    0.400000] systemd[1]: of a low level', '[    0.500000] systemd[1]: too'];
    expect(classify(...log, '# dmesg', ...HEAD, log[2] ?? '', ...quiet, ...log.slice(3))).toMatchObject({ boots: [] });
    // Without a record that is known it is one.
    expect(classify(...log, '# dmesg', ...quiet)).toMatchObject({ boots: [{}] });
  });

  it('does not, however many records of time zero come before the first that tells', () => {
    const zeroes = Array.from({ length: 99 }, (_, n) => `[    0.000000] foo: probing ${n}`);
    const log = [...HEAD, ...zeroes, '[    0.300000] systemd[1]: first', ...UP];
    expect(classify(...log, '# dmesg', ...log)).toMatchObject({ verdict: 'bound', boots: [] });
    const others = [...HEAD, ...zeroes, ...UP.map((line) => line.replace('00000]', '00007]'))];
    expect(classify(...log, '# dmesg', ...others)).toMatchObject({ boots: [{ ended: 'silent' }] });
    expect(classify(...log, '# dmesg', ...HEAD, ...zeroes)).toMatchObject({ boots: [{ ended: 'silent' }] });
    const endless = Array.from({ length: 9999 }, (_, n) => `[    0.000000] foo: probing ${n}`);
    expect(classify(...log, ...HEAD, ...endless, ...UP)).toMatchObject({ boots: [{ ended: 'silent' }] });
  });

  it('does not take the version that somebody looks at for another boot', () => {
    const log = [...HEAD, '[    0.300000] systemd[1]: first', ...UP, '# cat /proc/version'];
    const version = 'Linux version 6.12.0 (a@b) #1 SMP';
    expect(classify(...log, version, '[   30.000000] foo: later')).toMatchObject({ verdict: 'bound', boots: [] });
    const other = version.replace('6.12.0', '6.13.0');
    expect(classify(...log, other, 'foo: later').boots).toHaveLength(1);
  });

  it('does not take what a console prints that comes after the boot console for another boot', () => {
    const early = [...HEAD, '[    0.008000] foo: early', '[    0.016000] printk: bootconsole [gad0] disabled'];
    expect(classify(...early, ...early, ...UP)).toMatchObject({ verdict: 'bound', boots: [] });
    expect(classify(...early, ...HEAD, ...UP)).toMatchObject({ verdict: 'bound', boots: [] });
    const on = [...HEAD, '[    0.000000] printk: bootconsole [gad0] enabled'];
    expect(classify(...on, ...on, ...UP)).toMatchObject({ verdict: 'bound', boots: [] });
    expect(classify(...on, 'U-Boot 2024.01', ...on, ...UP).boots).toHaveLength(1);
    const another = HEAD.map((line) => line.replace('6.12.0', '6.13.0'));
    for (const next of [['U-Boot 2024.01', ...HEAD], another, ['[    0.020000] foo: probing', ...HEAD]])
      expect(classify(...early, ...next, ...UP)).toMatchObject({ verdict: 'hang', boots: [{ ended: 'silent' }] });
  });

  it('does not take what a boot says for what the one before said in the same microsecond', () => {
    const rejects = ['a', 'b'].map((name) => `[    9.500000] ${name}: Unknown symbol foo (err -2)`);
    const boot = [...HEAD, ...UP, ...rejects, DOWN];
    const rejected = (...lines: string[]) => classify(...lines).rejected.map(({ module }) => module);
    expect(rejected(...boot)).toEqual(['a', 'b']);
    expect(rejected(...boot, 'U-Boot 2024.01', ...boot)).toEqual(['a', 'b', 'a', 'b']);
  });

  it('of kernels without a clock each banner begins one', () => {
    const boot = ['[    0.000000] Linux version 6.12.0 (a@b) #1 SMP', '[    0.000000] foo: probing'];
    expect(classify(...boot, ...boot).boots).toHaveLength(1);
  });

  it('has nothing in flight that a boot before it had', () => {
    const probing = "[    1.000000] bus: 'platform': really_probe: probing driver a with device 1000.a";
    const found = classify(...HEAD, probing, 'U-Boot 2024.01', ...HEAD, '[    1.100000] foo: the last word');
    expect(found.boots).toMatchObject([{ probing: ['1000.a'] }]);
    expect(found.inFlight).toBeNull();
  });

  it('tells an exception of the boot firmware from one of the kernel', () => {
    const found = classify('U-Boot 2024.01', '"Synchronous Abort" handler, esr 0x96000010', 'Resetting CPU ...');
    expect(found).toMatchObject({ verdict: 'hang', crashes: [] });
    expect(found.reason).toContain('boot firmware took an exception');
  });
});

describe('how a kernel was started', () => {
  it('tells one that did not say a word from a log without a kernel', () => {
    const found = classify('U-Boot 2024.01', 'reading Image', 'Starting kernel ...', '');
    expect(found).toMatchObject({ verdict: 'hang', fragment: false });
    expect(found.reason).toContain('the boot loader started the kernel, which did not say a word');
    expect(classify('U-Boot 2024.01', 'reading Image')).toMatchObject({ verdict: 'infra-error' });
  });

  it('takes one that stopped after its first line for a hang, not for an excerpt', () => {
    const found = classify('Starting kernel ...', '', '[    0.000000] Booting Linux on physical CPU 0xf00');
    expect(found).toMatchObject({ verdict: 'hang', fragment: false });
    expect(found.reason).toContain('before user space');
  });

  it('does not take the lines that old kernels print before their banner for another boot', () => {
    const early = [
      '[    0.000000] Initializing cgroup subsys cpuset',
      '[    0.000000] Linux version 3.10.0 (a@b) #1 SMP',
    ];
    expect(classify(...early, ...UP)).toMatchObject({ verdict: 'bound', boots: [] });
    const later = ['[    0.000000] Initializing cgroup subsys cpu', '[    0.000000] Linux version 3.10.9 (a@b) #2 SMP'];
    expect(classify(...early, ...UP, ...later, '[    1.600000] Run /init as init process').boots).toHaveLength(1);
  });
});

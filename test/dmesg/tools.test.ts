import { describe, expect, it } from 'vitest';
import { parseRecords } from '../../harness/dmesg/prefix.ts';
import { type Classification, classifyBytes } from '../../harness/verdict/classify.ts';

/** One record of a kernel: its time in microseconds, its level and its text. */
interface Printed {
  readonly us: number;
  readonly level: number;
  readonly text: string;
}

/** A boot in which two probes fail, another one is deferred, and a fourth one crashes. */
const BOOT: readonly Printed[] = [
  [6, 'Booting Linux on physical CPU 0x0000000000 [0x411fd071]'],
  [5, 'Linux version 6.12.9 (build@ci) (aarch64-linux-gnu-gcc (GCC) 14.2.0) #1 SMP PREEMPT'],
  [6, 'Machine model: Acme Gadget'],
  [6, 'Run /sbin/init as init process'],
  [3, 'gadget-phy 5a10000.phy: probe with driver gadget-phy failed with error -110'],
  [3, 'keystone-pcie 5600000.pcie: probe with driver keystone-pcie failed with error -22'],
  [4, 'platform 5b20000.dsi: deferred probe pending: gadget-dsi: failed to get phy'],
  [1, 'Unable to handle kernel NULL pointer dereference at virtual address 0000000000000028'],
  [1, 'Mem abort info:'],
  [1, '  ESR = 0x0000000096000005'],
  [1, '  EC = 0x25: DABT (current EL), IL = 32 bits'],
  [1, '  FSC = 0x05: level 1 translation fault'],
  [1, '[0000000000000028] pgd=0000000000000000, p4d=0000000000000000, pud=0000000000000000'],
  [0, 'Internal error: Oops: 0000000096000005 [#1] PREEMPT SMP'],
  [4, 'Modules linked in: gadget_bridge(+) gadget_core'],
  [4, 'CPU: 3 UID: 0 PID: 142 Comm: (udev-worker) Not tainted 6.12.9 #1'],
  [4, 'Hardware name: Acme Gadget (DT)'],
  [4, 'pstate: 60400005 (nZCv daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)'],
  [4, 'pc : gadget_bridge_attach+0x3c/0xb8 [gadget_bridge]'],
  [4, 'lr : gadget_bridge_attach+0x30/0xb8 [gadget_bridge]'],
  [4, 'sp : ffff800082f1b6a0'],
  [4, 'x29: ffff800082f1b6a0 x28: ffff0000052d1800 x27: 0000000000000000'],
  [4, 'Call trace:'],
  [4, ' gadget_bridge_attach+0x3c/0xb8 [gadget_bridge] (P)'],
  [4, ' gadget_bridge_probe+0x1c4/0x388 [gadget_bridge]'],
  [4, ' platform_probe+0x68/0xd8'],
  [4, ' really_probe+0xbc/0x2c0'],
  [4, ' do_one_initcall+0x58/0x300'],
  [0, 'Code: f9400c21 b4000181 aa0003f3 f9401422 (f9401443)'],
  [4, '---[ end trace 0000000000000000 ]---'],
].map(([level, text], n) => ({ us: 3_412_345 + n * 1003, level: Number(level), text: String(text) }));

const LEVELS = ['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug'];
const level = ({ level: number }: Printed): string => LEVELS[number] ?? 'debug';
const padded = ({ us }: Printed): string => `${Math.floor(us / 1e6)}.${String(us % 1e6).padStart(6, '0')}`.padStart(12);
/** dmesg's own form, and that of the console. */
const stamped = (printed: Printed): string => `[${padded(printed)}] ${printed.text}`;
const micros = ({ us }: Printed): string => String(us % 1e6).padStart(6, '0');
/** The clock on the wall: the boot was at 10:11:12. */
const clock = ({ us }: Printed): string => `10:11:${String(12 + Math.floor(us / 1e6)).padStart(2, '0')}`;

const after = (prefix: (printed: Printed, n: number) => string) => (printed: Printed, n: number) =>
  `${prefix(printed, n)}${stamped(printed)}\n`;
const instead = (prefix: (printed: Printed, n: number) => string) => (printed: Printed, n: number) =>
  `${prefix(printed, n)}${printed.text}\n`;

/** A line as a terminal of so many columns breaks it. */
const broken = (columns: number) => (printed: Printed) =>
  stamped(printed).replaceAll(new RegExp(`.{1,${columns}}`, 'g'), (part) => `${part}\n`);

/** How each tool writes a record. */
const FORMS: { readonly [tool: string]: (printed: Printed, n: number) => string } = {
  // util-linux, sys-utils/dmesg.c.
  dmesg: after(() => ''),
  'dmesg -t': instead(() => ''),
  'dmesg -r': after(({ level: number }) => `<${number}>`),
  'dmesg -x': after((printed) => `kern  :${level(printed).padEnd(6)}: `),
  'dmesg -T': instead((printed) => `[Mon Jan  5 ${clock(printed)} 2026] `),
  'dmesg -T -x': instead((printed) => `kern  :${level(printed).padEnd(6)}: [Mon Jan  5 ${clock(printed)} 2026] `),
  'dmesg -d': instead((printed) => `[${padded(printed)} <    0.001003>] `),
  'dmesg -T -d': instead((printed) => `[Mon Jan  5 ${clock(printed)} 2026 <    0.001003>] `),
  'dmesg -e': instead((_, n) => (n === 0 ? '[Jan 5 10:11] ' : '[  +0.001003] ')),
  'dmesg -H': instead((_, n) => (n === 0 ? '\u001b[32m[Jan 5 10:11] \u001b[0m' : '\u001b[32m[  +0.001003] \u001b[0m')),
  'dmesg --time-format iso': instead((printed) => `2026-01-05T${clock(printed)},${micros(printed)}+00:00 `),
  'dmesg --time-format delta': instead(() => '[<    0.001003>] '),
  'dmesg -x --time-format iso': instead(
    (printed) => `kern  :${level(printed).padEnd(6)}: 2026-01-05T${clock(printed)},${micros(printed)}+01:00 `,
  ),
  'dmesg with PRINTK_CALLER': instead((printed) => `[${padded(printed)}] [  T142] `),
  'dmesg -J': (printed, n) =>
    `${n === 0 ? '{\n   "dmesg": [\n      {' : '      },{'}\n         "pri": ${printed.level},\n` +
    `         "time": ${padded(printed)},\n         "msg": ${JSON.stringify(printed.text)}\n`,
  'dmesg -J -x': (printed, n) =>
    `${n === 0 ? '{\n   "dmesg": [\n      {' : '      },{'}\n         "fac": "kern",\n` +
    `         "pri": "${level(printed)}",\n         "time": ${padded(printed)},\n` +
    `         "msg": ${JSON.stringify(printed.text)}\n`,
  '/dev/kmsg': (printed, n) => `${printed.level},${n},${printed.us},-;${printed.text}\n`,
  '/dev/kmsg with callers': (printed, n) =>
    `${printed.level},${n},${printed.us},-,caller=T142;${printed.text}\n SUBSYSTEM=platform\n DEVICE=+platform:x\n`,
  'netconsole, extended': (printed, n) => `6.12.9,${printed.level},${n},${printed.us},-;${printed.text}\n`,
  // systemd, src/shared/logs-show.c.
  'journalctl -k': instead((printed) => `Jan 05 ${clock(printed)} gadget kernel: `),
  'journalctl -o short-precise': instead((printed) => `Jan 05 ${clock(printed)}.${micros(printed)} gadget kernel: `),
  'journalctl -o short-iso': instead((printed) => `2026-01-05T${clock(printed)}+0000 gadget kernel: `),
  'journalctl -o short-iso-precise': instead(
    (printed) => `2026-01-05T${clock(printed)}.${micros(printed)}+00:00 gadget kernel: `,
  ),
  'journalctl -o short-full': instead((printed) => `Mon 2026-01-05 ${clock(printed)} UTC gadget kernel: `),
  'journalctl -o with-unit': instead((printed) => `Mon 2026-01-05 ${clock(printed)} CEST gadget kernel: `),
  'journalctl -o short-monotonic': instead((printed) => `[${padded(printed)}] gadget kernel: `),
  'journalctl -o short-monotonic --no-hostname': instead((printed) => `[${padded(printed)}] kernel: `),
  'journalctl -o short-delta': instead(
    (printed, n) => `[${padded(printed)}${n === 0 ? ' '.repeat(16) : ' <    0.001003 >'}] gadget kernel: `,
  ),
  'journalctl -o short-unix': instead((printed) => `1767607872.${micros(printed)} gadget kernel: `),
  'journalctl -o verbose': (printed, n) =>
    `Mon 2026-01-05 ${clock(printed)}.${micros(printed)} UTC [s=0a1b2c;i=${n};b=3d;m=4;t=5;x=6]\n` +
    ['_TRANSPORT=kernel', `PRIORITY=${printed.level}`, 'SYSLOG_IDENTIFIER=kernel', '_HOSTNAME=gadget']
      .concat(`_SOURCE_MONOTONIC_TIMESTAMP=${printed.us}`, `MESSAGE=${printed.text}`)
      .map((field) => `    ${field}\n`)
      .join(''),
  'journalctl -o export': (printed, n) =>
    `__CURSOR=s=0a1b2c;i=${n}\n__REALTIME_TIMESTAMP=1767607872${micros(printed)}\n_TRANSPORT=kernel\n` +
    `SYSLOG_IDENTIFIER=kernel\n_SOURCE_MONOTONIC_TIMESTAMP=${printed.us}\nMESSAGE=${printed.text}\n\n`,
  'journalctl -o json': (printed, n) => `${journal(printed, n)}\n`,
  'journalctl -o json, text that is not all printed': (printed, n) =>
    `${journal(printed, n).replace(/"MESSAGE":".*",(?="_HOST)/, `"MESSAGE":[${[...Buffer.from(`\u001b[1m${printed.text}`)]}],`)}\n`,
  'journalctl -o json-pretty': (printed, n) => `${journal(printed, n, 1).replaceAll('": "', '" : "')}\n`,
  'journalctl -o json-sse': (printed, n) => `data: ${journal(printed, n)}\n\n`,
  'journalctl -o json-seq': (printed, n) => `\u001e${journal(printed, n)}\n`,
  'journalctl -o cat': instead(() => ''),
  // syslog daemons.
  rsyslog: after((printed) => `Jan  5 ${clock(printed)} gadget kernel: `),
  'rsyslog, RFC 3339': after((printed) => `2026-01-05T${clock(printed)}.${micros(printed)}+00:00 gadget kernel: `),
  'RFC 5424': after((printed) => `<${printed.level}>1 2026-01-05T${clock(printed)}Z gadget kernel - - - `),
  'busybox syslogd': after((printed) => `Jan  5 ${clock(printed)} gadget kern.${level(printed)} kernel: `),
  'OpenWrt logread': after((printed) => `Mon Jan  5 ${clock(printed)} 2026 kern.${level(printed)} kernel: `),
  'OpenWrt logread -t': after(
    (printed) => `Mon Jan  5 ${clock(printed)} 2026 [1767607872.345] kern.${level(printed)} kernel: `,
  ),
  // Talos, Android.
  'talosctl dmesg': instead(
    (printed) => `10.5.0.2: kern: ${level(printed).padStart(7)}: [2026-01-05T${clock(printed)}.${micros(printed)}Z]: `,
  ),
  'logcat -v threadtime': logcat((printed) => `01-05 ${clock(printed)}.345     0     0 E `, ': '),
  'logcat -v threadtime,year': logcat((printed) => `2026-01-05 ${clock(printed)}.345     0     0 E `, ': '),
  'logcat -v threadtime,uid': logcat((printed) => `01-05 ${clock(printed)}.345  root     0     0 E `, ': '),
  'logcat -v threadtime,usec,zone': logcat((printed) => `01-05 ${clock(printed)}.345678 +0000     0     0 E `, ': '),
  'logcat -v threadtime,epoch': logcat(() => '    1767607872.345     0     0 E ', ': '),
  'logcat -v threadtime,monotonic': logcat((printed) => `${padded(printed).slice(2, -3)}     0     0 E `, ': '),
  'logcat -v time': logcat((printed) => `01-05 ${clock(printed)}.345 E/`, '(    0): '),
  'logcat -v brief': logcat(() => 'E/', '(    0): '),
  'logcat -v tag': logcat(() => 'E/', ': '),
  'logcat -v process': tagLast(() => 'E(    0) '),
  'logcat -v thread': instead(() => 'E(    0:    0) '),
  'logcat -v long': (printed) => `[ 01-05 ${clock(printed)}.345     0:    0 E/ ]\n${printed.text}\n\n`,
  // What vendors make of the console and of last_kmsg.
  'Samsung last_kmsg': instead((printed) => `<${printed.level}>[${padded(printed)}]  [3:  (udev-worker):  142] `),
  'MediaTek last_kmsg': instead((printed) => `<${printed.level}>[${padded(printed)}] (3)[142:(udev-worker)]`),
  'MediaTek last_kmsg, interrupts off': instead(
    (printed) => `<${printed.level}>[${padded(printed)}] -(3)[142:(udev-worker)]`,
  ),
  "MediaTek last_kmsg, with the driver's name": instead(
    (printed) => `<${printed.level}>[${padded(printed)}]  (3)[142:(udev-worker)][name:bridge&]`,
  ),
  'HTC last_kmsg': instead((printed) => `<${printed.level}>[${padded(printed)}] [K] `),
  OPPO: instead((printed) => `[${padded(printed)}]  k`),
  'Huawei last_kmsg': instead(
    (printed) => `<${printed.level}>[${padded(printed).slice(4)}s][pid:142,cpu3,(udev-worker)]`,
  ),
  'LG last_kmsg': instead((printed) => `<${printed.level}>[${padded(printed)} / 01-05 10:11:12.345][3] `),
  'Motorola last_kmsg': instead((printed) => `<${printed.level}>[${padded(printed)},3] `),
  'Amlogic console': instead((printed) => `[${padded(printed)}@3] `),
  'Qualcomm c3 last_kmsg': instead((printed) => `<${printed.level}>[${padded(printed)}] c3    142 `),
  'PREEMPT_RT until 5.4': instead((printed) => `[${padded(printed)}] 003: `),
  'OPAL msglog': instead((printed) => `[${padded(printed).slice(1)},${printed.level}] `),
  // Test labs and CI.
  LAVA: after((printed) => `2026-01-05T${clock(printed)}.${micros(printed)}  `),
  'LAVA, plain, with levels': after((printed) => `2026-01-05T${clock(printed)}.${micros(printed)}  <${printed.level}>`),
  'LAVA YAML': (printed) =>
    `- {"dt": "2026-01-05T${clock(printed)}.${micros(printed)}", "lvl": "target", ` +
    `"msg": ${JSON.stringify(stamped(printed))}}\n`,
  'KernelCI, of baseline': after((printed) => `${clock(printed)}.${micros(printed)}  <${printed.level}>`),
  'GitHub Actions': after((printed) => `2026-01-05T${clock(printed)}.${micros(printed)}7Z `),
  'gh run view --log': after((printed) => `boot (arm64)\tRun QEMU\t2026-01-05T${clock(printed)}.${micros(printed)}7Z `),
  'GitLab CI': after((printed) => `2026-01-05T${clock(printed)}.${micros(printed)}Z 01O `),
  'GitLab CI, continued': after((printed) => `2026-01-05T${clock(printed)}.${micros(printed)}Z 00O+`),
  'Jenkins timestamps': after((printed) => `[2026-01-05T${clock(printed)}.345Z] `),
  'Jenkins timestamps, system clock': after((printed) => `${clock(printed)}  `),
  'Jenkins, a parallel branch': after((printed) => `[board-7] [2026-01-05T${clock(printed)}.345Z] `),
  'kubectl logs --timestamps': after((printed) => `2026-01-05T${clock(printed)}.${micros(printed)}789Z `),
  'a container runtime': after((printed) => `2026-01-05T${clock(printed)}.${micros(printed)}789Z stdout F `),
  'Loki, logfmt': (printed) => `ts=2026-01-05T10:11:12Z level=info msg=${JSON.stringify(stamped(printed))}\n`,
  'syslogd of BusyBox, no host': (printed) =>
    `Jan  5 ${clock(printed)} (none) kern.${LEVELS[printed.level]} kernel: ${stamped(printed)}\n`,
  'docker json-file': (printed) =>
    `{"log":${JSON.stringify(`${stamped(printed)}\r\n`)},"stream":"stdout","time":"2026-01-05T10:11:12.345Z"}\n`,
  'docker compose': after(() => 'guest-1  | '),
  // Terminal programs.
  'tio -t': after((printed) => `[${clock(printed)}.345] `),
  'tio --timestamp-format iso8601': after((printed) => `[2026-01-05T${clock(printed)}.345+0000] `),
  'tio --timestamp-format 24hour-delta': after(() => '[00:00:00.001] '),
  minicom: after((printed) => `[2026-01-05 ${clock(printed)}] `),
  'minicom, extended': after((printed) => `[2026-01-05 ${clock(printed)}.345] `),
  'grabserial -t': after((printed) => `[${padded(printed).trim()} 0.001003] `),
  ts: after((printed) => `Jan 05 ${clock(printed)} `),
  'ts -s': after((printed) => `00:00:${String(Math.floor(printed.us / 1e6)).padStart(2, '0')} `),
  'ts %.s': after((printed) => `1767607872.${micros(printed)} `),
  // What people do to a log before they show it.
  'grep -n': after((_, n) => `${n + 1}:`),
  'grep -n, of a file': after((_, n) => `console.log:${n + 1}:`),
  'grep, of several files': after(() => 'console.log:'),
  'grep -n -C': after((_, n) => `${n + 1}-`),
  'cat -n': after((_, n) => `${String(n + 1).padStart(6)}\t`),
  'a terminal of 80 columns': broken(80),
  'a pane of 100 columns': broken(100),
  'a numbered list': after((_, n) => `${n + 1}. `),
  'a string of Python': (printed) => `b'${stamped(printed)}\\r\\n'\n`,
  'log messages of Python': after((printed) => `2026-01-05 ${clock(printed)},345 - qemu - INFO - `),
  'pytest, live': after((printed) => `${clock(printed)} DEBUG    console:serial.py:40 `),
  TeamCity: after((printed) => `[${clock(printed)}]W:\t [Boot] `),
  Zuul: after((printed) => `2026-01-05 ${clock(printed)}.345678 | node-1 | `),
  crosvm: after((printed) => `[2026-01-05T${clock(printed)}.345678+00:00 INFO  serial] `),
  'a J-Link': after(() => '00> '),
  'a mail, of what a patch adds': after(() => '+'),
  'a mail': after(() => '> '),
  'a mail, quoted twice': after(() => '> > '),
  'a mail, with bars': after(() => '| '),
  'a mail, with a name': after(() => 'AB> '),
  'a web page': (printed) => `${stamped(printed).replaceAll(' ', '\u00a0')}\n`,
  'the source of a web page': (printed) => `${stamped(printed).replaceAll('<', '&lt;').replaceAll('>', '&gt;')}<br>\n`,
  'the source of a web page, coloured': (printed) =>
    `<span class="line"><span class="t">[${padded(printed)}]</span> ${printed.text.replaceAll('+', '&#43;')}</span><br/>\n`,
  'a list in Markdown': after(() => '    '),
  'an empty stamp': instead(() => '[ ] '),
  'no stamp between brackets': instead(() => '[] '),
};

function journal({ us, level: number, text }: Printed, n: number, indent = 0): string {
  return JSON.stringify(
    {
      __CURSOR: `s=0a1b2c;i=${n}`,
      _TRANSPORT: 'kernel',
      PRIORITY: String(number),
      _SOURCE_MONOTONIC_TIMESTAMP: String(us),
      SYSLOG_IDENTIFIER: 'kernel',
      MESSAGE: text,
      _HOSTNAME: 'gadget',
    },
    null,
    indent,
  );
}

/** The tag at the end of the line. */
function tagLast(before: (printed: Printed) => string) {
  return (printed: Printed): string => {
    const [, tag = '', rest = printed.text] = /^([^:]{1,40}): (.*)$/.exec(printed.text) ?? [];
    return `${before(printed)}${rest}  (${tag})\n`;
  };
}

/** liblog takes the text before the first colon for the tag, where there is one without a blank before it. */
function logcat(before: (printed: Printed) => string, end: string) {
  return (printed: Printed): string => {
    const [, tag = '', rest = printed.text] = /^([^:]{1,40}): (.*)$/.exec(printed.text) ?? [];
    return `${before(printed)}${tag.padEnd(8)}${end}${rest}\n`;
  };
}

function told({ verdict, crashes, deferrals, failed }: Classification) {
  return {
    verdict,
    crashes: crashes.map(({ title, function: name, module, address, comm, pid, cpu, trace }) => ({
      title,
      name,
      module,
      address,
      comm,
      pid,
      cpu,
      trace: trace.map((frame) => frame.function),
    })),
    deferrals: deferrals.map(({ device, reason, outcome }) => ({ device, reason, outcome })),
    failed: failed.map(({ device, driver, error }) => ({ device, driver, error })),
  };
}

const classify = (log: string) =>
  told(classifyBytes('log', Buffer.from(log), { knownIssues: [], today: '2026-01-05' }));

describe('a driver whose name begins with a k', () => {
  it.each(['', '<6>', 'Jan  5 10:11:12 gadget kernel: ', '2026-01-05T10:11:12.345Z '])('keeps it: %s', (prefix) => {
    for (const driver of ['kirin-pcie', 'keystone-pcie', 'ks8851']) {
      for (const said of [`probe with driver ${driver} failed with error -22`, 'no such link in this kernel: 3']) {
        const text = `${driver} f4000000.pcie: ${said}`;
        expect(parseRecords(`${prefix}[    1.000000] ${text}`)).toMatchObject([{ text, time: 1e6 }]);
      }
    }
  });
});

describe('a log as a tool shows it', () => {
  const expected = {
    verdict: 'null-deref',
    crashes: [
      {
        title: 'unable to handle kernel NULL pointer dereference in gadget_bridge_attach',
        name: 'gadget_bridge_attach',
        module: 'gadget_bridge',
        address: '0x28',
        comm: '(udev-worker)',
        pid: 142,
        cpu: 3,
        trace: ['gadget_bridge_attach', 'gadget_bridge_probe', 'platform_probe', 'really_probe', 'do_one_initcall'],
      },
    ],
    deferrals: [{ device: '5b20000.dsi', reason: 'gadget-dsi: failed to get phy', outcome: 'pending' }],
    failed: [
      { device: '5a10000.phy', driver: 'gadget-phy', error: 110 },
      { device: '5600000.pcie', driver: 'keystone-pcie', error: 22 },
    ],
  };

  it.each(Object.entries(FORMS))('is read as the kernel printed it: %s', (_tool, form) => {
    expect(classify(BOOT.map(form).join(''))).toEqual(expected);
  });

  it('names the task where a narrow terminal broke its lines, and no device by two parts of a name', () => {
    const { crashes, deferrals, failed } = classify(BOOT.map(broken(60)).join(''));
    expect(failed).toEqual(expected.failed.slice(1));
    expect(deferrals).toEqual(expected.deferrals);
    expect(crashes).toMatchObject([{ name: 'gadget_bridge_attach', comm: '(udev-worker)', pid: 142, cpu: 3 }]);
  });
});

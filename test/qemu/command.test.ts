import { expect, test } from 'vitest';
import { cpuFor, type GuestFiles, qemuArguments } from '../../harness/qemu/command.ts';

const FILES: GuestFiles = {
  firmware: 'firmware.elf',
  image: 'Image',
  deviceTree: 'variant.dtb',
  initramfs: 'initramfs',
  plan: 'plan',
  modules: null,
  gates: null,
  boardPlan: null,
  registers: [],
  firmwareLog: 'firmware.log',
};
const MACHINE = { cpus: 2, shift: 4, board: null, cpu: 'cortex-a57' } as const;

function valuesOf(option: string, words: readonly string[]): string[] {
  return words.flatMap((word, n) => (words[n - 1] === option ? [word] : []));
}

test('time is virtual, and nothing of the host is in the guest', () => {
  const words = qemuArguments(FILES, MACHINE);
  expect(valuesOf('-icount', words)).toEqual(['shift=4,sleep=off']);
  expect(valuesOf('-rtc', words)).toEqual(['base=2020-10-30,clock=vm']);
  expect(valuesOf('-seed', words)).toEqual(['1']);
  expect(valuesOf('-smp', words)).toEqual(['2']);
  expect(words).toEqual(expect.arrayContaining(['-nodefaults', '-no-user-config', '-no-reboot']));
});

test('the CPU has pages of the size of the kernel’s', () => {
  const cpu = (pages: 4 | 16 | 64) => valuesOf('-cpu', qemuArguments(FILES, { ...MACHINE, cpu: cpuFor(pages) }));
  expect([cpu(4), cpu(16), cpu(64)]).toEqual([['cortex-a57'], ['neoverse-n1'], ['cortex-a57']]);
});

test('a comma in a path does not end the option', () => {
  const words = qemuArguments({ ...FILES, image: 'a,b/Image', gates: 'c,addr=0', firmwareLog: 'd,e' }, MACHINE);
  expect(valuesOf('-device', words).find((word) => word.startsWith('loader,'))).toContain('file=a,,b/Image,addr=0x');
  expect(valuesOf('-fw_cfg', words)).toContain('name=opt/bootrace/gates,file=c,,addr=0');
  expect(valuesOf('-chardev', words)).toContain('file,id=log,path=d,,e');
});

test('files that a cell does not have are not given', () => {
  expect(valuesOf('-fw_cfg', qemuArguments(FILES, MACHINE))).toEqual(['name=opt/bootrace/plan,file=plan']);
});

test('a debugger and a person at the terminal', () => {
  const words = qemuArguments(FILES, MACHINE, { console: 'terminal', debugPort: 1234 });
  expect(valuesOf('-gdb', words)).toEqual(['tcp:127.0.0.1:1234']);
  expect(words).toContain('-S');
  expect(valuesOf('-icount', words)).toEqual(['shift=4,sleep=on']);
  expect(qemuArguments(FILES, MACHINE)).not.toContain('-S');
});

test('a guest with a snapshot logs to the socket', () => {
  const words = qemuArguments(FILES, MACHINE, { takesSnapshot: true });
  expect(valuesOf('-chardev', words)).toContain('socket,id=log,fd=3');
});

test('QEMU adds nothing to the tree of a real board', () => {
  const board = {
    image: 0x5000_0000,
    deviceTree: 0x4800_0000,
    initramfs: 0x4900_0000,
    ramMib: 2048,
    gicVersion: 3,
  } as const;
  const words = qemuArguments({ ...FILES, boardPlan: 'board' }, { ...MACHINE, board });
  expect(words).not.toContain('-dtb');
  expect(valuesOf('-machine', words)).toEqual(['virt,virtualization=on,gic-version=3']);
  expect(valuesOf('-m', words)).toEqual(['2048M']);
  expect(valuesOf('-device', words)).toContain('loader,file=variant.dtb,addr=0x48000000,force-raw=on');
});

import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { placeOfGuest, readRegisters } from '../../harness/qemu/monitor.ts';

const hex = (value: bigint) => value.toString(16).padStart(16, '0');
const registers = (pc: bigint, lr: bigint) =>
  `\r\nCPU#0\r\n PC=${hex(pc)} X00=0000000000000001 X01=ffff800080000000\r\nX29=ffff80008240bd50 X30=${hex(lr)}  SP=0\r\n(qemu) `;

const FIRMWARE = 0x4020_1234n;
const KERNEL = 0xffff_8000_8001_2340n;
const CALLER = 0xffff_8000_8099_0000n;

/** A monitor that gives these answers in turn, the last one for ever, in pieces. */
function monitor(...answers: string[]): Duplex {
  let asked = 0;
  const stream: Duplex = new Duplex({
    read: () => {},
    write: (_bytes, _encoding, done) => {
      const answer = answers[Math.min(asked++, answers.length - 1)] ?? '';
      for (const piece of answer.match(/[\s\S]{1,40}/g) ?? []) stream.push(piece);
      done();
    },
  });
  return stream;
}

test('an answer is read when it is whole', () => {
  const text = registers(KERNEL, CALLER);
  expect(readRegisters(text)).toEqual({ pc: KERNEL, lr: CALLER });
  expect(readRegisters(text.slice(0, text.indexOf('X30=') + 12))).toBeNull();
});

test('it asks until the guest is in the kernel', async () => {
  const answers = [registers(FIRMWARE, 0n), registers(FIRMWARE, 0n), registers(KERNEL, CALLER)];
  expect(await placeOfGuest(monitor(...answers))).toEqual({ pc: KERNEL, lr: CALLER });
});

test('a guest that is never there has no place', async () => {
  expect(await placeOfGuest(monitor(registers(FIRMWARE, 0n)))).toBeNull();
});

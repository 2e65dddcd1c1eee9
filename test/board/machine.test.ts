import { expect, it } from 'vitest';
import { laidBoard } from '../../harness/board/machine.ts';
import { NO_MODELS, transplant } from '../../harness/board/transplant.ts';
import { parseFdt } from '../../harness/devicetree/parse.ts';
import { serializeFdt } from '../../harness/devicetree/serialize.ts';
import { boardTree } from './trees.ts';

it('puts the files where the plan has them, behind what the firmware keeps for itself', () => {
  const blob = serializeFdt(boardTree());
  const { plan } = transplant(parseFdt(blob), blob.length, {
    name: 'a board',
    imageSize: 1 << 20,
    initramfsSize: 1 << 20,
    cpus: 1,
    breakerReads: 0,
    models: NO_MODELS,
  });
  const [ram] = plan.ram;
  const laid = laidBoard(plan);
  expect(laid.image - (ram?.physical ?? 0)).toBe(plan.entry - (ram?.address ?? 0));
  expect(laid.ramMib).toBe(1024 + (ram?.size ?? 0) / 2 ** 20);
  expect(laid.gicVersion).toBe(plan.interruptController.version);
  expect(() => laidBoard({ ...plan, entry: 0x10 })).toThrow(RangeError);
});

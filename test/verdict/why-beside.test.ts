import { describe, expect, it } from 'vitest';
import { formatWhy } from '../../harness/report/why.ts';
import { whyUnbound } from '../../harness/verdict/why.ts';
import { summaryOf } from './summary-of.ts';

const why = (...lines: string[]) => whyUnbound(summaryOf(lines));
/** A line at a time in milliseconds. */
const at = (ms: number, text: string) => `[${(ms / 1000).toFixed(6).padStart(12)}] ${text}`;
const fails = (device: string, error: number) => at(1000, `gadget: probe of ${device} failed with error -${error}`);

describe('what is said just before a probe fails, without its device', () => {
  const said = (device: string, error: number, ...texts: readonly (readonly [number, string])[]) =>
    why(...texts.map(([ms, text]) => at(ms, text)), fails(device, error)).roots[0]?.evidence;

  it('is its reason where it has the same error, with the line before that begins alike', () => {
    const words = '[lamp0/mod]lamp_setup:get info fail(-1)';
    expect(said('1000.lamp', 1, [999, words])).toBe(words);
    expect(said('1000.lamp', 1, [999, '[lamp1/mod]no lamp here, exit'], [999.5, words])).toBe(
      `[lamp1/mod]no lamp here, exit; ${words}`,
    );
    expect(said('1000.lamp', 1, [999, '[other] no lamp here, exit'], [999.5, words])).toBe(words);
    expect(said('1000.lamp', 2, [999, words])).toBeNull();
    expect(said('1000.lamp', 1, [900, words])).toBeNull();
    expect(said('1000.lamp', 1, [999, `2000.other: ${words}`])).toBeNull();
  });

  it('is its reason in a function of a probe', () => {
    expect(said('1000.lamp', 22, [999, 'bulb_probe: no glass found'])).toBe('bulb_probe: no glass found');
    expect(said('1000.lamp', 22, [999, 'bulb_start: glass is there'])).toBeNull();
  });

  it('is what an I2C bus says of its address, or of that very error', () => {
    const bus = 'i2c i2c-7: addr:0x60,ACK error';
    expect(said('7-0060', 121, [999, bus])).toBe(bus);
    expect(said('7-0061', 121, [999, bus])).toBeNull();
    expect(said('6000.lamp', 121, [999, bus])).toBeNull();
    const controller = 'gadget_i2c 2000.i2c: transfer error :-121';
    expect(said('7-0060', 121, [999, controller])).toBe(controller);
    expect(said('7-0060', 5, [999, controller])).toBeNull();
  });

  it('takes the place of what the error may mean', () => {
    const text = (error: number, words: string) =>
      formatWhy(why(at(999, `gadget 1000.lamp: ${words}`), fails('1000.lamp', error)));
    for (const [error, canned] of [
      [1, 'the firmware of the system'],
      [22, 'compare it with the binding'],
      [19, 'does not find its hardware'],
    ] as const) {
      expect(formatWhy(why(fails('1000.lamp', error)))).toContain(canned);
      expect(text(error, 'fan error, not enable')).not.toContain(canned);
    }
    expect(text(1, 'cannot enable its clock')).toContain('the firmware of the system');
    expect(text(22, 'property gadget,glass is missing')).toContain('compare it with the binding');
    expect(text(19, 'chip not detected')).toContain('does not find its hardware');
  });

  it('is one reason of several of a kind', () => {
    const both = ['20170211', '20170212'].flatMap((id) => [
      at(999, `bulb_get: Error -22 for device ${id}`),
      fails(`lamp.${id}`, 22),
    ]);
    expect(formatWhy(why(...both))).toContain('lamp.20170211, lamp.20170212: the probe of gadget failed');
  });
});

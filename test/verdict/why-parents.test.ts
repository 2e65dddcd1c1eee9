import { describe, expect, it } from 'vitest';
import { formatWhy } from '../../harness/report/why.ts';
import { whyUnbound } from '../../harness/verdict/why.ts';
import { summaryOf } from './summary-of.ts';

const why = (...lines: string[]) => whyUnbound(summaryOf(lines));
/** A line at a time in milliseconds. */
const at = (ms: number, text: string) => `[${(ms / 1000).toFixed(6).padStart(12)}] ${text}`;
const phy = (port: number) => `!soc!mdio@1000!switch@1f!mdio:0${port}`;
const waits = (port: number, supplier: string) =>
  at(900 + port, `mdio_bus ${phy(port)}: probe deferral - supplier ${supplier} not ready`);

describe('a device whose supplier is its own parent', () => {
  const parents = ['1000.mdio:1f', '/soc/mdio@1000/switch@1f', '/soc/mdio@1000/switch@1f/interrupt-controller'];
  const detected = at(800, 'gadget-switch 1000.mdio:1f: found 3 ports');

  it('waits for what was still probing, which is not called missing', () => {
    for (const parent of parents) {
      const found = why(detected, waits(1, parent), waits(2, parent));
      expect([parent, found.roots]).toMatchObject([parent, [{ cause: { cause: 'own-parent' } }]]);
      expect(formatWhy(found)).toContain('its own children wait for it');
    }
    expect(why(detected, waits(1, parents[0] ?? '')).roots).toMatchObject([
      { name: '1000.mdio:1f', cause: { driver: 'gadget-switch' }, waiting: [{ device: phy(1) }] },
    ]);
  });

  it('is no child of any other supplier', () => {
    for (const other of ['1000.mdio:1e', '2000.gpio', '/soc/mdio@1000/switch@1e', '/soc/gpio@2000'])
      expect([other, why(waits(1, other)).roots[0]?.cause.cause]).not.toEqual([other, 'own-parent']);
    const both = [waits(1, '1000.mdio:1f'), at(950, 'platform leds: probe deferral - supplier 1000.mdio:1f not ready')];
    expect(why(...both).roots[0]?.cause.cause).not.toBe('own-parent');
  });

  it('is told with what came of it', () => {
    const attached = (port: number, driver: string) =>
      at(1000 + port, `gadget-switch 1000.mdio:1f lan${port} (uninitialized): PHY [${phy(port)}] driver [${driver}]`);
    const lines = [waits(1, '1000.mdio:1f'), waits(2, '1000.mdio:1f')];
    const text = formatWhy(why(...lines, attached(1, 'Generic PHY'), attached(2, 'Generic PHY')));
    expect(text).toContain(`${phy(1)}, ${phy(2)}: the supplier is their own parent, 1000.mdio:1f, which was still`);
    expect(text).toContain('bound since by Generic PHY, and by no driver of their own (line 3)');
    const part = waits(1, '/soc/mdio@1000/switch@1f/interrupt-controller');
    expect(why(part, attached(1, 'Generic PHY')).madeBy).toMatchObject([{ parent: '/soc/mdio@1000/switch@1f' }]);
    const own = formatWhy(why(...lines, attached(1, 'Gadget PHY'), attached(2, 'Gadget PHY')));
    expect(own).toContain('bound since by Gadget PHY (line 3)');
  });
});

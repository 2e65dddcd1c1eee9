import { describe, expect, it } from 'vitest';
import { commandDatabase } from '../../harness/devices/cmd-db.ts';
import { SMEM_SIZE, smemImage } from '../../harness/devices/smem.ts';

/**
 * The drivers' own steps, written down once more from their sources (Linux 6.1), on a region that is larger than the image
 * and zero behind it. Each step throws where the driver would give up.
 */
function region(image: Uint8Array, size: number): DataView {
  const bytes = new Uint8Array(size);
  bytes.set(image);
  return new DataView(bytes.buffer);
}

function textAt(view: DataView, offset: number, size: number): string {
  return new TextDecoder('latin1').decode(new Uint8Array(view.buffer, offset, size)).replace(/\0.*$/s, '');
}

describe('shared memory', () => {
  const view = region(smemImage(), SMEM_SIZE);
  const u32 = (offset: number) => view.getUint32(offset, true);

  it('passes the checks of qcom_smem_probe()', () => {
    expect(u32(0xc0), 'header->initialized').toBe(1);
    expect(u32(0xcc), 'header->reserved').toBe(0);
    expect(u32(0x40 + 7 * 4) >>> 16, 'version of the boot loader').toBe(11);
    expect(u32(0xc4) + u32(0xc8), 'free_offset + available, the size that is mapped').toBe(SMEM_SIZE);
    expect(u32(0xc4) % 8).toBe(0);
    expect(u32(SMEM_SIZE - 0x1000), 'no partition table').toBe(0);
  });

  it('has the item of socinfo, and only that', () => {
    const allocated = Array.from({ length: 512 }, (_, item) => item).filter((item) => u32(0xd0 + item * 16) !== 0);
    expect(allocated).toEqual([137]);
    const [offset, size] = [u32(0xd0 + 137 * 16 + 4), u32(0xd0 + 137 * 16 + 8)];
    expect(offset).toBeGreaterThanOrEqual(0xd0 + 512 * 16);
    expect(offset + size, 'items end where the free space begins').toBe(u32(0xc4));
    expect({ id: u32(offset + 4), build: textAt(view, offset + 12, 32) }).toEqual({
      id: 321,
      build: 'bootrace stand-in',
    });
  });
});

describe('command database', () => {
  const size = 0x2_0000;
  const view = region(commandDatabase(), size);
  const u16 = (offset: number) => view.getUint16(offset, true);

  /** cmd_db_get_header() */
  function lookUp(id: string): { address: number; aux: number[] } | null {
    for (let slave = 0; slave < 8; slave++) {
      const header = 8 + slave * 16;
      if (u16(header) === 0) break;
      for (let entry = 0; entry < u16(header + 6); entry++) {
        const at = 8 + 8 * 16 + 8 + u16(header + 2) + entry * 24;
        if (textAt(view, at, 8) !== id) continue;
        const aux = 8 + 8 * 16 + 8 + u16(header + 4) + u16(at + 22);
        return { address: view.getUint32(at + 16, true), aux: [...new Uint8Array(view.buffer, aux, u16(at + 20))] };
      }
    }
    return null;
  }

  it('has the magic that cmd_db_dev_probe() looks for', () => {
    expect([...new Uint8Array(view.buffer, 4, 4)]).toEqual([0xdb, 0x30, 0x03, 0x0c]);
  });

  it.each([
    ['xo.lvl', 3],
    ['lnbclka2', 4],
    ['lnbclka3', 4],
    ['rfclka1', 4],
    ['rfclka2', 4],
    ['rfclka3', 4],
    ['IP0', 5],
    ['CE0', 5],
  ])('finds %s at slave %d', (id, slave) => {
    expect((lookUp(id)?.address ?? 0) >>> 16).toBe(slave);
  });

  it('gives no two resources one address', () => {
    const addresses = ['xo.lvl', 'lnbclka2', 'lnbclka3', 'rfclka1', 'rfclka2', 'rfclka3', 'IP0', 'CE0'].map(
      (id) => lookUp(id)?.address,
    );
    expect(new Set(addresses).size).toBe(addresses.length);
  });

  it('has auxiliary data where clk_rpmh_probe() takes eight bytes for a bus clock, and only there', () => {
    expect(lookUp('IP0')?.aux).toEqual([1, 0, 0, 0, 4, 0, 0, 0]);
    expect(lookUp('CE0')?.aux).toEqual([1, 0, 0, 0, 4, 0, 0, 0]);
    expect(lookUp('xo.lvl')?.aux).toEqual([]);
    expect(lookUp('nothing')).toBeNull();
  });
});

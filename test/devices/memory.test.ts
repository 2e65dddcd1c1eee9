import { describe, expect, it } from 'vitest';
import { commandDatabase } from '../../harness/devices/cmd-db.ts';
import { partitionedSmem, SMEM_SIZE, smemImage } from '../../harness/devices/smem.ts';

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

describe('shared memory in partitions', () => {
  const size = 0x20_0000;
  const view = new DataView(new ArrayBuffer(size));
  for (const { offset, bytes } of partitionedSmem({ address: 0x8090_0000, size }, [2, 13], 487))
    new Uint8Array(view.buffer).set(bytes, offset);
  const u16 = (offset: number) => view.getUint16(offset, true);
  const u32 = (offset: number) => view.getUint32(offset, true);
  const table = size - 0x1000;
  const entries = Array.from({ length: u32(table + 8) }, (_, n) => table + 32 + n * 48);

  it('passes the checks of qcom_smem_probe() and qcom_smem_get_ptable()', () => {
    expect(u32(0xc0), 'header->initialized').toBe(1);
    expect(u32(0xcc), 'header->reserved').toBe(0);
    expect(u32(0x40 + 7 * 4) >>> 16, 'version of the boot loader').toBe(12);
    expect(textAt(view, table, 4)).toBe('$TOC');
    expect(u32(table + 4), 'ptable->version').toBe(1);
  });

  it('names items from 512 on: qcom_smem_get_item_count()', () => {
    const info = table + 32 + entries.length * 48;
    expect(textAt(view, info, 4)).toBe('SIII');
    expect(u16(info + 16)).toBeGreaterThan(617);
  });

  it('has partitions that pass qcom_smem_partition_header(), one for all and one a processor, and none overlap', () => {
    const hosts = entries.map((entry) => [u16(entry + 12), u16(entry + 14)]);
    expect(hosts).toEqual([
      [0xfffe, 0xfffe],
      [0, 2],
      [0, 13],
    ]);
    let end = 0xd0;
    for (const entry of entries) {
      const [at, bytes] = [u32(entry), u32(entry + 4)];
      expect(at, 'behind the one before').toBeGreaterThanOrEqual(end);
      expect(textAt(view, at, 4)).toBe('$PRT');
      expect([u16(at + 4), u16(at + 6)]).toEqual([u16(entry + 12), u16(entry + 14)]);
      expect(u32(at + 8)).toBe(bytes);
      expect(u32(at + 12), 'offset_free_uncached').toBeLessThan(u32(at + 16));
      expect(u32(at + 16), 'offset_free_cached').toBeLessThanOrEqual(bytes);
      end = at + bytes;
    }
    expect(end).toBeLessThanOrEqual(table);
  });

  it('has the item of socinfo where qcom_smem_get_private() looks for it', () => {
    const global = u32(entries[0] ?? 0);
    const item = global + 32;
    expect([u16(item), u16(item + 2), u16(item + 8), u16(item + 10)], 'canary, item, padding').toEqual([
      0xa5a5, 137, 0, 0,
    ]);
    expect(item + 16 + u32(item + 4), 'the last one').toBe(global + u32(global + 12));
    expect(u32(item + 16 + 4), 'the number of the SoC').toBe(487);
  });

  it('leaves out what a small region has no room for', () => {
    const parts = partitionedSmem({ address: 0, size: 0x6_0000 }, [1, 2, 3, 5], 0);
    expect(parts.map(({ offset }) => offset)).toEqual([0, 0x1000, 0x2_1000, 0x5_f000]);
    for (const size of [0, 0x1000, 0x1fff]) expect(partitionedSmem({ address: 0, size }, [1], 0)).toEqual([]);
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

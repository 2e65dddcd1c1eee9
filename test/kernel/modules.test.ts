import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { dir } from 'tmp-promise';
import { describe, expect, it } from 'vitest';
import type { ReadAt } from '../../harness/kernel/elf.ts';
import { indexModules, moduleName, modulesWithText, readModinfo } from '../../harness/kernel/modules.ts';

/** A minimal ELF64 file with a section of names and another one. */
function elf(modinfo: string, section = '.modinfo'): Buffer {
  const names = Buffer.from(`\0${section}\0`, 'latin1');
  const info = Buffer.from(modinfo, 'latin1');
  const header = Buffer.alloc(64);
  header.write('\x7fELF\x02\x01', 0, 'latin1');
  const table = Buffer.alloc(64 * 2);
  const put = (index: number, name: number, offset: number, size: number) => {
    table.writeUInt32LE(name, index * 64);
    table.writeBigUInt64LE(BigInt(offset), index * 64 + 0x18);
    table.writeBigUInt64LE(BigInt(size), index * 64 + 0x20);
  };
  put(0, 0, 64, names.length);
  put(1, 1, 64 + names.length, info.length);
  header.writeBigUInt64LE(BigInt(64 + names.length + info.length), 0x28);
  header.writeUInt16LE(2, 0x3c);
  return Buffer.concat([header, names, info, table]);
}

const reader =
  (file: Buffer): ReadAt =>
  async (offset, length) =>
    file.subarray(offset, offset + length);

describe('modules', () => {
  it('are named as the kernel names them', () => {
    expect(moduleName('/lib/modules/6.1/kernel/drivers/firmware/qcom-scm.ko.xz')).toBe('qcom_scm');
  });

  it('say in .modinfo what they need', async () => {
    expect(await readModinfo(reader(elf('license=GPL\0depends=qcom-scm,iova\0')))).toEqual([
      ['license', 'GPL'],
      ['depends', 'qcom-scm,iova'],
    ]);
    expect(await readModinfo(reader(Buffer.from('not a module')))).toBeNull();
  });

  it('are found by a compatible that is in no alias, and not by part of one', async () => {
    const { path, cleanup } = await dir({ unsafeCleanup: true });
    const file = async (name: string, bytes: Buffer) => {
      await writeFile(join(path, name), bytes);
      return [name, { path: join(path, name) }] as const;
    };
    const files = new Map([
      await file('vc4', elf('\0brcm,hvs\0\0', '.rodata')),
      await file('longer', elf('\0brcm,hvs2\0x-brcm,hvs\0', '.rodata')),
      await file('elsewhere', elf('\0brcm,hvs\0', '.modinfo')),
      await file('broken', Buffer.from('no module')),
    ]);
    expect(await modulesWithText([...files.keys(), 'missing'], files, ['other', 'brcm,hvs'])).toEqual(['vc4']);
    await cleanup();
  });

  it('are read from any bytes without an exception', async () => {
    const whole = elf('depends=a\0');
    await fc.assert(
      fc.asyncProperty(
        fc.nat(whole.length - 1),
        fc.integer({ min: 0, max: 255 }),
        fc.nat(whole.length),
        async (at, byte, length) => {
          const broken = Buffer.from(whole.subarray(0, length));
          if (at < broken.length) broken[at] = byte;
          await readModinfo(reader(broken));
        },
      ),
    );
  });

  it('list all they need in the order of modules.dep, also where the graph has cycles', () => {
    const chain = indexModules([
      { path: '/m/a.ko', depends: ['b', 'c'] },
      { path: '/m/b.ko', depends: ['c'] },
      { path: '/m/c.ko', depends: ['built_in'] },
    ]);
    expect(chain.get('a')?.depends).toEqual(['b', 'c']);
    const names = ['a', 'b', 'c', 'd', 'e'];
    const graph = fc.tuple(...names.map(() => fc.subarray(names)));
    fc.assert(
      fc.property(graph, (edges) => {
        const files = names.map((name, index) => ({ path: `/${name}.ko`, depends: edges[index] ?? [] }));
        for (const { name, depends } of indexModules(files).values()) {
          expect(new Set(depends).size).toBe(depends.length);
          expect(depends).not.toContain(name);
        }
      }),
    );
  });

  it('come after everything they need when loaded from the last to the first', () => {
    // An edge only goes to a later name: no cycles.
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const graph = fc.tuple(...names.map((_, index) => fc.subarray(names.slice(index + 1))));
    fc.assert(
      fc.property(graph, (edges) => {
        const direct = new Map(names.map((name, index) => [name, edges[index] ?? []]));
        const files = names.map((name) => ({ path: `/${name}.ko`, depends: direct.get(name) ?? [] }));
        for (const { name, depends } of indexModules(files).values()) {
          const loaded = new Set<string>();
          for (const module of [...depends].reverse()) {
            for (const needed of direct.get(module) ?? []) expect(loaded).toContain(needed);
            loaded.add(module);
          }
          for (const needed of direct.get(name) ?? []) expect(loaded).toContain(needed);
        }
      }),
    );
  });
});

import { describe, expect, test } from 'vitest';
import type { Crash } from '../../harness/dmesg/events.ts';
import { formatEntry } from '../../harness/report/zoo.ts';
import { parseEntry, showsSymptom } from '../../harness/zoo/entry.ts';
import { readEntries, ZOO } from '../../harness/zoo/folder.ts';
import { type EntryResult, judgeEntry } from '../../harness/zoo/result.ts';

const TEXT = `
commit: '0123456789ab'
subject: 'phy: qcom: a bug'
family: usb-phy
fixed-in: ['6.19', '6.18.7']
kernel: { buggy: mine-unfixed, fixed: mine }
board: ./boards/mine
append: [fw_devlink=rpm]
devices: [5e172000.phy, 5e200000.sram]
expect: { verdict: null-deref, function: phy_suspend }
about: A PHY is suspended before it has data.
`;
const parse = (text: string) => parseEntry(text, '/zoo/mine.yaml', 'mine');

describe('an entry', () => {
  test('is read, its board relative to its folder', () => {
    expect(parse(TEXT)).toMatchObject({
      name: 'mine',
      commit: '0123456789ab',
      fixedIn: ['6.19', '6.18.7'],
      buggy: 'mine-unfixed',
      fixed: 'mine',
      board: '/zoo/boards/mine',
      linkage: 'builtin',
      devices: ['5e172000.phy', '5e200000.sram'],
      symptom: { verdicts: ['null-deref'], function: 'phy_suspend', device: null },
      outOfReach: null,
    });
  });

  const WRONG: readonly (readonly [string, string, string, string])[] = [
    ['an unknown key', 'append:', 'apend:', '/zoo/mine.yaml:8:1: unknown key apend, did you mean append?'],
    ['a hash that is short', '0123456789ab', '0123', 'expected at least 12 hexadecimal digits'],
    ['a family that is none', 'usb-phy', 'usbphy', 'family: expected one of scm'],
    ['a pass that is expected', 'null-deref', 'bound', 'expected a verdict that is not a pass'],
    ['no devices', '[5e172000.phy, 5e200000.sram]', '[]', 'devices: expected'],
  ];
  for (const [what, from, to, message] of WRONG)
    test(`with ${what} is refused with its line`, () => {
      expect(() => parse(TEXT.replace(from, to))).toThrow(message);
    });
});

test('every entry that comes with bootrace can be read', async () => {
  const entries = await readEntries(ZOO, []);
  expect(entries.length).toBeGreaterThan(5);
  await expect(readEntries(ZOO, ['scm-guard'])).rejects.toThrow('there is no entry scm-guard');
});

describe('a symptom', () => {
  const crash = { event: 'crash', signature: 'null-deref: A', function: 'phy_suspend' } as Crash;
  const symptom = { verdicts: ['null-deref'], function: 'phy_suspend', device: null } as const;
  const seen = { verdict: 'null-deref', device: '5e172000.phy', signature: 'null-deref: A' } as const;

  test('is shown by its crash, and by no other', () => {
    expect(showsSymptom(symptom, [seen], [crash])).toBe(true);
    expect(showsSymptom(symptom, [seen], [{ ...crash, function: 'other' }])).toBe(false);
    expect(showsSymptom(symptom, [{ ...seen, verdict: 'warning' }], [crash])).toBe(false);
    expect(showsSymptom(symptom, [], [crash])).toBe(false);
  });

  test('of a device is shown by that device', () => {
    const stuck = { verdicts: ['stuck-deferred'], function: null, device: '5e200000.sram' } as const;
    const device = { verdict: 'stuck-deferred', device: '5e200000.sram', signature: null } as const;
    expect(showsSymptom(stuck, [device], [])).toBe(true);
    expect(showsSymptom(stuck, [{ ...device, device: '5e172000.phy' }], [])).toBe(false);
  });
});

test('an entry is as expected where it is found with the bug alone, or out of reach and not found', () => {
  const entry = parse(TEXT);
  const search = (boot: number | null) => ({
    found: boot === null ? null : { boot, part: 'orders' },
    boots: boot ?? 64,
    outcomes: [],
  });
  const result = (found: number | null, clean: number | null, outOfReach: string | null = null): EntryResult => ({
    entry: { ...entry, outOfReach },
    problem: null,
    found: search(found),
    clean: search(clean),
    atRandom: null,
    sentence: null,
  });
  expect(judgeEntry(result(3, null))).toBe('as-expected');
  expect(judgeEntry(result(null, null))).toBe('unexpected');
  expect(judgeEntry(result(3, 4))).toBe('unexpected');
  expect(judgeEntry(result(null, null, 'no such hardware'))).toBe('as-expected');
  expect(judgeEntry(result(3, null, 'no such hardware'))).toBe('unexpected');
  expect(judgeEntry({ ...result(null, null), problem: 'no kernel', found: null })).toBe('missing');
});

test('a board whose every boot crashes is not called clean', () => {
  const outcome = (signature: string) => ({ verdict: 'null-deref', signature }) as const;
  const search = { found: null, boots: 12, outcomes: [1, 2, 3, 4].map((n) => outcome(`null-deref: F${n}`)) };
  const result = { entry: parse(TEXT), problem: null, found: search, clean: search, atRandom: null, sentence: null };
  const besides = 'which show something else: null-deref: F1; null-deref: F2; null-deref: F3; and 1 more';
  expect(formatEntry(result)).toContain(`mine-unfixed: not found in 12 boots, ${besides}\n`);
  expect(formatEntry(result)).toContain(`mine: clean in 12 boots, ${besides}\n`);
});

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { report } from '../../harness/commands/report.ts';
import { InputError } from '../../harness/errors.ts';
import { formatAnnotations } from '../../harness/report/annotations.ts';
import { formatJunit } from '../../harness/report/junit.ts';
import { formatKcidb, OWN_SUBMISSION } from '../../harness/report/kcidb.ts';
import { formatKtap } from '../../harness/report/ktap.ts';
import { formatMarkdown } from '../../harness/report/markdown.ts';
import { parseReporter, REPORTERS, writeReports } from '../../harness/report/reporters.ts';
import { cellFiles, loadRun } from '../../harness/report/run-folder.ts';
import { escapeXml } from '../../harness/report/xml.ts';
import { type RunRecord, runRecordSchema } from '../../harness/run/record.ts';
import { aCell, aCrash, aRun, threadRun } from './builders.ts';

const EVIL =
  '\u001b[2J]]><x a="\'"> ::error:: %0A\n::set-output name=x::y\r\n# SKIP | ` ```` \u0000\ufffe\ud800 *b* @someone reboot: System halted';

/** Everything a guest, a matrix file or a downloaded record could say. */
function hostileRun(): RunRecord {
  return aRun(
    [
      aCell({ id: 'good' }),
      aCell({
        id: `bad${EVIL}`,
        row: `T1${EVIL}`,
        claim: EVIL,
        axes: { kernel: `k${EVIL}`, node: EVIL },
        kernel: { recipe: `k${EVIL}`, linkage: 'builtin', release: EVIL, source: EVIL, key: null, imageHash: null },
        verdict: 'null-deref',
        asExpected: false,
        expected: { verdicts: ['bound'], function: EVIL, reason: EVIL },
        crash: aCrash({ title: EVIL, signature: EVIL, text: [EVIL], trace: [EVIL], device: EVIL }),
        replay: EVIL,
      }),
      aCell({ id: `lost${EVIL}`, verdict: 'infra-error', asExpected: false, reason: EVIL }),
    ],
    { flakes: [{ id: `good${EVIL}`, what: 'console', repetition: 2 }] },
  );
}

describe('JUnit', () => {
  it('counts failures, errors and tests in each suite', () => {
    const run = hostileRun();
    const xml = formatJunit(run, 'results/x');
    expect(xml).toMatch(/<testsuites name="[^"]+" tests="4" failures="2" errors="1"/);
    expect(xml.match(/<testsuite /g)).toHaveLength(3);
    expect(xml.match(/<failure type="null-deref"/g)).toHaveLength(1);
    expect(xml.match(/<error type="infra-error"/g)).toHaveLength(1);
    expect(xml.match(/<failure type="flake"/g)).toHaveLength(1);
  });

  it('has balanced tags and no character that XML forbids, whatever the log says', () => {
    const xml = formatJunit(hostileRun(), 'results/x');
    const open: string[] = [];
    for (const [, close, name = '', attributes = ''] of xml.matchAll(/<(\/?)([a-z-]+)((?:\s+[a-z]+="[^"<]*")*)\/?>/g)) {
      if (close === '/') expect(open.pop()).toBe(name);
      else if (!xml.includes(`<${name}${attributes}/>`)) open.push(name);
    }
    expect(open).toEqual([]);
    expect(xml.slice(xml.indexOf('?>')).replace(/<\/?[a-z-]+(\s+[a-z]+="[^"<]*")*\/?>/g, '')).not.toMatch(/[<]/);
  });

  it('keeps the name of a test whether or not its cell has a row, and names the matrix file', () => {
    const names = (xml: string) => [...xml.matchAll(/<testcase name="([^"]*)" classname="[^"]*" file="matrix.yaml"/g)];
    const named = names(formatJunit(aRun([aCell({ row: 'T8' })]), 'x')).map(([, name]) => name);
    expect(named).toEqual([aCell().id]);
    expect(names(formatJunit(aRun([aCell()]), 'x')).map(([, name]) => name)).toEqual(named);
  });

  it('escapes any text into XML characters only', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const escaped = escapeXml(text);
        return !/[<>"]/.test(escaped) && !/&(?!amp;|lt;|gt;|quot;|#9;|#10;|#13;)/.test(escaped);
      }),
    );
    expect(escapeXml('a\u0000\u0008\ud800\uffff\u{1f600}')).toBe('a\ufffd\ufffd\ufffd\ufffd\u{1f600}');
  });
});

describe('KTAP', () => {
  it('numbers tests from 1 in each suite, plans them, and gives each suite the result of its tests', () => {
    const lines = formatKtap(threadRun()).trimEnd().split('\n');
    expect(lines.slice(0, 6)).toEqual([
      'KTAP version 1',
      '1..16',
      '  KTAP version 1',
      '  # Subtest: kernel 6.1.builtin',
      '  1..8',
      '  ok 1 6.1.builtin.node-first.async-none.d0 # bound',
    ]);
    expect(lines[13]).toBe('ok 1 kernel 6.1.builtin');
    expect(lines.filter((line) => line.startsWith('not ok'))).toEqual([]);
  });

  it('lets no log line end the report, skip a test or begin one', () => {
    const lines = formatKtap(hostileRun()).trimEnd().split('\n');
    // kunit_parser.py, Linux 6.1: KTAP_END, TEST_RESULT_SKIP
    expect(
      lines.filter((line) => /List of all partitions:|not syncing: VFS:|reboot: System halted/.test(line)),
    ).toEqual([]);
    const results = lines.filter((line) => /^ *(not )?ok /.test(line));
    expect(results.filter((line) => line.includes('# SKIP'))).toEqual([]);
    expect(results).toHaveLength(7);
    expect(results.filter((line) => line.includes(' # ERROR '))).toHaveLength(1);
    expect(lines.every((line) => /^ *(KTAP version 1|1\.\.\d+|#.*|(not )?ok \d+ .*)$/.test(line))).toBe(true);
  });
});

describe('KCIDB', () => {
  // The schema that kcidb-io publishes for version 5.3.
  const schema: unknown = JSON.parse(readFileSync(new URL('fixtures/kcidb-v5.3.schema.json', import.meta.url), 'utf8'));
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  const validate = ajv.compile(z.record(z.string(), z.unknown()).parse(schema));

  it.each([
    ['the whole matrix', threadRun()],
    ['hostile texts', hostileRun()],
    ['an empty run', aRun([])],
  ])('is valid for %s', (_, run) => {
    validate(JSON.parse(formatKcidb(run)));
    expect(validate.errors ?? []).toEqual([]);
  });

  it('names the origin in every id, and where the files of a test are', () => {
    const to = { origin: 'my_ci', filesUrl: 'https://ci.example/runs' };
    const text = formatKcidb(threadRun(), to);
    validate(JSON.parse(text));
    expect(validate.errors ?? []).toEqual([]);
    expect(text).not.toContain('"bootrace:');
    expect(text).toContain('"log_url": "https://ci.example/runs/2026-11-22T14-40-00/cells/');
    expect(text).toContain('"architecture": "arm64"');
  });

  it('has every checkout that a build names, and every build that a test names', () => {
    const ids = z.array(z.looseObject({ id: z.string() }));
    const { checkouts, builds, tests } = z
      .looseObject({
        checkouts: ids,
        builds: z.array(z.looseObject({ id: z.string(), checkout_id: z.string() })),
        tests: z.array(z.looseObject({ build_id: z.string() })),
      })
      .parse(JSON.parse(formatKcidb(threadRun())));
    const known = (list: readonly { id: string }[]) => new Set(list.map(({ id }) => id));
    expect(builds.filter((build) => !known(checkouts).has(build.checkout_id))).toEqual([]);
    expect(tests.filter((test) => !known(builds).has(test.build_id))).toEqual([]);
  });

  it('knows a checkout by its commit or its package, and tells the commit', () => {
    const checkoutsOf = (sources: readonly (string | null)[]) => {
      const { kernel } = aCell();
      const cells = sources.map((source, n) => aCell({ id: `c${n}`, kernel: { ...kernel, source } }));
      const report: unknown = JSON.parse(formatKcidb(aRun(cells)));
      validate(report);
      expect(validate.errors ?? []).toEqual([]);
      return z.looseObject({ checkouts: z.array(z.looseObject({ id: z.string() })) }).parse(report).checkouts;
    };
    const [a, b] = ['a'.repeat(40), 'b'.repeat(40)];
    const found = checkoutsOf([`git ${a}`, `git ${b}`, `git ${a}`, 'debian 6.1.170-1', 'debian 6.1.176-1', null]);
    expect(found.map(({ git_commit_hash: commit }) => commit)).toEqual([a, b, undefined, undefined, undefined]);
    expect(new Set(found.map(({ id }) => id)).size).toBe(5);
    expect(checkoutsOf([`git ${'c'.repeat(64)}`])[0]).not.toHaveProperty('git_commit_hash');
  });

  it('calls a crash a failure of the kernel even where it was expected, and ties it to its issue', () => {
    const parsed = z
      .looseObject({
        tests: z.array(
          z.looseObject({ id: z.string(), status: z.string(), misc: z.looseObject({ verdict: z.string() }) }),
        ),
        issues: z.array(z.looseObject({ id: z.string() })),
        incidents: z.array(z.looseObject({ issue_id: z.string(), test_id: z.string() })),
      })
      .parse(JSON.parse(formatKcidb(threadRun())));
    const statuses = new Set(parsed.tests.map((test) => `${test.misc.verdict} ${test.status}`));
    expect([...statuses].sort()).toEqual(
      ['bound PASS', 'deferred-then-bound PASS', 'null-deref FAIL', 'unbuildable SKIP'].sort(),
    );
    expect(parsed.issues).toHaveLength(1);
    expect(parsed.incidents).toHaveLength(6);
    const ids = new Set(parsed.tests.map((test) => test.id));
    expect(ids.size).toBe(parsed.tests.length);
    expect(parsed.incidents.every((incident) => ids.has(incident.test_id))).toBe(true);
  });
});

describe('GitHub', () => {
  it('writes one workflow command a line and nothing that a log could smuggle in', () => {
    const lines = formatAnnotations(hostileRun()).trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    expect(lines.every((line) => /^::(error|warning|notice) title=[^:,\r]+::[^\r]*$/.test(line))).toBe(true);
    expect(lines.at(-1)).toContain('::notice title=bootrace%3A 1 unexpected');
  });

  it('annotates each problem once', () => {
    const cells = Array.from({ length: 40 }, (_, n) =>
      aCell({ id: `c${n}`, verdict: 'null-deref', asExpected: false }),
    );
    const text = formatAnnotations(aRun(cells));
    expect(text.match(/^::error/gm)).toHaveLength(1);
    expect(text).toContain('and 39 cells with the same problem');
  });

  it('shows no markup of a log in the step summary', () => {
    const text = formatMarkdown(hostileRun(), 'results/x');
    const outside = text.replace(/^(`{3,})text\n.*?\n\1$/gms, '');
    expect(outside).not.toMatch(/<x|\*b\*|`|@someone/);
    expect(text).toContain('`````text');
    const table = text.split('\n').filter((line) => line.startsWith('| ❌ | T1'));
    expect(table).toHaveLength(1);
    expect(table[0]?.match(/\|/g)).toHaveLength(7);
  });

  it('says that a boot was made once more', () => {
    const clockRaces = [{ id: aCell().id, repetition: null, microseconds: 6 }];
    expect(formatMarkdown(aRun([aCell()], { clockRaces }), 'results/x')).toMatch(/, 1 boot made once more: .* 6 µs$/m);
    expect(formatMarkdown(aRun([aCell()]), 'results/x')).not.toContain('once more');
  });
});

describe('an incomplete run', () => {
  const run = aRun([aCell()], { missing: { shards: [1, 3, 4], of: 4 } });
  const context = {
    folder: 'results/x',
    read: () => null,
    width: 100,
    colour: false,
    submission: OWN_SUBMISSION,
    news: null,
  };
  it.each(Object.keys(REPORTERS).filter((name) => !['json', 'kcidb'].includes(name)))('%s says so', async (name) => {
    const text = (await REPORTERS[name]?.format(run, context)) ?? '';
    expect(text).toContain('shards 1, 3 and 4 of 4 are missing');
    expect(text).not.toContain('bootrace: all as expected');
  });
});

describe('run.json', () => {
  it('has the schema that is published', async () => {
    const schema = z.toJSONSchema(runRecordSchema, { io: 'output' });
    // Written anew by `npx vitest run test/report -u`.
    await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot('../../docs/run.schema.json');
    const ajv = new Ajv2020({ strict: false });
    expect(ajv.validate(schema, JSON.parse(JSON.stringify(threadRun())))).toBe(true);
    expect(ajv.validate(schema, { ...threadRun(), workers: 'two' })).toBe(false);
  });
});

describe('--reporter', () => {
  it('takes a name or a name and a file', () => {
    expect(parseReporter('junit')).toMatchObject({ name: 'junit', file: null });
    expect(parseReporter('junit=a=b.xml')).toMatchObject({ name: 'junit', file: 'a=b.xml' });
    expect(() => parseReporter('juint')).toThrow('there is no reporter juint, did you mean junit?');
    expect(() => parseReporter('toString')).toThrow(InputError);
    expect(() => parseReporter('junit=')).toThrow('names no file');
  });
});

describe('a run on disk', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bootrace-report-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const output = () => {
    const texts: string[] = [];
    return { texts, columns: 100, colour: false, write: (text: string) => void texts.push(text) };
  };

  it('gets all its reports, several at once, each in its place', async () => {
    writeFileSync(join(folder, 'run.json'), JSON.stringify(threadRun()));
    const out = output();
    const requests = [...Object.keys(REPORTERS), `junit=${join(folder, 'deep/er/j.xml')}`, 'ktap=-'].map(parseReporter);
    const written = await writeReports(requests, await loadRun(folder), out);
    expect(written.length + out.texts.length).toBe(requests.length);
    for (const file of written) expect(readFileSync(file, 'utf8').length).toBeGreaterThan(100);
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
    expect(out.texts.at(-1)).toContain('KTAP version 1');
    expect(readFileSync(join(folder, 'deep/er/j.xml'), 'utf8')).toContain('<testsuites');
  });

  it('is found by its folder or its record, and gives its exit code', async () => {
    writeFileSync(join(folder, 'run.json'), JSON.stringify(hostileRun()));
    expect((await loadRun(join(folder, 'run.json'))).folder).toBe(folder);
    expect(await report(folder, { origin: 'bootrace', reporter: [`junit=${join(folder, 'x.xml')}`] })).toBe(1);
  });

  it.each([
    ['nothing', null, /^there is no run in/],
    ['half a record', '{"schema": 1, "run', /is not JSON$/],
    ['another version', '{"schema": 99}', /is a record of version 99/],
    ['something else', '{"schema": 1}', /is not the record of a run/],
  ])('is refused when it is %s', async (_, text, message) => {
    if (text !== null) writeFileSync(join(folder, 'run.json'), text);
    await expect(loadRun(folder)).rejects.toThrow(message);
    await expect(loadRun(folder)).rejects.toBeInstanceOf(InputError);
  });

  it('shows no file outside its folder', () => {
    mkdirSync(join(folder, 'run/cells/a'), { recursive: true });
    mkdirSync(join(folder, 'secret'));
    writeFileSync(join(folder, 'run/cells/a/console.log'), 'hello');
    writeFileSync(join(folder, 'secret/console.log'), 'secret');
    symlinkSync(join(folder, 'secret'), join(folder, 'run/cells/link'));
    const read = cellFiles(join(folder, 'run'));
    expect(Buffer.from(read({ folder: 'cells/a' }, 'console.log') ?? []).toString()).toBe('hello');
    for (const path of ['../secret', join(folder, 'secret'), 'cells/link', 'cells/none', 'cells/a/console.log', null]) {
      expect(read({ folder: path }, 'console.log')).toBeNull();
    }
  });
});

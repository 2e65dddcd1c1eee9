import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { serializeFdt } from '../../harness/devicetree/serialize.ts';
import { type News, newsSince } from '../../harness/report/compare.ts';
import { formatHtml } from '../../harness/report/html.ts';
import type { ReadCellFile } from '../../harness/report/run-folder.ts';
import type { CellRecord, RunRecord } from '../../harness/run/record.ts';
import { boardTree, node } from '../board/trees.ts';
import { aCell, aCrash, aRun, T8_FUNCTION, threadRun, withCells } from '../report/builders.ts';

/** What a guest might print to take over the page. */
const ATTACK = '</script><img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>';
const CRASHED = '6.1-unfixed.builtin.node-last.async-both.d6000';
const RECOVERED = '6.1.builtin.node-last.async-both.d6000';
const CRASH_LINE = 5;
/** A cell must open, and a filter answer, within this many milliseconds, with 10,000 cells on a busy machine. */
const PATIENCE_MS = 3000;

/** For the page: what a hole in it would let a log do. */
const INJECTION = `
  const script = document.createElement('script');
  script.textContent = 'document.title = "owned"';
  document.body.append(script);
  document.body.insertAdjacentHTML('beforeend', '<p onclick="document.title = 1" id="trap">x</p>');
  document.getElementById('trap').click();
`;

function console(cell: CellRecord): string {
  const lines = [
    '[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x411fd070]',
    `[    0.400000] ${ATTACK}`,
    "[    0.410000] bus: 'platform': really_probe: probing driver qcom_scm with device firmware:scm",
    "[    0.420000] bus: 'platform': really_probe: probing driver arm-smmu with device 5f000000.iommu",
  ];
  if (cell.crash !== null) return [...lines, ...cell.crash.text, 'no time stamp', ''].join('\r\n');
  return [...lines, '[    6.410000] qcom_scm: convention: smc arm 64', 'bootrace: done', ''].join('\r\n');
}

function events(cell: CellRecord): string {
  const smmu = { device: '5f000000.iommu', driver: 'arm-smmu' };
  const list: object[] = [
    { event: 'probe-entered', device: 'firmware:scm', driver: 'qcom_scm', line: 3, time: 410_000 },
    { event: 'probe-entered', ...smmu, line: 4, time: 420_000 },
  ];
  if (cell.crash !== null) list.push({ event: 'crash', title: cell.crash.title, line: CRASH_LINE, time: 430_000 });
  if (cell.verdict === 'deferred-then-bound') {
    list.push(
      { event: 'deferred', ...smmu, by: 'driver', reason: null, line: 4, time: 421_000 },
      { event: 'bound', device: 'firmware:scm', driver: 'qcom_scm', line: 5, time: 6_410_000 },
      { event: 'retried', ...smmu, line: 5, time: 6_411_000 },
      { event: 'probe-entered', ...smmu, line: 5, time: 6_412_000 },
      { event: 'bound', ...smmu, line: 6, time: 6_420_000 },
    );
  }
  return list.map((event) => `${JSON.stringify(event)}\n`).join('');
}

function reader(run: RunRecord): ReadCellFile {
  const cells = new Map(run.cells.map((cell) => [cell.folder, cell]));
  return (asked, name) => {
    const cell = cells.get(asked.folder);
    if (cell === undefined || cell.folder === null) return null;
    const text = name === 'console.log' ? console(cell) : name === 'events.jsonl' ? events(cell) : null;
    return text === null ? null : new TextEncoder().encode(text);
  };
}

/** The matrix with one surprise, and texts that attack the page wherever a text can stand. */
function hostileThread(): RunRecord {
  const run = withCells(threadRun(), (cell) =>
    cell.id === '6.12.builtin.node-first.async-both.d6000'
      ? {
          verdict: 'null-deref',
          asExpected: false,
          crash: aCrash({ title: ATTACK, comm: ATTACK }),
          reason: ATTACK,
          claim: ATTACK,
          row: 'T99',
        }
      : null,
  );
  return { ...run, qemu: ATTACK, matrix: { ...run.matrix, file: ATTACK } };
}

describe('the report in a browser', () => {
  let browser: Browser;
  let page: Page;
  let folder = '';
  /** Everything that must not be: errors, refused scripts, requests for anything but the file. */
  const complaints: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bootrace-page-'));
    // Without a sandbox, as the tests may run as root in a container; the page is the test's own.
    browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox'],
    });
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });
  afterEach(async () => {
    await page.close();
    expect(complaints.splice(0)).toEqual([]);
  });

  async function open(
    run: RunRecord,
    hash = '',
    colorScheme: 'light' | 'dark' = 'light',
    news: News | null = null,
  ): Promise<void> {
    const file = join(folder, 'report.html');
    writeFileSync(file, await formatHtml(run, reader(run), news));
    page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => complaints.push(message.text()));
    page.on('request', (request) => request.url().startsWith(`file://${file}`) || complaints.push(request.url()));
    await page.goto(`file://${file}${hash}`);
    await page.waitForSelector('.grid');
  }

  /** Pictures for docs/, when a folder for them is given. */
  async function picture(name: string): Promise<void> {
    const target = process.env.SCREENSHOTS;
    if (target === undefined) return;
    mkdirSync(dirname(join(target, name)), { recursive: true });
    await page.screenshot({ path: join(target, name) });
  }

  it('shows all cells with a letter each, and the unexpected one framed', async () => {
    const run = hostileThread();
    await open(run);
    expect(await page.locator('.grid .cell').count()).toBe(run.cells.length);
    expect(await page.locator('.grid .cell.unexpected').allTextContents()).toEqual(['N']);
    expect(await page.locator('.grid thead th').allTextContents()).toEqual([
      'linkage, node, async, delay, load',
      '6.1',
      '6.1-unfixed',
      '6.12',
      '6.12-unfixed',
      '5.10-unfixed',
    ]);
    await picture('grid.png');
  });

  it('opens a crash: title, trace, console marked at its line, timeline, replay command', async () => {
    await open(threadRun());
    await page.click(`.grid [aria-label^="${CRASHED}:"]`);
    await page.waitForSelector('.console .line');
    expect(page.url()).toContain(`cell=${CRASHED}`);
    expect(await page.textContent('section.crash h3')).toContain(T8_FUNCTION);
    expect(await page.locator('section.crash li').count()).toBe(5);
    const first = page.locator('.console .crash.first');
    expect(await first.getAttribute('data-line')).toBe(String(CRASH_LINE));
    expect(await first.textContent()).toContain('[    6.412345] Unable to handle kernel NULL pointer dereference');
    expect(await page.textContent('.command')).toContain(`cell ${CRASHED}`);
    expect(await page.locator('svg > a.crash').count()).toBe(1);
    expect(await page.locator('svg .attempt.crash').count()).toBe(1);
    await picture('crash.png');
  });

  it('draws deferral, retry and binding in virtual time', async () => {
    await open(threadRun(), `#cell=${RECOVERED}`, 'dark');
    await page.waitForSelector('svg .attempt');
    for (const mark of ['.attempt.deferred', '.mark.deferred', '.mark.retried', '.attempt.bound', '.mark.bound']) {
      expect(await page.locator(`svg ${mark}`).count(), mark).toBeGreaterThan(0);
    }
    expect(await page.textContent('svg .gap')).toContain('5.99 s');
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).not.toBe('rgb(255, 255, 255)');
    await picture('timeline-dark.png');
  });

  it('shows hostile text as text, wherever it stands', async () => {
    await open(hostileThread(), '#cell=6.12.builtin.node-first.async-both.d6000');
    await page.waitForSelector('.console .line');
    expect(await page.textContent('.console [data-line="2"] .text')).toBe(`[    0.400000] ${ATTACK}\n`);
    for (const place of ['header.summary', '.claims', 'section.crash', 'svg']) {
      expect(await page.textContent(place), place).toContain(ATTACK);
    }
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.title()).not.toBe('owned');
  });

  it('does not run a script that got into the page all the same', async () => {
    await open(threadRun());
    await page.evaluate(INJECTION);
    expect(await page.title()).toBe('bootrace: all as expected');
    expect(complaints.splice(0).every((complaint) => complaint.includes('Content Security Policy'))).toBe(true);
  });

  it('links to a line, and finds it again from its address', async () => {
    await open(threadRun(), `#cell=${CRASHED}`);
    await page.click('.console a[data-number="3"]');
    expect(page.url()).toContain('line=3');
    const address = new URL(page.url()).hash;
    await page.close();
    await open(threadRun(), address);
    await page.waitForSelector('.console .line.selected');
    expect(await page.locator('.console .line.selected').getAttribute('data-line')).toBe('3');
  });

  it('filters by verdict, axis and text, all in the address', async () => {
    const run = threadRun();
    await open(run);
    await page.click('.chip.v-null-deref');
    const crashes = run.cells.filter((cell) => cell.verdict === 'null-deref');
    expect(await page.locator('.grid .cell').count()).toBe(crashes.length);
    await page.keyboard.press('/');
    await page.keyboard.type('6.12-unfixed');
    await page.waitForURL(/text=6\.12-unfixed$/);
    const both = crashes.filter((cell) => cell.id.includes('6.12-unfixed')).length;
    expect(await page.locator('.grid .cell').count()).toBe(both);
    const address = new URL(page.url()).hash;
    await page.close();
    await open(run, address);
    expect(await page.locator('.grid .cell').count()).toBe(both);
    await page.close();
    await open(run, '#axis.kernel=6.1,6.12&rows=linkage&columns=kernel,node');
    expect(await page.locator('.grid .cell').count()).toBe(
      run.cells.filter((cell) => ['6.1', '6.12'].includes(cell.kernel.recipe)).length,
    );
    expect(await page.locator('.grid thead th').first().textContent()).toBe('linkage');
  });

  it('is used with the keyboard alone', async () => {
    await open(hostileThread());
    await page.locator('.grid [tabindex="0"]').focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForSelector('aside .command');
    expect(await page.textContent('aside h2')).toContain('6.1-unfixed.builtin.node-first.async-none.d6000');
    await page.keyboard.press('Escape');
    expect(await page.locator('aside').count()).toBe(0);
    await page.keyboard.press('n');
    await page.waitForSelector('aside .command');
    expect(await page.textContent('aside h2')).toContain('6.12.builtin.node-first.async-both.d6000');
    await page.goBack();
    await page.waitForSelector('aside', { state: 'detached' });
  });

  it('stays usable with 10,000 cells', async () => {
    const cells = Array.from({ length: 10_000 }, (_, index) => {
      const axes = {
        kernel: index % 2 === 0 ? '6.1' : '6.12',
        delay: String(Math.floor(index / 2) % 10),
        shift: String(Math.floor(index / 20)),
      };
      return aCell({
        id: `cell-${index}`,
        axes,
        verdict: index === 7777 ? 'hang' : 'bound',
        asExpected: index !== 7777,
      });
    });
    await open(aRun(cells));
    const timed = async (act: () => Promise<unknown>) => {
      const from = performance.now();
      await act();
      return performance.now() - from;
    };
    expect(await page.locator('.grid .counts').count()).toBe(20);
    // A box of 500 opens into its cells.
    expect(await timed(() => page.click('.grid .counts').then(() => page.waitForSelector('.grid .cell')))).toBeLessThan(
      PATIENCE_MS,
    );
    expect(await page.locator('.grid .cell').count()).toBe(500);
    await page.click('text=show all');
    expect(await timed(() => page.click('.chip.v-hang').then(() => page.waitForSelector('.grid .cell')))).toBeLessThan(
      PATIENCE_MS,
    );
    expect(
      await timed(() => page.click('.grid .cell').then(() => page.waitForSelector('.console .line'))),
    ).toBeLessThan(PATIENCE_MS);
    expect(await page.textContent('aside h2')).toContain('cell-7777');
  }, 60_000);

  it.each([
    [1440, 900, 'light'],
    [1440, 900, 'dark'],
    [400, 800, 'light'],
    [400, 800, 'dark'],
  ] as const)(
    'has no serious finding of axe-core at %i x %i, %s, closed and with a cell open',
    async (width, height, scheme) => {
      for (const hash of ['', '#cell=6.12.builtin.node-first.async-both.d6000']) {
        await open(hostileThread(), hash, scheme);
        await page.setViewportSize({ width, height });
        if (hash !== '') await page.waitForSelector('aside .command');
        expect(await seriousFindings()).toEqual([]);
        expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
        if (hash === '') await page.close();
      }
    },
  );

  /** What axe-core holds to be serious: rule and where. The page's policy keeps scripts out, so it runs in a world of its own. */
  async function seriousFindings(): Promise<string[]> {
    const session = await page.context().newCDPSession(page);
    const { frameTree } = await session.send('Page.getFrameTree');
    const { executionContextId } = await session.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id });
    const run = `${axe.source}; axe.run().then(({ violations }) => JSON.stringify(violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.slice(0, 3).map(({ target }) => id + ' ' + target.join(' ')))))`;
    const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
      expression: run,
      contextId: executionContextId,
      awaitPromise: true,
    });
    if (exceptionDetails !== undefined) throw new Error(exceptionDetails.exception?.description);
    return z.array(z.string()).parse(JSON.parse(String(result.value)));
  }

  it('puts what is not as expected first, with what was got and what was expected', async () => {
    await open(hostileThread());
    const problem = page.locator('.problems article');
    expect(await problem.count()).toBe(1);
    const text = (await problem.textContent()) ?? '';
    for (const part of ['null-deref', 'expected deferred-then-bound', 'T99', '6.12', ATTACK])
      expect(text).toContain(part);
    const top = (await problem.boundingBox())?.y ?? Number.POSITIVE_INFINITY;
    expect(top).toBeLessThan(200);
    await problem.getByRole('button').click();
    await page.waitForSelector('aside .command');
    expect(await page.evaluate('document.activeElement?.tagName')).toBe('H2');
    await page.keyboard.press('Escape');
    expect(await page.evaluate('document.activeElement?.closest(".problems") !== null')).toBe(true);
  });

  it('begins with what is new since an earlier run, with its script and without', async () => {
    const run = hostileThread();
    const [first] = run.cells;
    const old = { verdict: 'hang', asExpected: false, reason: 'fails every night' } as const;
    const broken = (from: RunRecord) => withCells(from, (cell) => (cell.id === first?.id ? old : null));
    const [before, after] = [broken(threadRun()), broken(run)];
    const news = newsSince(before, after);
    await open(after, '', 'light', news);
    const problems = page.locator('.problems article');
    expect(await problems.count()).toBe(2);
    expect(await problems.first().textContent()).toMatch(/null-deref.*new.*expected deferred-then-bound/);
    expect(await problems.last().textContent()).not.toContain('new');
    expect(await page.textContent('header.summary')).toContain(`1 new since ${before.run}`);
    await page.close();
    const file = join(folder, 'static-news.html');
    writeFileSync(file, await formatHtml(after, reader(after), news));
    page = await browser.newPage({ javaScriptEnabled: false });
    await page.goto(`file://${file}`);
    const items = await page.locator('#app li').allTextContents();
    expect(items.slice(0, 2)).toEqual([expect.stringMatching(/^new: .*null-deref/), expect.stringMatching(/: hang, /)]);
    expect(await page.textContent('#app p + p')).toBe(`1 new since ${before.run}`);
  });

  it('says its answer and every verdict without its script', async () => {
    const run = hostileThread();
    const file = join(folder, 'static.html');
    writeFileSync(file, await formatHtml(run, reader(run)));
    page = await browser.newPage({ javaScriptEnabled: false });
    await page.goto(`file://${file}`);
    expect(await page.textContent('h1')).toBe('bootrace: 1 unexpected');
    expect(await page.locator('#app li').count()).toBe(run.cells.length);
    expect(await page.locator('#app li').first().textContent()).toContain(ATTACK);
    expect(await page.locator('img').count()).toBe(0);
  });

  it('shows a board by supplier, without scripts and on a narrow screen', async () => {
    const run = aRun([aCell({ folder: 'cells/board' })]);
    const name = `4000.uart${ATTACK}${'x'.repeat(80)}`;
    const tree = boardTree({
      more: [
        node('clock@1000', { compatible: 'acme,clock', phandle: [9], '#clock-cells': [0] }),
        node('uart@4000', { compatible: 'acme,uart', clocks: [9] }),
      ],
    });
    const device = { bus: 'platform', driver: ATTACK, end: 'bound', matched: true, reason: ATTACK, answeredBy: 'none' };
    const census = [
      { ...device, name: '1000.clock', node: '/clock@1000' },
      { ...device, name, node: '/uart@4000' },
    ];
    const files = new Map<string, Uint8Array>([
      ['census.json', new TextEncoder().encode(JSON.stringify({ complete: true, devices: census }))],
      ['variant.dtb', serializeFdt(tree)],
    ]);
    const file = join(folder, 'board.html');
    writeFileSync(file, await formatHtml(run, (_cell, wanted) => files.get(wanted) ?? null, null));
    page = await browser.newPage({ viewport: { width: 400, height: 800 }, javaScriptEnabled: false });
    await page.goto(`file://${file}`);
    expect(await page.locator('.board > ul.tree > li > details > ul.tree b').allTextContents()).toEqual([name]);
    expect(await page.locator('.board img, .board script').count()).toBe(0);
    for (const part of await page.locator('.board, .board li').all()) {
      const box = await part.boundingBox();
      if (box !== null) expect(box.x + box.width).toBeLessThanOrEqual(400);
    }
  });

  it('shows every verdict on paper', async () => {
    const run = threadRun();
    await open(run);
    await page.emulateMedia({ media: 'print' });
    // A4 landscape less its margins, at 96 dots an inch.
    const [width, height] = [1046, 718];
    await page.setViewportSize({ width, height });
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    const cells = page.locator('.grid .cell');
    expect(await cells.count()).toBe(run.cells.length);
    for (const box of await Promise.all((await cells.all()).map((cell) => cell.boundingBox()))) {
      expect(box?.width).toBeGreaterThan(0);
      expect((box?.x ?? width) + (box?.width ?? 0)).toBeLessThanOrEqual(width);
    }
    // What the letters mean, and nothing that only a screen can do.
    const letters = new Set(await cells.allInnerTexts());
    for (const letter of letters)
      expect(await page.locator('.filters .chip b', { hasText: new RegExp(`^${letter}$`) }).isVisible()).toBe(true);
    for (const control of ['.filters select', '.filters input[type="search"]', '.keys .screen'])
      expect(await page.locator(control).first().isVisible(), control).toBe(false);
  });

  it('opens cells without files', async () => {
    const run = aRun([aCell({ folder: null, verdict: 'unbuildable' })]);
    await open(run, `#cell=${run.cells[0]?.id}`);
    await page.waitForSelector('aside .command');
    expect(await page.textContent('aside')).toContain('There is no console');
  });
});

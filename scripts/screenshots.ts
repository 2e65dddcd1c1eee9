#!/usr/bin/env -S npx tsx
/** Pictures of a run's HTML report for docs/: `npx tsx scripts/screenshots.ts [RUN]`, after `bootrace report RUN --reporter html`. Needs Chromium. */
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const DOCS = fileURLToPath(new URL('../docs/', import.meta.url));
/** Row T8 of the default matrix. */
const CELL = '6.1-unfixed.builtin.node=last.async=both.delay=6000';
const [run = 'results/latest'] = process.argv.slice(2);
const report = pathToFileURL(join(await realpath(run), 'report.html')).href;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(report);
  await page.waitForSelector('.grid');
  // The claims fill the window; the grid is below them.
  await page.getByText('Claims', { exact: true }).click();
  await page.screenshot({ path: join(DOCS, 'report-grid.png') });
  // The crash that it is all about.
  await page.click(`.grid [aria-label^="${CELL}:"]`);
  await page.waitForSelector('svg .attempt');
  await page.screenshot({ path: join(DOCS, 'report-cell.png') });
} finally {
  await browser.close();
}

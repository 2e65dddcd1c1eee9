import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { diffTrees, formatDifference } from '../devicetree/diff.ts';
import { parseFdt } from '../devicetree/parse.ts';
import type { DeviceTree } from '../devicetree/tree.ts';
import { KnownError } from '../errors.ts';
import { boardTreeFile, DEFAULT_BOARD } from '../model/board.ts';
import { VERDICTS } from '../model/verdict.ts';
import type { CellRecord, RunRecord } from '../run/record.ts';
import { formatBoardPicture, readCensus } from './board-picture.ts';
import type { News } from './compare.ts';
import { formatTimeStamp, type PageAxis, type PageDetail, type PageHead } from './page-data.ts';
import type { CellFile, ReadCellFile } from './run-folder.ts';
import { describeExpectation, describeOutcome, standingOf, summariseOutcome, summariseVerdicts } from './standing.ts';
import { makeTimeline, readEvents } from './timeline.ts';
import { escapeXml } from './xml.ts';

/**
 * Cells in one packed block: a block is decoded when one of its cells is opened, and neighbours compress each other.
 */
const BLOCK_CELLS = 32;
/** Console lines that the page shows of a cell. */
const MOST_LINES = 20_000;
/** Bytes of all different console lines together; consoles that come after are cut. */
const DICTIONARY_BYTES = 64 * 1024 * 1024;
/** Where a run keeps the boards' own device trees (run/prepare.ts). */
const SHARED = { folder: 'shared' };

const PAGE = new URL('page/', import.meta.url);

/**
 * The run as one HTML file that needs no network and no other file.
 *
 * Logs are untrusted: they reach the page only as JSON, in data blocks that hold no `<`, and the page shows them
 * through text nodes. The policy allows the one script and the one style sheet by hash, and no connection of any kind.
 */
export async function formatHtml(run: RunRecord, read: ReadCellFile, news: News | null = null): Promise<string> {
  const [script, style] = await Promise.all([bundle(), readFile(new URL('style.css', PAGE), 'utf8')]);
  const dictionary = new Dictionary();
  const trees = new TreeDifferences(run, read);
  const blocks: string[] = [];
  for (let first = 0; first < run.cells.length; first += BLOCK_CELLS) {
    const cells = run.cells.slice(first, first + BLOCK_CELLS);
    blocks.push(pack(cells.map((cell) => detailOf(cell, read, dictionary, trees))));
  }
  const policy = [
    "default-src 'none'",
    `script-src '${integrity(script)}'`,
    `style-src '${integrity(style)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const packed = (id: string, text: string) => `<script type="application/gzip" id="${id}">${text}</script>`;
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    `<title>${escapeXml(`bootrace: ${summariseOutcome(run)}`)}</title>`,
    `<style>${style}</style>`,
    '</head>',
    '<body>',
    `<div id="app">${staticPage(run, news)}</div>`,
    ...boardPictures(run, read),
    `<script type="application/json" id="head">${embedJson(headOf(run, news))}</script>`,
    packed('lines', pack(dictionary.lines)),
    ...blocks.map((block, index) => packed(`block-${index}`, block)),
    `<script>${script}</script>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

/** Boards that the page shows: a run of `board` has one. */
const MOST_BOARDS = 4;

/** Beside what the script shows, and without it. */
function boardPictures(run: RunRecord, read: ReadCellFile): string[] {
  const pictures: string[] = [];
  for (const cell of run.cells) {
    if (pictures.length === MOST_BOARDS) break;
    const census = readCensus(textOf(read(cell, 'census.json')));
    const tree = census === null ? null : parseTree(read(cell, 'variant.dtb'), 'variant.dtb');
    if (census === null || tree === null) continue;
    pictures.push(
      formatBoardPicture(pictures.length, cell.id, census, tree, readEvents(textOf(read(cell, 'events.jsonl')))),
    );
  }
  return pictures;
}

function textOf(bytes: Uint8Array | null): string {
  return bytes === null ? '' : new TextDecoder().decode(bytes);
}

/** Cells that the page lists where its script does not run. */
const MOST_STATIC = 2000;

/** The answer and every verdict, for a mail client or a policy that runs no scripts; the script takes its place. */
function staticPage(run: RunRecord, news: News | null): string {
  const isNew = (cell: CellRecord) => news?.ids.has(cell.id) ?? false;
  const bad = run.cells.filter((cell) => standingOf(cell) !== 'expected');
  const ordered = [
    ...bad.filter(isNew),
    ...bad.filter((cell) => !isNew(cell)),
    ...run.cells.filter((cell) => standingOf(cell) === 'expected'),
  ];
  const items = ordered.slice(0, MOST_STATIC).map((cell) => {
    const row = cell.row === null ? '' : `${cell.row} `;
    const wanted = standingOf(cell) === 'expected' ? '' : `, expected ${describeExpectation(cell.expected)}`;
    const mark = isNew(cell) ? 'new: ' : '';
    return `<li>${escapeXml(`${mark}${row}${cell.id}: ${cell.verdict}${wanted}: ${describeOutcome(cell)}`)}</li>`;
  });
  const left = ordered.length - items.length;
  return [
    `<main><h1>${escapeXml(`bootrace: ${summariseOutcome(run)}`)}</h1>`,
    `<p>${escapeXml(summariseVerdicts(run.cells))}</p>`,
    ...(news === null ? [] : [`<p>${escapeXml(describeNews(news))}</p>`]),
    `<ul>${items.join('')}</ul>`,
    ...(left === 0 ? [] : [`<p>${left} more cells are in run.json.</p>`]),
    '</main>',
  ].join('');
}

function describeNews({ since, ids }: News): string {
  return `${ids.size === 0 ? 'no failure or flake is' : ids.size} new since ${since}`;
}

/** JSON that can stand in a script element: without `<` there is neither an end tag nor a comment in it. */
function embedJson(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}

function pack(value: unknown): string {
  return gzipSync(JSON.stringify(value)).toString('base64');
}

function integrity(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

/** The page's script, from its sources. */
async function bundle(): Promise<string> {
  const result = await build({
    entryPoints: [fileURLToPath(new URL('main.tsx', PAGE))],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'inline',
    logLevel: 'silent',
  });
  // Nothing in a script element may end it.
  return (result.outputFiles[0]?.text ?? '').replaceAll('</script', '<\\/script');
}

function headOf(run: RunRecord, news: News | null): PageHead {
  const { cells, ...rest } = run;
  const names = [...new Set(cells.flatMap((cell) => Object.keys(cell.axes)))];
  const axes: PageAxis[] = names.map((name) => ({
    name,
    values: [...new Set(cells.flatMap((cell) => cell.axes[name] ?? []))],
  }));
  const indexes = axes.map((axis) => new Map(axis.values.map((value, index) => [value, index])));
  const flaky = new Set(run.flakes.map((flake) => flake.id));
  return {
    run: rest,
    outcome: summariseOutcome(run),
    news: news === null ? null : describeNews(news),
    summary: summariseVerdicts(cells),
    verdicts: VERDICTS,
    axes,
    blockCells: BLOCK_CELLS,
    cells: cells.map((cell) => ({
      id: cell.id,
      row: cell.row,
      claim: cell.claim,
      verdict: cell.verdict,
      outcome: standingOf(cell),
      expected: standingOf(cell) === 'expected' ? null : describeExpectation(cell.expected),
      flaky: flaky.has(cell.id),
      isNew: news?.ids.has(cell.id) ?? false,
      axes: axes.map((axis, index) => indexes[index]?.get(cell.axes[axis.name] ?? '') ?? -1),
      what: describeOutcome(cell),
    })),
  };
}

function detailOf(cell: CellRecord, read: ReadCellFile, dictionary: Dictionary, trees: TreeDifferences): PageDetail {
  const text = (name: CellFile) => {
    const bytes = read(cell, name);
    return bytes === null ? null : new TextDecoder().decode(bytes);
  };
  const events = readEvents(text('events.jsonl') ?? '');
  const crash = events.find((event) => event.event === 'crash');
  const log = text('console.log');
  const console = log === null ? null : dictionary.encode(log);
  return {
    cell,
    expectation: describeExpectation(cell.expected),
    frames: crash?.trace ?? (cell.crash?.trace ?? []).map((name) => ({ function: name, module: null, source: null })),
    source: crash?.source ?? null,
    timeline: makeTimeline(cell, events),
    tree: trees.of(cell),
    console: console?.encoded ?? null,
    cut: console?.cut ?? false,
  };
}

/** `[    6.412345] text`, print_time() of kernel/printk/printk.c. */
const STAMPED = /^\[ {0,5}(\d{1,9})\.(\d{6})\] /;

/**
 * All different lines of all consoles, without their time stamps: boots of one kernel have nearly all of them in
 * common.
 */
class Dictionary {
  readonly lines: string[] = [];
  readonly #indexes = new Map<string, number>();
  #bytes = 0;

  /** Two numbers for each line: its index here, and its time in microseconds or -1. */
  encode(log: string): { encoded: number[]; cut: boolean } {
    const all = log.split('\n');
    if (all.at(-1) === '') all.pop();
    const encoded: number[] = [];
    for (const line of all.slice(0, MOST_LINES)) {
      const whole = line.endsWith('\r') ? line.slice(0, -1) : line;
      const [prefix = '', seconds, micros] = STAMPED.exec(whole) ?? [];
      const time = seconds === undefined ? -1 : Number(seconds) * 1_000_000 + Number(micros);
      // A stamp that would not come back the same stays part of the text.
      const stamped = time >= 0 && formatTimeStamp(time) === prefix;
      const index = this.#indexOf(stamped ? whole.slice(prefix.length) : whole);
      if (index === null) return { encoded, cut: true };
      encoded.push(index, stamped ? time : -1);
    }
    return { encoded, cut: all.length > MOST_LINES };
  }

  #indexOf(line: string): number | null {
    const known = this.#indexes.get(line);
    if (known !== undefined) return known;
    if (this.#bytes + line.length > DICTIONARY_BYTES) return null;
    this.#bytes += line.length;
    this.#indexes.set(line, this.lines.length);
    return this.lines.push(line) - 1;
  }
}

/**
 * Differences of cells' device trees to their board's, each different tree compared once. The board is the one that a
 * tree differs least from: a record does not name it.
 */
class TreeDifferences {
  readonly #read: ReadCellFile;
  readonly #boards: readonly DeviceTree[];
  readonly #known = new Map<string, readonly string[] | null>();

  constructor(run: RunRecord, read: ReadCellFile) {
    this.#read = read;
    const names = new Set(run.cells.map((cell) => cell.axes.board ?? DEFAULT_BOARD));
    this.#boards = [...names].flatMap((name) => parseTree(read(SHARED, boardTreeFile(name)), name) ?? []);
  }

  of(cell: CellRecord): readonly string[] | null {
    const hash = cell.inputs.tree;
    if (hash === undefined) return null;
    const known = this.#known.get(hash);
    if (known !== undefined) return known;
    const variant = parseTree(this.#read(cell, 'variant.dtb'), 'variant.dtb');
    const candidates = variant === null ? [] : this.#boards.map((board) => diffTrees(board, variant));
    const [least] = candidates.sort((a, b) => a.length - b.length);
    const lines = least?.map(formatDifference) ?? null;
    this.#known.set(hash, lines);
    return lines;
  }
}

/** Null for no blob and for one that cannot be read: a report must come out for a run with broken files, too. */
function parseTree(blob: Uint8Array | null, name: string): DeviceTree | null {
  if (blob === null) return null;
  try {
    return parseFdt(blob, name);
  } catch (error) {
    if (error instanceof KnownError) return null;
    throw error;
  }
}

/**
 * `npm run bench [-- PART...] [--json FILE]`: where the time goes, as ratios from one run, medians over repetitions.
 */
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { floodOfOopses, measureLogParser, ordinaryLog } from '../dmesg/speed.ts';
import {
  againstBareLoop,
  boardCells,
  byWorkers,
  fromCache,
  matrixCells,
  moduleCells,
  sameAsFromReset,
  stockCells,
} from './boots.ts';
import { measureBuilds } from './build.ts';
import { exploreBoots } from './explore.ts';
import { median, REPETITIONS, seconds } from './figures.ts';
import { bootInstructions } from './instructions.ts';
import { bootMany } from './many.ts';
import { manyDevices } from './why.ts';

const LOG_MB = 100;
const FLOOD_MB = 200;
/** Enough cells for each worker to be busy with. */
const CELLS_BY_WORKERS = 24;
const MANY = 1000;

/** A log of 100 MB through the parser, and a flood of oopses of 200 MB. */
async function parserThroughput() {
  const runs = Array.from({ length: REPETITIONS }, () => measureLogParser(LOG_MB, ordinaryLog));
  const residentMb = Math.max(...runs.map((run) => run.residentMegabytes));
  console.log(
    `parser: ${LOG_MB} MB of log in ${median(runs.map((run) => run.seconds)).toFixed(2)} s of CPU time (under 3 s), resident ${residentMb.toFixed(0)} MB (under 200 MB)`,
  );
  const flood = measureLogParser(FLOOD_MB, floodOfOopses);
  console.log(
    `parser: ${FLOOD_MB} MB of oopses in ${flood.seconds.toFixed(1)} s of CPU time (under 30 s), resident ${flood.residentMegabytes.toFixed(0)} MB`,
  );
  return { logMb: LOG_MB, seconds: runs.map((run) => run.seconds), residentMb, flood };
}

/** A run of very many cells, and what it leaves. */
async function manyCells() {
  const found = await bootMany(MANY);
  const { residentMb, left } = found;
  console.log(
    `many: ${found.cells} cells, ${found.fromSnapshot} of them from a snapshot, in ${seconds(found.wallMs)} s; the harness had at most ${residentMb.most.toFixed(0)} MiB (under 300); ` +
      `left: ${left.descriptors} descriptors, ${left.guests} guests, ${left.files.length} files`,
  );
  return found;
}

/** A hundred orders of module loads on a real board, and a sample of them from reset. */
async function boardOrders() {
  const cells = boardCells();
  await sameAsFromReset(cells, workers);
  return againstBareLoop('board', cells, { workers, useSnapshots: true, rounds: 1 });
}

const workers = availableParallelism();

const PARTS = {
  parser: parserThroughput,
  why: async () => manyDevices(),
  instructions: bootInstructions,
  reset: async () => againstBareLoop('reset', await matrixCells(), { workers, useSnapshots: false }),
  snapshots: async () => againstBareLoop('snapshots', await moduleCells(), { workers, useSnapshots: true }),
  stock: async () => againstBareLoop('stock', await stockCells(), { workers, useSnapshots: true, rounds: 1 }),
  board: boardOrders,
  cache: async () => fromCache(await matrixCells(), workers),
  many: manyCells,
  workers: async () => byWorkers((await moduleCells()).slice(0, CELLS_BY_WORKERS), workers),
  explore: exploreBoots,
  build: async () => measureBuilds(),
};
/** Kernels that are compiled from nothing several times over, and a hundred boots of a real board: only where they are asked for. */
const ON_REQUEST: readonly string[] = ['build', 'board'];
type Part = keyof typeof PARTS;
const isPart = (word: string): word is Part => word in PARTS;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: 'string' } } });
const unknown = positionals.find((word) => !isPart(word));
if (unknown !== undefined) {
  console.error(`bench: there is no part ${unknown}; its parts are ${Object.keys(PARTS).join(', ')}`);
  process.exit(2);
}
const wanted = positionals.length === 0 ? Object.keys(PARTS).filter((part) => !ON_REQUEST.includes(part)) : positionals;
const figures: Record<string, unknown> = { workers };
for (const part of wanted.filter(isPart)) figures[part] = await PARTS[part]();
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(figures, null, 1)}\n`);

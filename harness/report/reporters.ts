import { mkdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { InputError } from '../errors.ts';
import { replaceFile } from '../files.ts';
import { printableJson, printablePainted } from '../printable.ts';
import type { RunRecord } from '../run/record.ts';
import { didYouMean } from '../suggest.ts';
import { formatAnnotations } from './annotations.ts';
import type { News } from './compare.ts';
import { formatJunit } from './junit.ts';
import { formatKcidb, OWN_SUBMISSION, type Submission } from './kcidb.ts';
import { formatKtap } from './ktap.ts';
import { formatMarkdown } from './markdown.ts';
import { cellFiles, type LoadedRun, type ReadCellFile } from './run-folder.ts';
import { formatTable } from './table.ts';

/** What a reporter may look at beside the record. */
interface ReportContext {
  /** The run's folder as it is shown to the user, relative to where the command was given. */
  readonly folder: string;
  readonly read: ReadCellFile;
  /** Of the terminal, when the report goes to one. */
  readonly width: number;
  readonly colour: boolean;
  /** For reporters that submit to a database. */
  readonly submission: Submission;
  /** What is new since an earlier run; null where none was named. */
  readonly news: News | null;
}

export interface Reporter {
  readonly about: string;
  /** Text for a person; every other reporter writes a form that is safe by itself. */
  readonly isPainted?: true;
  /** File in the run's folder; null is standard output. */
  readonly file: string | null;
  readonly format: (run: RunRecord, context: ReportContext) => string | Promise<string>;
}

/** The reporters by the name that `--reporter` takes. */
export const REPORTERS: Readonly<Record<string, Reporter>> = {
  table: {
    about: 'a table for the console',
    isPainted: true,
    file: null,
    format: (run, context) => formatTable(run, context),
  },
  json: { about: 'the run record (docs/run.schema.json)', file: null, format: (run) => formatJson(run) },
  junit: { about: 'JUnit XML', file: 'junit.xml', format: (run, { folder }) => formatJunit(run, folder) },
  ktap: { about: 'KTAP version 1', file: 'results.ktap', format: (run) => formatKtap(run) },
  kcidb: {
    about: 'KCIDB JSON, schema 5.3',
    file: 'kcidb.json',
    format: (run, { submission }) => formatKcidb(run, submission),
  },
  markdown: {
    about: 'Markdown for a GitHub step summary',
    file: 'summary.md',
    format: (run, { folder }) => formatMarkdown(run, folder),
  },
  html: {
    about: 'one HTML file with consoles and timelines',
    file: 'report.html',
    format: async (run, { read, news }) => (await import('./html.ts')).formatHtml(run, read, news),
  },
  github: { about: 'GitHub annotations', file: null, format: (run) => formatAnnotations(run) },
};

/** The run record as run.json holds it, safe to show. */
function formatJson(run: RunRecord): string {
  return printableJson(run);
}

/** A report that was asked for: `--reporter NAME[=FILE]`. */
export interface ReportRequest {
  readonly name: string;
  readonly reporter: Reporter;
  /** Path; `-` is standard output; null is the reporter's own place. */
  readonly file: string | null;
}

const STDOUT = '-';

/** `--reporter NAME[=FILE]`. @throws InputError for an unknown name or an empty file */
export function parseReporter(text: string): ReportRequest {
  const [name = '', ...rest] = text.split('=');
  const reporter = Object.hasOwn(REPORTERS, name) ? REPORTERS[name] : undefined;
  const known = Object.keys(REPORTERS);
  if (reporter === undefined) {
    throw new InputError(
      `there is no reporter ${name}${didYouMean(name, known)}`,
      `the reporters are ${known.map((one) => `${one} (${REPORTERS[one]?.about})`).join(', ')}`,
    );
  }
  const file = rest.length === 0 ? null : rest.join('=');
  if (file === '') throw new InputError(`--reporter ${text} names no file`, `write ${name}=FILE, or ${name} alone`);
  return { name, reporter, file };
}

/** Where the reports go that have no file, and how wide it is. */
export interface ReportOutput {
  readonly columns: number;
  readonly colour: boolean;
  readonly write: (text: string) => void;
}

/**
 * Writes the reports that were asked for, and returns the files that were written.
 * @throws InputError when a file cannot be written
 */
export async function writeReports(
  requests: readonly ReportRequest[],
  { run, folder }: LoadedRun,
  output: ReportOutput,
  { submission = OWN_SUBMISSION, news = null }: Partial<Pick<ReportContext, 'submission' | 'news'>> = {},
): Promise<string[]> {
  const written: string[] = [];
  const context = { folder: relative(process.cwd(), folder) || '.', read: cellFiles(folder), submission, news };
  for (const { reporter, file } of requests) {
    const own = reporter.file === null ? STDOUT : join(folder, reporter.file);
    const path = file ?? own;
    const toOutput = path === STDOUT;
    const text = await reporter.format(run, {
      ...context,
      width: toOutput ? output.columns : FILE_COLUMNS,
      colour: toOutput && output.colour,
    });
    if (toOutput) output.write(reporter.isPainted === true ? printablePainted(text) : text);
    else written.push(await writeWhole(path, text));
  }
  return written;
}

/** Width of a table that is written to a file. */
const FILE_COLUMNS = 120;

async function writeWhole(path: string, text: string): Promise<string> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await replaceFile(path, text, false);
  } catch (cause) {
    throw new InputError(`the report ${path} cannot be written`, 'give another place with --reporter NAME=FILE', {
      cause,
    });
  }
  return path;
}

import type { PageDetail, PageHead } from '../page-data.ts';

/** Text of one of the page's data blocks. */
function block(id: string): string {
  const text = document.getElementById(id)?.textContent;
  if (text === undefined || text === null) throw new Error(`the page has no block ${id}`);
  return text;
}

/** The bytes are those that html.ts wrote: their shape is that of its types. */
function parse<T>(text: string): T {
  return JSON.parse(text);
}

async function unpack<T>(id: string): Promise<T> {
  const bytes = Uint8Array.from(atob(block(id)), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return parse<T>(await new Response(stream).text());
}

export const head = parse<PageHead>(block('head'));

const blocks = new Map<number, Promise<readonly PageDetail[]>>();
let dictionary: Promise<readonly string[]> | null = null;

/** Everything about the cell of this index, with the lines of its console. */
export async function loadDetail(index: number): Promise<{ detail: PageDetail; lines: readonly ConsoleLine[] }> {
  const number = Math.floor(index / head.blockCells);
  const details = blocks.get(number) ?? unpack<readonly PageDetail[]>(`block-${number}`);
  blocks.set(number, details);
  dictionary ??= unpack<readonly string[]>('lines');
  const [detail, texts] = [(await details)[index % head.blockCells], await dictionary];
  if (detail === undefined) throw new Error(`the page has no cell ${index}`);
  return { detail, lines: decodeConsole(detail, texts) };
}

export interface ConsoleLine {
  /** From 1, as in console.log. */
  readonly number: number;
  readonly time: number | null;
  readonly text: string;
}

function decodeConsole(detail: PageDetail, texts: readonly string[]): ConsoleLine[] {
  const encoded = detail.console ?? [];
  return Array.from({ length: encoded.length / 2 }, (_, line) => {
    const time = encoded[2 * line + 1] ?? -1;
    return { number: line + 1, time: time < 0 ? null : time, text: texts[encoded[2 * line] ?? -1] ?? '' };
  });
}

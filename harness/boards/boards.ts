import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { RESET_IMAGES } from '../devices/reset-images.ts';
import { InputError } from '../errors.ts';
import type { Board, Subject } from '../model/board.ts';
import { didYouMean } from '../suggest.ts';
import { oneOf, parseYaml, strictMap } from '../yaml.ts';

/** The boards that come with bootrace, a folder each. */
const BOARDS = fileURLToPath(new URL('../../boards/', import.meta.url));
const BOARD_FILE = 'board.yaml';

/** A boot of a board from its own .dtb, in milliseconds on one core: 6.5 to 10 s where it was tried. */
const DTB_BOOT_MS = 8000;

/** Names stand in values of axes such as `scm-smmu` and `scm+smmu`, which no name must contain. */
const NAME = /^[a-z][a-z0-9_]*$/;
/** Words of their own among the values of axes. */
const TAKEN = ['none', 'all', 'both', 'builtin', 'module', 'modules', 'first', 'last', 'on', 'off'];

function text(regex: RegExp, expected: string) {
  return z.string({ error: `expected ${expected}` }).regex(regex, { error: `expected ${expected}` });
}
const nodePath = text(/^(\/[A-Za-z0-9,._+@-]+)+$/, 'the path of a node such as /firmware/scm');
const option = text(/^[A-Z0-9_]+$/, 'a Kconfig option without CONFIG_ such as QCOM_SCM');

const subjectSchema = strictMap({
  name: text(NAME, 'a short lower-case name such as scm').refine((name) => !TAKEN.includes(name), {
    error: `expected another name than ${TAKEN.join(', ')}`,
  }),
  node: nodePath,
  device: text(/^[A-Za-z0-9][A-Za-z0-9:.,@_+-]*$/, 'a device name such as 5f000000.iommu'),
  driver: text(/^[A-Za-z0-9][A-Za-z0-9:.@_+-]*$/, 'a driver name such as arm-smmu'),
  module: text(/^[A-Za-z0-9_]+$/, 'a module name with underscores such as qcom_scm'),
  option,
  'selected-by': strictMap({ subject: z.string({ error: 'expected the name of a subject' }), otherwise: option })
    .nullable()
    .default(null),
});

const boardSchema = strictMap({
  tree: text(/^[^/]+\.dt[sb]$/, 'the name of a .dts in the folder of the board, or of a .dtb'),
  'boot-ms': z.int({ error: 'expected the milliseconds that a boot takes' }).min(1),
  moves: nodePath.nullable().default(null),
  subjects: z.array(subjectSchema, { error: 'expected a list of subjects' }),
  registers: z
    .array(
      strictMap({
        name: text(/^[a-z0-9-]+$/, 'a name of lower-case letters, digits and dashes'),
        model: oneOf([...RESET_IMAGES.keys()]),
        address: z.int({ error: 'expected an address' }).min(0),
      }),
      { error: 'expected a list of register files' },
    )
    .default([]),
});

const known = new Map<string, Board>();

/**
 * The board that a cell or `--board` names: a folder of boards/ (`small`), the path of such a folder (`./my/board`,
 * with a slash), the name or path of a .dtb, which is only looked up when a cell boots, or a file that is there under
 * any name (`/sys/firmware/fdt`), which is taken for a tree.
 *
 * @throws InputError for a name that is none of these, and for a board.yaml that lacks or misspells a part
 */
export function resolveBoard(name: string): Board {
  const board = known.get(name) ?? load(name);
  known.set(name, board);
  return board;
}

/** Names of the boards that come with bootrace, in the order of the alphabet. */
export function boardNames(): string[] {
  return readdirSync(BOARDS)
    .filter((name) => existsSync(join(BOARDS, name, BOARD_FILE)))
    .sort();
}

function load(name: string): Board {
  const isOurs = boardNames().includes(name);
  if (name.endsWith('.dtb') || (!isOurs && isFile(name)))
    return { kind: 'dtb', name, dtb: name, subjects: [], moves: null, bootMs: DTB_BOOT_MS };
  const isPath = name.includes('/');
  const folder = isPath ? name : join(BOARDS, name);
  const file = join(folder, BOARD_FILE);
  if (!(isPath ? existsSync(file) : isOurs)) {
    const names = boardNames();
    throw new InputError(
      isPath
        ? `there is no board in ${folder}: it has no ${BOARD_FILE}`
        : `there is no board ${name}${didYouMean(name, names)}`,
      `use ${names.join(', ')}, the path of a folder with a ${BOARD_FILE}, or the name or path of a .dtb`,
    );
  }
  return parseBoard(readFileSync(file, 'utf8'), name, folder);
}

/** Something that is there and no folder: whoever reads it says what is wrong with it. */
function isFile(path: string): boolean {
  return existsSync(path) && !statSync(path).isDirectory();
}

/** Reads a board.yaml. @throws InputError naming file, line and the part that is missing or wrong */
function parseBoard(yaml: string, name: string, folder: string): Board {
  const file = join(folder, BOARD_FILE);
  const { value, at } = parseYaml(yaml, file, boardSchema);
  const subjects = value.subjects.map(
    ({ 'selected-by': selectedBy, ...subject }): Subject => ({ ...subject, selectedBy }),
  );
  const names = subjects.map((subject) => subject.name);
  for (const [index, { name, selectedBy }] of subjects.entries()) {
    const path = ['subjects', index];
    if (names.indexOf(name) !== index) throw new InputError(`${at(path)}: there are two subjects ${name}`);
    if (selectedBy !== null && !names.includes(selectedBy.subject)) {
      const near = didYouMean(selectedBy.subject, names);
      throw new InputError(`${at([...path, 'selected-by'])}: there is no subject ${selectedBy.subject}${near}`);
    }
  }
  const { tree, 'boot-ms': bootMs, moves, registers } = value;
  const path = join(folder, tree);
  if (tree.endsWith('.dtb')) {
    if (registers.length > 0)
      throw new InputError(`${at(['registers'])}: register files are for boards with a .dts; models answer for a .dtb`);
    return { kind: 'dtb', name, dtb: existsSync(path) ? path : tree, subjects, bootMs, moves };
  }
  if (!existsSync(path)) throw new InputError(`${at(['tree'])}: there is no device tree source ${path}`);
  return { kind: 'standin', name, source: path, subjects, bootMs, moves, registers };
}

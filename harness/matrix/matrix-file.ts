import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError } from '../errors.ts';
import { readText } from '../files.ts';
import type { Cell } from '../model/cell.ts';
import type { PlanStep } from '../model/plan.ts';
import { parseYaml } from '../yaml.ts';
import { parseCellFile } from './cell-file.ts';
import { expandMatrix } from './expand.ts';
import { planSchema } from './parts.ts';
import { parseMatrix } from './schema.ts';
import { findCell } from './select.ts';

/** The matrix that comes with bootrace. */
export const DEFAULT_MATRIX = fileURLToPath(new URL('../../matrix.yaml', import.meta.url));

/** The cells of a matrix file. @throws InputError when it cannot be read or is wrong */
export async function loadMatrix(file: string): Promise<Cell[]> {
  return expandMatrix(parseMatrix(await read(file), file));
}

/**
 * The cell that a matrix file wants to be booted while its first kernel is compiled; null where it names none. @throws
 * InputError as for a cell file
 */
export async function loadPreview(file: string): Promise<Cell | null> {
  const { preview } = parseMatrix(await read(file), file);
  return preview === null ? null : loadCellFile(join(dirname(file), preview));
}

/** The cell of a cell file. @throws InputError when it cannot be read or is wrong */
export async function loadCellFile(file: string): Promise<Cell> {
  return parseCellFile(await read(file), file);
}

/**
 * The cell that a user names: a cell file (`.yaml`), the id of a cell of the matrix, or a row with one cell.
 * @param what it may be, for the message when it is not there
 * @throws InputError when there is none
 */
export async function loadCell(name: string, matrixFile: string = DEFAULT_MATRIX, what = 'cell'): Promise<Cell> {
  return /\.ya?ml$/.test(name) ? loadCellFile(name) : findCell(await loadMatrix(matrixFile), name, what);
}

/**
 * The steps of a plan file: a list, as under `plan` of a cell file. @throws InputError when it cannot be read or is
 * wrong
 */
export async function loadPlan(file: string): Promise<PlanStep[]> {
  return parseYaml(await read(file), file, planSchema).value;
}

/** Of a matrix or cell file: the default matrix has 8 KiB. */
const MOST_BYTES = 16 * 1024 * 1024;

async function read(file: string): Promise<string> {
  try {
    return await readText(file, MOST_BYTES);
  } catch (error) {
    // System errors say what and where themselves: "ENOENT: no such file or directory, open 'x.yaml'".
    if (error instanceof Error && 'syscall' in error) {
      throw new InputError(`cannot read ${file}: ${error.message}`, 'name a YAML file that you may read', {
        cause: error,
      });
    }
    throw error;
  }
}

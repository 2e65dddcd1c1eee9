import { basename, join } from 'node:path';
import { parseFdt } from '../devicetree/parse.ts';
import { stringProperty, stringsOf } from '../devicetree/values.ts';
import { InputError } from '../errors.ts';
import { readNamed } from '../files.ts';
import type { KernelArtefact } from '../kernel/artefact.ts';
import { editDistance } from '../suggest.ts';
import { type BoardBlob, LARGEST_BLOB, readBoardTree, treesIn } from './board-tree.ts';

const NAME_TREE = 'name the tree: `--tree NAME.dtb`';

/**
 * The device tree of the machine that a log names, among those of the kernel's own package, by the root's `model` or
 * `compatible`.
 * Throws {@link InputError} where there is none or more than one, with their names or the nearest ones.
 */
export async function readTreeOfMachine(machine: string | null, kernel: KernelArtefact): Promise<BoardBlob> {
  const { deviceTrees: folder, recipe } = kernel;
  if (folder === null)
    throw new InputError(
      `the kernel ${recipe} comes without device trees`,
      'give the path of one: `--tree DTB`, or a debian-stock kernel',
    );
  if (machine === null)
    throw new InputError(
      'the log does not say which machine it is of (`Machine model: ...`, `Hardware name: ... (DT)`)',
      NAME_TREE,
    );
  const files = await treesIn(folder);
  const exact = await rootsIn(folder, files, machine);
  const found = exact.filter(({ model, compatible }) => model === machine || compatible.includes(machine));
  const all = found.length > 0 ? [] : await rootsIn(folder, files, null);
  const wanted = plainModel(machine);
  const alike = all.filter(({ model }) => plainModel(model) === wanted);
  // Kernels have put the vendor's name before models that had none.
  const longer = alike.length > 0 ? alike : all.filter(({ model }) => plainModel(model).endsWith(` ${wanted}`));
  const same = found.length > 0 ? found : longer;
  const one = baseOf(same);
  if (one !== null) return readBoardTree(join(folder, one.file), kernel);
  const names = (roots: readonly RootOfTree[]) =>
    roots.map(({ file, model }) => `${basename(file)} ("${model}")`).join(', ');
  if (same.length > 1)
    throw new InputError(
      `${same.length} device trees of ${recipe} are of the log's machine "${machine}"`,
      `name one: \`--tree NAME.dtb\`, of ${names(same.slice(0, MANY))}${same.length > MANY ? ', ...' : ''}`,
    );
  const near = nearestModels(wanted, all);
  throw new InputError(
    `none of the ${files.length} device trees of ${recipe} is of the log's machine "${machine}"`,
    near.length === 0 ? `${NAME_TREE}; they lie in ${folder}` : `${NAME_TREE}; the nearest: ${names(near)}`,
  );
}

/** So many names of trees are printed. */
const MANY = 8;
const NEAR = 3;
/** Part of the words of two models that has to be the same. */
const LIKE = 0.5;

interface RootOfTree {
  readonly file: string;
  readonly model: string;
  readonly compatible: readonly string[];
}

/** The roots of those blobs that have a text in them, or of all. */
async function rootsIn(folder: string, files: readonly string[], text: string | null): Promise<RootOfTree[]> {
  const roots: RootOfTree[] = [];
  for (const file of files) {
    const blob = await readNamed(join(folder, file), 'device tree', { bytesMax: LARGEST_BLOB, isRegular: true });
    if (text !== null && !blob.includes(text)) continue;
    const { root } = parseFdt(blob, file);
    roots.push({ file, model: stringProperty(root, 'model') ?? '', compatible: stringsOf(root, 'compatible') });
  }
  return roots;
}

/** Raspberry Pi's firmware writes a model of its own: `... 3 Model B Plus Rev 1.3` for `... 3 Model B+`. */
function plainModel(model: string): string {
  return model
    .replace(/ Rev \d[\w.]*$/i, '')
    .replace(/ Plus$/, '+')
    .trim()
    .toLowerCase();
}

/** The only one, or the one that the others add an overlay to by their names: `X.dtb` of `X.dtb` and `X-camera.dtb`. */
function baseOf(roots: readonly RootOfTree[]): RootOfTree | null {
  const [shortest] = roots.toSorted((a, b) => a.file.length - b.file.length);
  if (shortest === undefined) return null;
  const stem = `${shortest.file.slice(0, -'.dtb'.length)}-`;
  return roots.every((root) => root === shortest || root.file.startsWith(stem)) ? shortest : null;
}

/** Those that have the most words in common with `wanted`. */
function nearestModels(wanted: string, roots: readonly RootOfTree[]): RootOfTree[] {
  const wordsOf = (model: string) =>
    new Set(
      model
        .toLowerCase()
        .split(/[^a-z0-9+]+/)
        .filter((word) => word !== ''),
    );
  const own = wordsOf(wanted);
  // Of trees of one model, that without an overlay.
  const shortest = roots.toSorted((a, b) => b.file.length - a.file.length);
  const byModel = new Map(shortest.map((root) => [root.model, root]));
  return [...byModel.values()]
    .map((root) => {
      const words = wordsOf(root.model);
      const shared = [...words].filter((word) => own.has(word)).length;
      return { root, part: shared / Math.max(1, words.size, own.size) };
    })
    .filter(({ part }) => part >= LIKE)
    .sort((a, b) => b.part - a.part || distance(wanted, a.root.model) - distance(wanted, b.root.model))
    .slice(0, NEAR)
    .map(({ root }) => root);
}

function distance(wanted: string, model: string): number {
  return editDistance(wanted, model.toLowerCase());
}

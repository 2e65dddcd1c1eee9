/** Builds one recipe, to be killed: `build-one.ts RECIPE-FOLDER RECIPE`. Prints each phase as it goes. */
import { buildKernel } from '../../harness/kernel/build.ts';

const [recipeFolder = '', recipe = ''] = process.argv.slice(2);
await buildKernel({
  recipe,
  recipeFolder,
  linkage: 'builtin',
  onProgress: ({ phase }) => process.stdout.write(`${phase}\n`),
});

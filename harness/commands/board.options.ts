import { Command } from '@commander-js/extra-typings';
import { APPEND, JSON_OUTPUT, positiveInteger, RESULTS } from '../terminal/option-values.ts';

export const boardVerb = new Command('board')
  .description("boot a real board's own device tree and count what became of its devices")
  .argument('<dtb>', "path of a compiled device tree, or the name of one in the kernel's own package")
  .option('--kernel <name>', 'a recipe, debian-stock:SERIES|SUITE or image:PATH[,modules=FOLDER]')
  .addOption(APPEND)
  .option('--cpus <n>', "CPUs to start, of the tree's", positiveInteger, 1)
  .option('--modules-load <file>', 'modules to load, one per line (default: what udev would load)')
  .option('--log <file>', 'kernel log of the real board to hold against this boot')
  .option(
    '--no-boot',
    'boot nothing; print what a boot would change in the tree, suppliers, cycles, and what would wait for ever',
  )
  .option('--no-cache', 'boot even if the same boot is in the cache')
  .addOption(RESULTS)
  .addOption(JSON_OUTPUT);

export type BoardOptions = ReturnType<typeof boardVerb.opts>;

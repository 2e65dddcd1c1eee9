import { Command } from '@commander-js/extra-typings';
import { DEFAULT_BOARD } from '../model/board.ts';
import {
  bootargs,
  collect,
  commaSeparated,
  force,
  JSON_OUTPUT,
  positiveInteger,
  RESULTS,
  strength,
  WORKERS,
  wholeNumber,
} from '../terminal/option-values.ts';

export const exploreVerb = new Command('explore')
  .description('search the orders of probes by booting them')
  .requiredOption('--kernel <name>', 'a recipe, debian-stock:SERIES or image:PATH')
  .option('--linkage <linkage>', 'which drivers are modules: builtin, modules or NAME-module', 'builtin')
  .option('--board <board>', 'a folder of boards/, the path of one, or the name or path of a .dtb', DEFAULT_BOARD)
  .option(
    '--devices <names>',
    "devices whose order is searched, comma-separated (default: the board's subjects)",
    commaSeparated,
  )
  .option('--force <symbol=value>', 'make SYMBOL return VALUE; repeatable', force)
  .option('--append <words>', 'words to add to the kernel command line of every boot', bootargs, [])
  .option('--disable <node>', 'disable a node of the device tree, by path or &label; repeatable', collect)
  .option('--plan <file>', 'what the guest does, such as loading modules (a list of steps, as in a cell file)')
  .option(
    '--modules <names>',
    'modules to load, comma-separated; a modules.load file; or auto: what udev would load on a .dtb',
    commaSeparated,
  )
  .option('--threads <n>', 'search module loads by this many loader threads', positiveInteger)
  .option(
    '--preempt <places>',
    'preempt tasks at these functions, comma-separated: F, F:return, MODULE:F, core (the driver core) or modules',
    commaSeparated,
  )
  .option('--preemptions <n>', 'most preemptions in one boot, 0 for none (default: 1)', wholeNumber)
  .option(
    '--async <drivers>',
    'find which of these drivers may probe asynchronously: comma-separated, or all',
    commaSeparated,
  )
  .option('--budget <n>', 'most boots', positiveInteger, 64)
  .option('--strength <t>', 'cover all orders of this many probes: 2, 3 or 4', strength, 3)
  .option('--seed <n>', 'seed of the search', positiveInteger, 1)
  .option('--stop-at-first-crash', 'stop as soon as a boot crashes')
  .option('--anyway', 'search even if the first boot, with nothing reordered, crashes or hangs')
  .addOption(WORKERS)
  .addOption(RESULTS)
  .addOption(JSON_OUTPUT);

export type ExploreOptions = ReturnType<typeof exploreVerb.opts>;

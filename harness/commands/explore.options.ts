import { Command, Option } from '@commander-js/extra-typings';
import { DEFAULT_BOARD } from '../model/board.ts';
import { PM_TESTS } from '../model/plan.ts';
import {
  APPEND,
  bus,
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

/** Options that make another search of it, by their names in the result. */
const OTHER_SEARCHES = ['async', 'threads', 'preempt', 'preemptions'];

export const exploreVerb = new Command('explore')
  .description('search the orders of probes by booting them')
  .requiredOption('--kernel <name>', 'a recipe, debian-stock:SERIES or image:PATH')
  .option('--eyes', 'build the recipe with KASAN, lockdep, debug objects, late releases and removal at every probe')
  .option('--linkage <linkage>', 'which drivers are modules: builtin, modules or NAME-module', 'builtin')
  .option('--board <board>', 'a folder of boards/, the path of one, or the name or path of a .dtb', DEFAULT_BOARD)
  .option(
    '--devices <names>',
    "devices whose order is searched, comma-separated (default: the board's subjects)",
    commaSeparated,
  )
  .option('--force <symbol=value>', 'make SYMBOL return VALUE; repeatable', force)
  .addOption(APPEND)
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
  .addOption(
    new Option('--rebind', 'also unbind and bind the devices, each alone and every two in every order').conflicts(
      OTHER_SEARCHES,
    ),
  )
  .addOption(
    new Option('--suspend [level]', 'suspend and resume at the end of each boot (a level of pm_test)')
      .choices(PM_TESTS)
      .preset('devices')
      .conflicts(OTHER_SEARCHES),
  )
  .addOption(
    new Option('--rescan <bus>', 'let this bus look for devices at the end of each boot')
      .argParser(bus)
      .conflicts(OTHER_SEARCHES),
  )
  .addOption(
    new Option('--end <how>', "end each boot in its devices' shutdown callbacks")
      .choices(['shutdown', 'reboot'])
      .conflicts(OTHER_SEARCHES),
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

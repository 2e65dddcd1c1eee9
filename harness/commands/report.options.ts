import { Command } from '@commander-js/extra-typings';
import { httpsUrl, origin, REPORTER } from '../terminal/option-values.ts';

export const reportVerb = new Command('report')
  .description('write reports of a finished run')
  .argument('[run]', 'folder of the run', 'results/latest')
  .addOption(REPORTER)
  .option('--since <run>', 'an earlier run: the html report begins with what is new since then')
  .option('--origin <name>', 'the name of your CI system, for the kcidb reporter', origin, 'bootrace')
  .option('--files-url <url>', 'where the folder of runs is published, for links in the kcidb report', httpsUrl);

export type ReportOptions = ReturnType<typeof reportVerb.opts>;

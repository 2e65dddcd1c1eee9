import { Command } from '@commander-js/extra-typings';
import { REPORTER } from '../terminal/option-values.ts';

export const reportVerb = new Command('report')
  .description('write reports of a finished run')
  .argument('[run]', 'folder of the run', 'results/latest')
  .addOption(REPORTER);

export type ReportOptions = ReturnType<typeof reportVerb.opts>;

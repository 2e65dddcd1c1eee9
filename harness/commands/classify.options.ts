import { Command } from '@commander-js/extra-typings';
import { JSON_OUTPUT, KNOWN_ISSUES } from '../terminal/option-values.ts';

export const classifyVerb = new Command('classify')
  .description('say what happened in a kernel log from any machine')
  .argument('[files...]', 'logs, also packed with gzip, xz or zstd, and folders of them (default: standard input)')
  .addOption(JSON_OUTPUT)
  .option(
    '--vmlinux <file>',
    'name file and line of frames, and whom to blame by them, from a vmlinux with debug information',
  )
  .addOption(KNOWN_ISSUES);

export type ClassifyOptions = ReturnType<typeof classifyVerb.opts>;

import { Command } from '@commander-js/extra-typings';
import { JSON_OUTPUT } from '../terminal/option-values.ts';

export const doctorVerb = new Command('doctor')
  .description('list the tools that are needed, their versions, and what is missing')
  .option('--install', 'install what is missing, as root on Debian')
  .option('--yes', 'with --install: do not ask')
  .option('--tests', 'also what the tests need')
  .addOption(JSON_OUTPUT);

export type DoctorOptions = ReturnType<typeof doctorVerb.opts>;

import { EXIT } from '../errors.ts';
import { examineHost, isReady } from '../kernel/host.ts';
import { formatHost } from '../report/host.ts';
import { installTools } from '../terminal/install-tools.ts';
import { print, printJson } from '../terminal/output.ts';
import type { DoctorOptions } from './doctor.options.ts';

/** `bootrace doctor`: what bootrace needs of this machine, and what of it is missing. Exit code 2 when something is. */
export async function doctor(options: DoctorOptions): Promise<number> {
  if (options.install === true) {
    await installTools({ tests: options.tests === true, yes: options.yes === true });
    if (options.json !== true) return EXIT.expected;
  }
  const report = await examineHost(options.tests === true);
  if (options.json === true) printJson(report);
  else print(formatHost(report));
  return isReady(report) ? EXIT.expected : EXIT.usage;
}

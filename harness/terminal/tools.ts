import { ensureTools } from '../kernel/tools.ts';
import { tell } from './output.ts';

/**
 * What every verb that boots does first: installs missing tools as root on Debian, and prints the install command
 * elsewhere.
 */
export async function requireTools(): Promise<void> {
  await ensureTools({ install: true, tests: false, say: (line) => tell(`${line}\n`) });
}

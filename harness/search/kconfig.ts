import { InputError } from '../errors.ts';
import { type Minimised, minimise, type TestResult } from './minimise.ts';

/** An option that two .config files resolve differently; `n` where it is not set or not there. */
export interface ConfigDifference {
  readonly option: string;
  readonly good: string;
  readonly bad: string;
}

const NOT_SET = 'n';
const ASSIGNMENT = /^(CONFIG_\w+)=(.*)$/;
const UNSET = /^# (CONFIG_\w+) is not set$/;

/**
 * Reads a resolved .config as Kconfig writes it (scripts/kconfig/confdata.c, conf_write()).
 * @throws InputError with the line of anything that is not an assignment, a comment or blank.
 */
function parseConfig(text: string, name: string): Map<string, string> {
  const options = new Map<string, string>();
  for (const [at, raw] of text.split('\n').entries()) {
    const line = raw.trimEnd();
    const [, option, value] = ASSIGNMENT.exec(line) ?? [];
    const [, unset] = UNSET.exec(line) ?? [];
    if (option !== undefined && value !== undefined) options.set(option, value);
    else if (unset !== undefined) options.set(unset, NOT_SET);
    else if (line !== '' && !line.startsWith('#')) {
      throw new InputError(`${name}:${at + 1}: "${line.slice(0, 80)}" is not a line of a .config file`);
    }
  }
  return options;
}

/** The options in which two .config files differ, in the order of the bad one. */
export function diffConfigs(goodText: string, badText: string): ConfigDifference[] {
  const good = parseConfig(goodText, 'the good .config');
  const bad = parseConfig(badText, 'the bad .config');
  return [...new Set([...bad.keys(), ...good.keys()])]
    .map((option) => ({ option, good: good.get(option) ?? NOT_SET, bad: bad.get(option) ?? NOT_SET }))
    .filter((one) => one.good !== one.bad);
}

function optionLine(option: string, value: string): string {
  return value === NOT_SET ? `# ${option} is not set\n` : `${option}=${value}\n`;
}

/** The good .config with `differences` taken from the bad one, to be resolved by `make olddefconfig`. */
export function mixConfig(goodText: string, differences: readonly ConfigDifference[]): string {
  const options = parseConfig(goodText, 'the good .config');
  for (const { option, bad } of differences) options.set(option, bad);
  return [...options].map(([option, value]) => optionLine(option, value)).join('');
}

/**
 * The options that carry the change from the good .config to the bad one. `test` builds and boots a mixture, as Kconfig
 * resolves it: an option that needs another one to be kept at all has no effect without it, so that both are found. It
 * answers `unresolved` where the mixture does not build.
 */
export function bisectConfigs(
  goodText: string,
  badText: string,
  test: (config: string, taken: readonly ConfigDifference[]) => Promise<TestResult>,
): Promise<Minimised<ConfigDifference>> {
  return minimise(diffConfigs(goodText, badText), (taken) => test(mixConfig(goodText, taken), taken));
}

import { InputError } from '../errors.ts';
import { parseFragment } from '../kernel/kconfig.ts';
import { type Minimised, minimise, type TestResult } from './minimise.ts';

/** An option that two .config files resolve differently; `n` where it is not set or not there. */
export interface ConfigDifference {
  readonly option: string;
  readonly good: string;
  readonly bad: string;
}

const NOT_SET = 'n';

/**
 * Reads a resolved .config as Kconfig writes it (scripts/kconfig/confdata.c, conf_write()).
 * @throws InputError with the line of anything that is not an assignment, a comment or blank.
 */
function readConfig(text: string, name: string): Map<string, string> {
  return new Map(
    parseFragment(text, name).map((line): [string, string] => {
      if (line.kind === 'malformed')
        throw new InputError(`${name}:${line.line}: "${line.text.slice(0, 80)}" is not a line of a .config file`);
      return [line.option.name, line.option.value];
    }),
  );
}

/** The options in which two .config files differ, in the order of the bad one. */
export function diffConfigs(goodText: string, badText: string): ConfigDifference[] {
  const good = readConfig(goodText, 'the good .config');
  const bad = readConfig(badText, 'the bad .config');
  return [...new Set([...bad.keys(), ...good.keys()])]
    .map((option) => ({ option, good: good.get(option) ?? NOT_SET, bad: bad.get(option) ?? NOT_SET }))
    .filter((one) => one.good !== one.bad);
}

function optionLine(option: string, value: string): string {
  return value === NOT_SET ? `# ${option} is not set\n` : `${option}=${value}\n`;
}

/** The good .config with `differences` taken from the bad one, to be resolved by `make olddefconfig`. */
export function mixConfig(goodText: string, differences: readonly ConfigDifference[]): string {
  const options = readConfig(goodText, 'the good .config');
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

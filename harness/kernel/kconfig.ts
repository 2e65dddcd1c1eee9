/** Value of an option as Kconfig writes it: `y`, `m`, a number, a quoted string; `n` for an option that is not set. */
interface ConfigOption {
  /** With the `CONFIG_` prefix. */
  readonly name: string;
  readonly value: string;
}

/** An option that a fragment asks for, and where. `line` is 1-based. */
export interface AskedOption extends ConfigOption {
  readonly fragment: string;
  readonly line: number;
}

export interface UnmetOption {
  readonly asked: AskedOption;
  /** What Kconfig made of it. */
  readonly got: string;
}

const SET = /^(CONFIG_\w+)=(.*)$/;
const NOT_SET = /^# (CONFIG_\w+) is not set$/;

function parseLine(line: string): ConfigOption | null {
  const set = SET.exec(line);
  if (set?.[1] !== undefined && set[2] !== undefined) return { name: set[1], value: set[2].trim() };
  const unset = NOT_SET.exec(line);
  return unset?.[1] === undefined ? null : { name: unset[1], value: 'n' };
}

export type FragmentLine =
  | { readonly kind: 'option'; readonly option: AskedOption }
  | { readonly kind: 'malformed'; readonly line: number; readonly text: string };

/** Reads a config fragment: what it asks for, and the lines that are neither an option, a comment nor empty. */
export function parseFragment(text: string, fragment: string): FragmentLine[] {
  const lines: FragmentLine[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const trimmed = raw.trim();
    const option = parseLine(trimmed);
    if (option !== null) lines.push({ kind: 'option', option: { ...option, fragment, line: index + 1 } });
    else if (trimmed !== '' && !trimmed.startsWith('#'))
      lines.push({ kind: 'malformed', line: index + 1, text: trimmed });
  }
  return lines;
}

/** Reads a resolved `.config`. */
export function parseConfig(text: string): Map<string, string> {
  const options = new Map<string, string>();
  for (const line of text.split('\n')) {
    const option = parseLine(line);
    if (option !== null) options.set(option.name, option.value);
  }
  return options;
}

/**
 * Options that Kconfig resolved to something else than what was asked. Where fragments ask twice, the last one counts,
 * as in merge_config.sh. An option absent from the resolved config is off.
 */
export function unmetOptions(asked: readonly AskedOption[], resolved: ReadonlyMap<string, string>): UnmetOption[] {
  const last = new Map(asked.map((option) => [option.name, option]));
  return [...last.values()].flatMap((option) => {
    const got = resolved.get(option.name) ?? 'n';
    return got === option.value ? [] : [{ asked: option, got }];
  });
}

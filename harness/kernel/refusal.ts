import type { UnmetOption } from './kconfig.ts';

/**
 * One `config` or `menuconfig` entry of a Kconfig file (Documentation/kbuild/kconfig-language.rst). Names without
 * prefix.
 */
export interface KconfigEntry {
  readonly name: string;
  readonly depends: readonly string[];
  readonly selects: readonly string[];
  /** Of type bool: never a module. */
  readonly bool: boolean;
  /** Only an entry with a prompt can be set by a fragment. */
  readonly prompt: boolean;
}

/** Reads the entries of one Kconfig file: enough of the language to say why an option has its value. */
export function parseKconfig(text: string): KconfigEntry[] {
  const entries: { name: string; depends: string[]; selects: string[]; bool: boolean; prompt: boolean }[] = [];
  let entry: (typeof entries)[number] | null = null;
  for (const raw of text.split('\n')) {
    const [word = '', ...rest] = raw.trim().split(/\s+/);
    if (!/^\s/.test(raw)) {
      if (word === '' || word.startsWith('#')) continue;
      const name = word === 'config' || word === 'menuconfig' ? rest[0] : undefined;
      entry = name === undefined ? null : { name, depends: [], selects: [], bool: false, prompt: false };
      if (entry !== null) entries.push(entry);
    } else if (entry !== null) {
      switch (word) {
        case 'bool':
        case 'def_bool':
          entry.bool = true;
          entry.prompt ||= word === 'bool' && rest.length > 0;
          break;
        case 'tristate':
        case 'prompt':
        case 'int':
        case 'hex':
        case 'string':
          entry.prompt ||= rest.length > 0;
          break;
        case 'depends':
          entry.depends.push(rest.slice(1).join(' '));
          break;
        case 'select':
        case 'imply':
          if (rest[0] !== undefined) entry.selects.push(rest[0]);
          break;
        case 'help':
        case '---help---':
          // Prose may begin with any of these words; the next entry starts in the first column.
          entry = null;
          break;
      }
    }
  }
  return entries;
}

const PREFIX = 'CONFIG_';

/** "Kconfig resolves CONFIG_QCOM_SCM to y, not m: selected by ARM_SMMU_QCOM=y". */
export function explainDifference(
  { asked, got }: UnmetOption,
  entries: readonly KconfigEntry[],
  resolved: ReadonlyMap<string, string>,
): string {
  const name = asked.name.slice(PREFIX.length);
  const own = entries.filter((entry) => entry.name === name);
  const because = (): string | null => {
    if (own.length === 0) return 'this kernel has no such option';
    const valueIn = (option: string) => resolved.get(PREFIX + option) ?? 'n';
    if (asked.value === 'm' && own.every((entry) => entry.bool)) return 'it is of type bool and cannot be a module';
    if (got !== 'n') {
      const selectors = entries.filter((entry) => entry.selects.includes(name) && valueIn(entry.name) === got);
      if (selectors.length > 0)
        return `selected by ${[...new Set(selectors.map((entry) => `${entry.name}=${got}`))].join(', ')}`;
    }
    const depends = own.flatMap((entry) => entry.depends);
    if (depends.length > 0) {
      const words = new Set(depends.join(' ').match(/[A-Z0-9_]+/g) ?? []);
      const values = [...words].map((word) => `${word}=${valueIn(word)}`);
      return `it depends on ${depends.join(' and on ')} (${values.join(', ')})`;
    }
    return own.some((entry) => entry.prompt) ? null : 'it has no prompt and nothing that is on selects it';
  };
  const reason = because();
  return `Kconfig resolves ${asked.name} to ${got}, not ${asked.value}${reason === null ? '' : `: ${reason}`}`;
}

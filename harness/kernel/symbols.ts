/**
 * Symbols of a kernel from `System.map` or `/proc/kallsyms`, `ADDRESS TYPE NAME` a line.
 * Where a name stands twice (static functions of two files), the lookup gives null: a gate must not stand on the wrong one.
 */
export function parseSymbols(text: string, names: ReadonlySet<string>): Map<string, bigint> {
  const found = new Map<string, bigint>();
  const twice = new Set<string>();
  for (const line of text.split('\n')) {
    const [address, , name] = line.split(/[ \t]/, 3);
    if (address === undefined || name === undefined || !names.has(name)) continue;
    const value = BigInt(`0x${address}`);
    if (found.has(name) && found.get(name) !== value) twice.add(name);
    found.set(name, value);
  }
  for (const name of twice) found.delete(name);
  return found;
}

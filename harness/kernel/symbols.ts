/**
 * Symbols of a kernel from `System.map` or `/proc/kallsyms`, `ADDRESS TYPE NAME` a line. Where a name stands twice
 * (static functions of two files), the lookup gives null: a gate must not stand on the wrong one.
 */
export function parseSymbols(text: string, names: ReadonlySet<string>): Map<string, bigint> {
  const found = new Map<string, bigint>();
  for (const wanted of names) {
    const values = new Set<bigint>();
    for (const line of linesWith(wanted, text)) {
      const [address, , name] = line.split(/[ \t]/, 3);
      if (name === wanted) values.add(BigInt(`0x${address}`));
    }
    const [value, ...others] = values;
    if (value !== undefined && others.length === 0) found.set(wanted, value);
  }
  return found;
}

/**
 * A few of ten thousands of lines are wanted: a search for their names is several times faster than a look at each
 * line.
 */
function* linesWith(part: string, text: string): Generator<string> {
  for (let at = text.indexOf(part); at !== -1; ) {
    const end = text.indexOf('\n', at);
    const line = text.slice(text.lastIndexOf('\n', at) + 1, end === -1 ? undefined : end);
    yield line;
    at = end === -1 ? -1 : text.indexOf(part, end);
  }
}

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { parseSync } from 'oxc-parser';

/** A file that needs another, or a package; paths are relative to the root that was read. */
export interface Import {
  readonly from: string;
  readonly to: string;
}

/** Imports of all TypeScript files below `root`: static ones, re-exports, and dynamic ones of a literal. Types count as well. */
export function typescriptImports(root: string): Import[] {
  return filesBelow(root, /\.tsx?$/).flatMap((from) => {
    const text = readFileSync(join(root, from), 'utf8');
    const { module, errors } = parseSync(from, text);
    if (errors.length > 0) throw new Error(`${from}: ${errors[0]?.message}`);
    const names = [
      ...module.staticImports.map((one) => one.moduleRequest.value),
      ...module.staticExports.flatMap(({ entries }) => entries.flatMap((entry) => entry.moduleRequest?.value ?? [])),
      ...module.dynamicImports.flatMap(({ moduleRequest: { start, end } }) => {
        const [, name] = /^['"](.*)['"]$/.exec(text.slice(start, end)) ?? [];
        return name ?? [];
      }),
    ];
    return [...new Set(names)].map((name) => ({
      from,
      to: name.startsWith('.') ? normalize(join(dirname(from), name)) : name,
    }));
  });
}

/** What a C or assembly file defines for others, by what a linker would see of it: its name is at the start of a line. */
const DEFINITIONS = [
  /^(?!static\b|typedef\b|#)[A-Za-z_][\w \t*]*?\b(\w+)\([^;{]*\)[^;{]*\{/gm,
  /^(?!static\b|extern\b|typedef\b|return\b)(?:[A-Za-z_]\w* )+\**(\w+)(?:\[\w*\])?(?: = [^;]+)?;$/gm,
  /^\s*\.global\s+(\w+)/gm,
];

/** Which C and assembly files below `root` call or name a function or variable that another one defines. */
export function cUses(root: string): Import[] {
  const texts = new Map(
    filesBelow(root, /\.[cS]$/).map((file) => {
      const text = readFileSync(join(root, file), 'utf8');
      return [file, text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*|"(?:[^"\\\n]|\\.)*"/g, ' ')] as const;
    }),
  );
  const places = new Map<string, string>();
  for (const [file, text] of texts)
    for (const form of DEFINITIONS) for (const [, name = ''] of text.matchAll(form)) places.set(name, file);
  return [...texts].flatMap(([from, text]) => {
    const used = new Set([...text.matchAll(/\b[A-Za-z_]\w*\b/g)].flatMap(([word]) => places.get(word) ?? []));
    return [...used].filter((to) => to !== from).map((to) => ({ from, to }));
  });
}

/** Files that need each other, directly or around corners: each group sorted. */
export function cycles(imports: readonly Import[]): string[][] {
  const next = new Map<string, string[]>();
  for (const { from, to } of imports) next.set(from, [...(next.get(from) ?? []), to]);
  const reach = (start: string) => {
    const seen = new Set<string>();
    const open = [...(next.get(start) ?? [])];
    for (let file = open.pop(); file !== undefined; file = open.pop()) {
      if (seen.has(file)) continue;
      seen.add(file);
      open.push(...(next.get(file) ?? []));
    }
    return seen;
  };
  const reached = new Map([...next.keys()].map((file) => [file, reach(file)]));
  const groups = [...next.keys()]
    .filter((file) => reached.get(file)?.has(file))
    .map((file) => [...(reached.get(file) ?? [])].filter((other) => reached.get(other)?.has(file)).sort());
  return [...new Map(groups.map((group) => [group.join(' '), group])).values()];
}

function filesBelow(root: string, wanted: RegExp): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => wanted.test(file));
}

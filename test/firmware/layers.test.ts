import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FIRMWARE } from '../../harness/firmware/program.ts';
import { GUEST_INIT } from '../../harness/guest/program.ts';

/** Names that a C or assembly file defines for others, by what a linker would see of them. */
function definitions(text: string): Set<string> {
  const functions = /^(?!static\b)[A-Za-z_][^\n;={}()]*?\b(\w+)\([^;{}]*\)\s*\n\{/gm;
  const variables = /^(?!static\b|extern\b|typedef\b|return\b)(?:[A-Za-z_]\w* )+\**(\w+)(?:\[\w*\])?(?: = [^;]+)?;$/gm;
  const labels = /^\s*\.global\s+(\w+)/gm;
  return new Set(
    [functions, variables, labels].flatMap((form) => [...text.matchAll(form)].map(([, name]) => name ?? '')),
  );
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/"(?:[^"\\\n]|\\.)*"/g, '""');
}

/** A cycle of files that use each other's names, or null. */
function cycleOf(sources: ReadonlyMap<string, string>): string[] | null {
  const texts = new Map([...sources].map(([file, text]) => [file, withoutComments(text)]));
  const owners = new Map([...texts].flatMap(([file, text]) => [...definitions(text)].map((name) => [name, file])));
  const uses = new Map(
    [...texts].map(([file, text]) => [
      file,
      new Set(
        [...text.matchAll(/\b[A-Za-z_]\w*\b/g)].flatMap(([name]) => owners.get(name) ?? []).filter((to) => to !== file),
      ),
    ]),
  );
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] | null => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return null;
    for (const next of uses.get(file) ?? []) {
      const cycle = visit(next, [...path, file]);
      if (cycle !== null) return cycle;
    }
    done.add(file);
    return null;
  };
  for (const file of texts.keys()) {
    const cycle = visit(file, []);
    if (cycle !== null) return cycle;
  }
  return null;
}

function read(paths: readonly string[]): Map<string, string> {
  return new Map(
    paths.map((path) => [
      path.includes('/models/') ? `models/${basename(path)}` : basename(path),
      readFileSync(path, 'utf8'),
    ]),
  );
}

describe('the C files call each other one way only', () => {
  test('of the EL2 firmware', () => {
    expect(cycleOf(read(FIRMWARE.sources))).toBeNull();
  });

  test('of the guest’s init', () => {
    expect(cycleOf(read(GUEST_INIT.sources))).toBeNull();
  });

  test('a call that goes up is found', () => {
    const planted = read(FIRMWARE.sources);
    planted.set(
      'output.c',
      `${planted.get('output.c')}\nstatic void planted(struct frame *f)\n{\n\thandle_smc(f);\n}\n`,
    );
    expect(cycleOf(planted)).toContain('output.c');
  });
});

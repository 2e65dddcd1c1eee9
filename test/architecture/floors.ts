import type { Import } from './modules.ts';

/**
 * The rooms from the top down, as ARCHITECTURE.md has them. A room may import from itself and from lower floors; rooms
 * of one floor not from each other.
 */
const FLOORS: readonly (readonly string[])[] = [
  ['cli.ts'],
  ['commands'],
  ['terminal'],
  ['report'],
  ['session'],
  ['search', 'run', 'zoo'],
  ['guest', 'kernel', 'qemu'],
  ['verdict', 'matrix'],
  ['axes'],
  ['boards'],
  ['firmware'],
  ['devices'],
  ['board', 'buses'],
  ['devicetree', 'dmesg'],
  ['yaml.ts', 'bundle.ts'],
  ['model'],
  ['files.ts', 'invocation.ts', 'launch.ts', 'printable.ts', 'regex.ts', 'suggest.ts'],
  ['errors.ts', 'owner.ts'],
];

/** Rooms whose files are pure functions: they neither start processes nor know whoever does. */
const PURE = /^(?:report|search|verdict|model|dmesg|devicetree)\//;
const STARTS_PROCESSES =
  /^(?:execa|zx|node:child_process|node:worker_threads|node:cluster)$|^qemu\/(?:process|server)\.ts$|^run\/(?:runner|run|boot)\.ts$/;

function room(file: string): string {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : file;
}

function floorOf(file: string): number {
  return FLOORS.findIndex((rooms) => rooms.includes(room(file)));
}

function isOwn({ to }: Import): boolean {
  return /\.tsx?$/.test(to) && !to.startsWith('..');
}

/** What is wrong with the imports of harness/, one line each. */
export function wrongImports(imports: readonly Import[]): string[] {
  const verbs = imports.flatMap(({ from }) => /^commands\/([\w-]+)\.options\.ts$/.exec(from)?.[1] ?? []);
  /** The verb that a file of commands/ is a part of: explore-request.ts is one of explore's, as there is no such verb. */
  const verbOf = (file: string) => {
    const name = /^commands\/([\w-]+)/.exec(file)?.[1] ?? '';
    const found = verbs
      .filter((verb) => name === verb || name.startsWith(`${verb}-`))
      .sort((a, b) => b.length - a.length);
    return found[0] ?? name;
  };
  return imports.flatMap((one) => {
    const { from, to } = one;
    if (PURE.test(from) && STARTS_PROCESSES.test(to)) return [`${from} starts processes: ${to}`];
    if (!isOwn(one)) return [];
    const [above, below] = [floorOf(from), floorOf(to)];
    if (above === -1) return [`${from} is in a room that has no floor`];
    if (below === -1) return [`${to} is in a room that has no floor`];
    if (from.startsWith('commands/') && to.startsWith('commands/') && verbOf(from) !== verbOf(to))
      return [`${from} imports a command: ${to}`];
    if (room(from) === room(to) || below > above) return [];
    return [`${from} imports up: ${to}`];
  });
}

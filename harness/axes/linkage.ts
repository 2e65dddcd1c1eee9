import type { Board, Subject } from '../model/board.ts';
import { always, type BuiltInAxis, hasRepeats, namesOf, subjectsIn } from './axis.ts';

const MODULE = '-module';
/** The form of a linkage, whatever the board. */
export const LINKAGE_FORM = /^(?:builtin|modules|[a-z0-9_+]+-module)$/;
type Subjects = Pick<Board, 'subjects'>;

/**
 * Which of the subjects' drivers are modules: `builtin` none, `modules` all, `smmu-module` that one alone,
 * `scm+smmu-module` those.
 */
export const LINKAGE: BuiltInAxis = {
  name: 'linkage',
  values: (board) => ({
    expected: `builtin, modules, or NAME${MODULE} with names joined by + (${namesOf(board)})`,
    accepts: (value) => modulesOf(board, value) !== null,
    usual: ['builtin', 'modules', ...board.subjects.map(({ name }) => `${name}${MODULE}`)],
  }),
  meaningless: always,
  apply: (draft, linkage) => ({ ...draft, linkage, modules: modulesOf(draft.board, linkage) ?? [] }),
};

/** The subjects whose drivers are modules, in the board's order; null where `linkage` is no linkage of the board. */
export function modulesOf(board: Subjects, linkage: string): readonly Subject[] | null {
  if (linkage === 'builtin') return [];
  if (linkage === 'modules') return board.subjects;
  if (!linkage.endsWith(MODULE)) return null;
  const named = subjectsIn(board, linkage.slice(0, -MODULE.length), '+');
  if (named === null || hasRepeats(named)) return null;
  return board.subjects.filter((subject) => named.includes(subject));
}

/** The linkage in which just the drivers of `modules` are modules. */
export function linkageName(board: Subjects, modules: readonly Subject[]): string {
  if (modules.length === 0) return 'builtin';
  if (modules.length === board.subjects.length) return 'modules';
  return `${modules.map(({ name }) => name).join('+')}${MODULE}`;
}

/**
 * The Kconfig fragment of a linkage. An option without a prompt is built in only where something built in selects it.
 * Its text is part of a kernel's key: another text is another build.
 */
export function linkageFragment(board: Subjects, linkage: string): string | null {
  const modules = modulesOf(board, linkage);
  if (modules === null) return null;
  const { subjects } = board;
  const options = subjects
    .map((subject) => `CONFIG_${subject.option}=${modules.includes(subject) ? 'm' : 'y'}\n`)
    .sort();
  const selected = subjects.flatMap((subject) => {
    const { selectedBy } = subject;
    if (selectedBy === null || modules.includes(subject)) return [];
    const isSelected =
      subjects.some(({ name }) => name === selectedBy.subject) && !hasModule(modules, selectedBy.subject);
    if (isSelected) return [];
    return [
      `# ${subject.option} has no prompt: a built-in driver has to select it. This is the smallest that does.\n`,
      `CONFIG_${selectedBy.otherwise}=y\n`,
    ];
  });
  return [...options, ...selected].join('');
}

function hasModule(modules: readonly Subject[], name: string): boolean {
  return modules.some((module) => module.name === name);
}

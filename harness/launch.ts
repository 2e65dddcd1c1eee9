/** How programs are started that must not outlive this process, however that ends. */

/**
 * The words that run `program` by a shell `script`, in which it is `"$@"`, and that get `signal` when process `parent`
 * ends: prctl(2), PR_SET_PDEATHSIG, by setpriv(1) of util-linux. A parent that ended before that is another parent by
 * now, which the shell sees. `user`: whose rights it runs with, by number; null for those of the caller. A process that
 * becomes another user loses the signal (Linux, commit_creds() in kernel/cred.c): setpriv asks for it last.
 */
export function boundTo(
  parent: number,
  { signal, script, user = null }: { readonly signal: 'KILL' | 'TERM'; readonly script: string; user?: number | null },
  program: readonly string[],
): string[] {
  const rights = user === null ? [] : ['--reuid', `${user}`, '--regid', `${user}`, '--clear-groups', '--no-new-privs'];
  const whole = `[ "$PPID" = "$1" ] || exit 1; shift; ${script}`;
  return ['setpriv', ...rights, '--pdeathsig', signal, '--', 'sh', '-c', whole, 'sh', String(parent), ...program];
}

/** From here on a shell's exit code says by which signal a program ended (POSIX, Exit Status for Commands). */
const BY_SIGNAL = 128;

/** A shell's exit code where there is no such program (POSIX, Exit Status for Commands). */
export const NOT_FOUND = 127;

/**
 * A program with all that it starts, as make does compilers, for execa: the signal of a parent's death reaches a child
 * alone. A shell that leads a process group of theirs gets it, as it gets the SIGTERM that cancels, and kills that
 * group. It ends as the program does; where that is not installed, with {@link NOT_FOUND}.
 */
export function withDescendants(
  program: string,
  words: readonly string[],
  parent = process.pid,
): [file: string, words: string[]] {
  const script = [
    "trap 'kill -KILL 0' TERM",
    // What a shell starts in the background reads nothing, unless it is told to.
    'exec 9<&0',
    '"$@" <&9 9<&- &',
    'wait "$!"',
    'code=$?',
    `[ $code -le ${BY_SIGNAL} ] || { trap - TERM; kill -$((code - ${BY_SIGNAL})) $$; }`,
    'exit $code',
  ].join('\n');
  return ['setsid', boundTo(parent, { signal: 'TERM', script }, [program, ...words])];
}

/**
 * The lowest priority there is (nice(1)): 15 parts of the time of a core beside 1024 (sched_prio_to_weight). Where
 * sessions have shares of their own, as {@link withDescendants} makes one, it is theirs that counts (sched(7), The
 * autogroup feature); it may be set ten times a second on the whole machine.
 */
const LOWEST = `
for try in 1 2 3 4 5; do
  [ -e /proc/self/autogroup ] || break
  echo 19 2>/dev/null >/proc/self/autogroup && break
  sleep 0.2
done
exec nice -n 19 "$@"`;

/** The words that run a program with the lowest priority: it gets what the others leave. */
export function behind(program: string, words: readonly string[]): [file: string, words: string[]] {
  return ['sh', ['-c', LOWEST, 'sh', program, ...words]];
}

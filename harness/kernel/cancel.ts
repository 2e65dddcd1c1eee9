/** The options of execa that end a process with SIGTERM when `signal` is aborted. */
export function cancelled(signal: AbortSignal | undefined): { cancelSignal?: AbortSignal } {
  return signal === undefined ? {} : { cancelSignal: signal };
}

import type { ChildProcess } from 'node:child_process';
import { Duplex } from 'node:stream';
import { z } from 'zod';
import { InfraError } from '../errors.ts';
import { INHERITED } from './command.ts';

/** What QEMU says on its monitor: an answer, an event, or its greeting (docs/interop/qmp-spec.txt). */
const messageSchema = z.union([
  z.object({ return: z.unknown() }),
  z.object({ error: z.object({ desc: z.string() }) }),
  z.object({ event: z.string() }),
  z.object({ QMP: z.unknown() }),
]);

interface Command {
  readonly execute: string;
  readonly arguments?: object;
}

/** Leaves the mode in which QEMU takes no other command. */
export const NEGOTIATE: Command = { execute: 'qmp_capabilities' };

/** docs/devel/migration.rst: RAM that is shared with a file is not part of the stream. */
export const LEAVE_RAM: Command = {
  execute: 'migrate-set-capabilities',
  arguments: { capabilities: [{ capability: 'x-ignore-shared', state: true }] },
};

/** The socket on which a template or a fork listens to its monitor. */
export function monitorOf(child: ChildProcess): Duplex {
  const socket = child.stdio[INHERITED.monitor];
  if (!(socket instanceof Duplex)) throw new TypeError('QEMU was started without a monitor');
  // A QEMU that ends while it is written to says so by its exit code.
  socket.on('error', () => {});
  return socket;
}

/** Lets a QEMU that was started with `-incoming defer` go on where its template was saved. */
export function restore(child: ChildProcess): void {
  const monitor = monitorOf(child);
  // Nobody waits for the answers: a guest that does not come up says why on standard error.
  monitor.resume();
  tell(monitor, [NEGOTIATE, LEAVE_RAM, { execute: 'migrate-incoming', arguments: { uri: `fd:${INHERITED.state}` } }]);
}

/** Writes commands without waiting for what QEMU says to them. */
function tell(monitor: Duplex, commands: readonly Command[]): void {
  monitor.write(commands.map((command) => `${JSON.stringify(command)}\n`).join(''));
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** QEMU's machine protocol, one command at a time. */
export class Monitor {
  readonly #socket: Duplex;
  #unread = '';
  #waiting: Waiting | null = null;

  constructor(socket: Duplex) {
    this.#socket = socket;
    const gone = () =>
      this.#settle((waiting) => waiting.reject(new InfraError('QEMU ended while its monitor was asked')));
    socket.on('data', (bytes: Buffer) => this.#read(bytes.toString('utf8')));
    socket.on('close', gone);
    socket.on('error', gone);
  }

  /** Sends a command and returns QEMU's answer. Throws {@link InfraError} with QEMU's own words when it refuses, or ends. */
  ask(command: Command): Promise<unknown> {
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
    tell(this.#socket, [command]);
    return answer;
  }

  #settle(settle: (waiting: Waiting) => void): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting !== null) settle(waiting);
  }

  #read(text: string): void {
    const lines = (this.#unread + text).split('\n');
    this.#unread = lines.pop() ?? '';
    for (const line of lines) {
      const message = messageSchema.parse(JSON.parse(line));
      if ('return' in message) this.#settle((waiting) => waiting.resolve(message.return));
      if ('error' in message)
        this.#settle((waiting) => waiting.reject(new InfraError(`QEMU refused: ${message.error.desc}`)));
    }
  }
}

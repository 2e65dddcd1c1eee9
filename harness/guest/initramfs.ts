import { type CpioEntry, writeCpio } from './cpio.ts';

/** Linux Documentation/admin-guide/devices.txt: numbers of /dev/console and /dev/kmsg. */
const CONSOLE = { major: 5, minor: 1 } as const;
const KMSG = { major: 1, minor: 11 } as const;

const FOLDER_MODE = 0o755;
const DEVICE_MODE = 0o600;

/**
 * The archive that every guest boots with: the init, its mount points, and the two device nodes it needs (so that
 * devtmpfs need not be mounted). What a cell is about comes later, from the harness itself.
 */
export function buildInitramfs(init: Uint8Array): Uint8Array {
  return writeCpio([
    ...['dev', 'proc', 'sys'].map((path): CpioEntry => ({ kind: 'directory', path, mode: FOLDER_MODE })),
    { kind: 'character-device', path: 'dev/console', mode: DEVICE_MODE, ...CONSOLE },
    { kind: 'character-device', path: 'dev/kmsg', mode: DEVICE_MODE, ...KMSG },
    { kind: 'file', path: 'init', mode: 0o755, bytes: init },
  ]);
}

import { type CpioEntry, writeCpio } from './cpio.ts';
import { encodePlan, MODULES_FOLDER, PLAN_PATH, type Plan } from './plan.ts';

/** A module as it is put into the initramfs: uncompressed, and under the name that lsmod shows. */
export interface GuestModule {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Linux Documentation/admin-guide/devices.txt: numbers of /dev/console and /dev/kmsg. */
const CONSOLE = { major: 5, minor: 1 } as const;
const KMSG = { major: 1, minor: 11 } as const;

const FOLDER_MODE = 0o755;
const DEVICE_MODE = 0o600;

/**
 * The archive that all cells of a kernel share: the init, its mount points, the two device nodes it needs (so that
 * devtmpfs need not be mounted) and the modules.
 */
export function buildInitramfs(parts: {
  readonly init: Uint8Array;
  readonly modules: readonly GuestModule[];
}): Uint8Array {
  const folders = ['dev', 'proc', 'sys', MODULES_FOLDER].map(
    (path): CpioEntry => ({ kind: 'directory', path, mode: FOLDER_MODE }),
  );
  return writeCpio([
    ...folders,
    { kind: 'character-device', path: 'dev/console', mode: DEVICE_MODE, ...CONSOLE },
    { kind: 'character-device', path: 'dev/kmsg', mode: DEVICE_MODE, ...KMSG },
    { kind: 'file', path: 'init', mode: 0o755, bytes: parts.init },
    ...parts.modules.map(
      ({ name, bytes }): CpioEntry => ({ kind: 'file', path: `${MODULES_FOLDER}/${name}.ko`, mode: 0o644, bytes }),
    ),
  ]);
}

/**
 * The archive of one cell. Put behind the shared one: the kernel unpacks archives one after the other
 * (Linux Documentation/driver-api/early-userspace/buffer-format.rst).
 */
export function buildPlanArchive(plan: Plan): Uint8Array {
  return writeCpio([{ kind: 'file', path: PLAN_PATH, mode: 0o644, bytes: encodePlan(plan) }]);
}

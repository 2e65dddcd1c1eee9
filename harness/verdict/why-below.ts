import { deviceOfPath } from '../dmesg/node-names.ts';
import type { LogSummary } from '../dmesg/summary.ts';
import type { Found } from './why-roots.ts';
import { wantOf } from './why-wants.ts';

/** Names what a driver lacks that is made of a node below its device's, where fw_devlink has that node in a circle. */
export function nameBelow(roots: ReadonlyMap<string, Found>, cycles: LogSummary['cycles']): void {
  const circles = new Map<string, Set<string>>();
  for (const { node, with: other } of cycles)
    for (const [one, needed] of [
      [node, other],
      [other, node],
    ] as const)
      circles.set(one, (circles.get(one) ?? new Set()).add(needed));
  const below = new Map<string, string[]>();
  for (const path of circles.keys()) {
    const above = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    if (above !== '') below.set(deviceOfPath(above), [...(below.get(deviceOfPath(above)) ?? []), path]);
  }
  for (const [name, root] of roots) {
    const { cause } = root;
    if (cause.cause !== 'own-deferral' || wantOf(cause.call)?.isBelow !== true) continue;
    const [path, ...others] = below.get(name) ?? [];
    if (path === undefined || others.length > 0) continue;
    const device = deviceOfPath(path);
    root.cause = { ...cause, perhaps: [], below: { device, circle: [...(circles.get(path) ?? [])] } };
  }
}

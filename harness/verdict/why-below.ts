import type { DeviceLife } from '../dmesg/lives.ts';
import { deviceOfPath } from '../dmesg/node-names.ts';
import type { LogSummary } from '../dmesg/summary.ts';
import type { Names } from './why-names.ts';
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

/** Device N of a MIPI DSI host: mipi_dsi_device_alloc(), drivers/gpu/drm/drm_mipi_dsi.c. */
const ON_DSI = /^(.*dsi.*)\.\d$/;

/**
 * With panels and bridges on a DSI host that are bound, as the host is bound as a part of the display since: hosts join
 * it when what they have on them is attached (vc4_dsi_host_attach(), drivers/gpu/drm/vc4, for one).
 */
export function withPanels(devices: ReadonlyMap<string, DeviceLife>): ReadonlyMap<string, DeviceLife> {
  const mended = new Map(devices);
  for (const [device, life] of devices) {
    const host = devices.get(ON_DSI.exec(device)?.[1] ?? '');
    const isSince = host?.state === 'bound' && host.boundLine > life.line;
    if (isSince && life.state === 'deferred' && !life.pending)
      mended.set(device, { ...life, state: 'bound', boundLine: host.boundLine });
  }
  return mended;
}

/** More partners tell nothing. */
const FEW = 3;

/**
 * Names, for drivers that look for the other end of a `remote-endpoint`, what fw_devlink has in a cycle with the
 * device: both ends of such a link name each other (of_graph_get_remote_port_parent(), drivers/of/property.c).
 */
export function nameFarEnds(roots: ReadonlyMap<string, Found>, cycles: LogSummary['cycles'], names: Names): void {
  const nameOf = (path: string) => names.deviceOf(path) ?? path.slice(path.lastIndexOf('/') + 1);
  const far = new Map<string, Set<string>>();
  for (const { node, with: other } of cycles) {
    const [one, two] = [nameOf(node), nameOf(other)];
    if (one === two) continue;
    far.set(one, (far.get(one) ?? new Set()).add(two));
    far.set(two, (far.get(two) ?? new Set()).add(one));
  }
  for (const [name, root] of roots) {
    const { cause } = root;
    const partners = far.get(name);
    if (cause.cause !== 'own-deferral' || partners === undefined || partners.size > FEW) continue;
    if (wantOf(cause.call)?.property?.test('remote-endpoint') === true) root.cause = { ...cause, far: [...partners] };
  }
}

import { isEnabled } from '../devicetree/addresses.ts';
import { type DeviceTree, nodeAt } from '../devicetree/tree.ts';
import { stringsOf } from '../devicetree/values.ts';
import type { DriverMatch, Drivers } from '../kernel/matches.ts';

/** What a device tree and a kernel know of a device. */
export type NodeFact =
  | { readonly fact: 'no-node' }
  | { readonly fact: 'disabled'; readonly path: string }
  /** No device is made of it. */
  | { readonly fact: 'no-compatible'; readonly path: string }
  | {
      readonly fact: 'device';
      readonly path: string;
      readonly compatible: readonly string[];
      /** Null where no kernel is known. */
      readonly match: DriverMatch | null;
    };

/** What is known of the node at `path`, which is null where the tree has none. */
export function factOf(path: string | null, tree: DeviceTree, drivers: Drivers | null): NodeFact {
  if (path === null) return { fact: 'no-node' };
  const node = nodeAt(tree.root, path);
  if (node !== undefined && !isEnabled(node)) return { fact: 'disabled', path };
  const compatible = stringsOf(node, 'compatible');
  if (compatible.length === 0) return { fact: 'no-compatible', path };
  return { fact: 'device', path, compatible, match: drivers?.find(compatible) ?? null };
}

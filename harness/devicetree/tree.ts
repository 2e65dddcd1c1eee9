/** The device tree as a value: nothing here is changed in place, an edit makes a new tree that shares the rest. */

export interface MemoryReservation {
  /** Bytes. */
  readonly address: bigint;
  /** Bytes. */
  readonly size: bigint;
}

export interface TreeNode {
  /** With unit address, `iommu@5f000000`; the root's name is empty. */
  readonly name: string;
  /** In the blob's order; values are the raw bytes (see values.ts for what they mean). */
  readonly properties: ReadonlyMap<string, Uint8Array>;
  /** In the blob's order, which is the order in which Linux creates the devices. Names are unique. */
  readonly children: readonly TreeNode[];
}

export interface DeviceTree {
  /** `boot_cpuid_phys` of the header. */
  readonly bootCpu: number;
  readonly reservations: readonly MemoryReservation[];
  readonly root: TreeNode;
}

export interface PlacedNode {
  /** Full path, `/soc/iommu@5f000000`; the root is `/`. */
  readonly path: string;
  readonly node: TreeNode;
  /** The root is at depth 1. */
  readonly depth: number;
}

export function joinPath(parent: string, name: string): string {
  return parent === '/' ? `/${name}` : `${parent}/${name}`;
}

/** Path of the parent; the root is its own. */
export function parentPath(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}

/** Whether `path` is `top` or lies below it. */
export function isWithin(path: string, top: string): boolean {
  return path === top || top === '/' || path.startsWith(`${top}/`);
}

export function splitPath(path: string): string[] {
  return path.split('/').filter((part) => part !== '');
}

/** With fewer, looking through them is as quick. */
const INDEXED = 16;
/** Children by name of nodes that have many; nodes are never changed. */
const INDEX = new WeakMap<TreeNode, ReadonlyMap<string, TreeNode>>();

export function childNamed(node: TreeNode, name: string): TreeNode | undefined {
  const { children } = node;
  if (children.length < INDEXED) return children.find((child) => child.name === name);
  const index = INDEX.get(node) ?? new Map(children.toReversed().map((child) => [child.name, child]));
  INDEX.set(node, index);
  return index.get(name);
}

/** The node with exactly this full path. */
export function nodeAt(root: TreeNode, path: string): TreeNode | undefined {
  let node: TreeNode | undefined = root;
  for (const part of splitPath(path)) {
    node = childNamed(node, part);
    if (node === undefined) {
      return undefined;
    }
  }
  return node;
}

/** All nodes from `root` down, parents first, in the blob's order. */
export function* walk(root: TreeNode, rootPath = '/'): Generator<PlacedNode> {
  const waiting: PlacedNode[] = [{ path: rootPath, node: root, depth: 1 }];
  for (let placed = waiting.pop(); placed !== undefined; placed = waiting.pop()) {
    yield placed;
    for (const child of placed.node.children.toReversed()) {
      waiting.push({ path: joinPath(placed.path, child.name), node: child, depth: placed.depth + 1 });
    }
  }
}

/** The tree with the node at `path` replaced by `update(node)`. The node must exist. */
export function updateNode(root: TreeNode, path: string, update: (node: TreeNode) => TreeNode): TreeNode {
  const parts = splitPath(path);
  const along: TreeNode[] = [root];
  for (const part of parts) {
    const next = childNamed(along.at(-1) ?? root, part);
    if (next === undefined) {
      throw new Error(`no node ${path} in the tree: look it up before changing it`);
    }
    along.push(next);
  }
  let replaced = update(along.pop() ?? root);
  for (const [index, parent] of [...along.entries()].reverse()) {
    const name = parts[index];
    const current = replaced;
    replaced = { ...parent, children: parent.children.map((child) => (child.name === name ? current : child)) };
  }
  return replaced;
}

/** The tree without the node at `path`, which must exist and not be the root. */
export function removeNode(root: TreeNode, path: string): TreeNode {
  const name = splitPath(path).at(-1);
  return updateNode(root, parentPath(path), (parent) => ({
    ...parent,
    children: parent.children.filter((child) => child.name !== name),
  }));
}

/** A property that exists keeps its place, a new one comes last. */
export function withProperty(node: TreeNode, name: string, value: Uint8Array): TreeNode {
  return { ...node, properties: new Map(node.properties).set(name, value) };
}

export function withoutProperty(node: TreeNode, name: string): TreeNode {
  const properties = new Map(node.properties);
  properties.delete(name);
  return { ...node, properties };
}

export function emptyNode(name: string): TreeNode {
  return { name, properties: new Map(), children: [] };
}

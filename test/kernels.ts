import type { KernelArtefact } from '../harness/kernel/artefact.ts';

/** A kernel that was built and is never booted. */
export const A_KERNEL: KernelArtefact = {
  kind: 'ready',
  recipe: '6.1',
  linkage: 'builtin',
  key: 'key',
  release: '6.1.170',
  image: '/Image',
  imageHash: 'hash',
  source: 'git abc',
  modules: new Map(),
  hashes: new Map(),
  systemMap: null,
  vmlinux: null,
  deviceTrees: null,
  builtinInfo: null,
  log: null,
  dropped: [],
};

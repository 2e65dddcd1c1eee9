/** A kernel that can be booted. All paths are absolute, in the cache, and never change once published. */
export interface KernelArtefact {
  readonly kind: 'ready';
  readonly recipe: string;
  readonly linkage: string;
  /** Content key of everything that went into the build: source, patches, resolved config, compiler. */
  readonly key: string;
  /** What it was built from: `git COMMIT`, `debian VERSION`; null for a given Image. */
  readonly source: string | null;
  /** `uname -r`. */
  readonly release: string;
  readonly image: string;
  /** SHA-256 of the Image, hexadecimal. */
  readonly imageHash: string;
  /** Modules by name (underscores), with their file and the names they depend on (modules.dep order). */
  readonly modules: ReadonlyMap<string, ModuleFile>;
  /** SHA-256 of the files that the cache keeps of it, by path. */
  readonly hashes: ReadonlyMap<string, string>;
  /** `System.map`, or null where the Image has to tell its symbols itself (kallsyms.ts). */
  readonly systemMap: string | null;
  readonly vmlinux: string | null;
  /** The folder of the compiled device trees that come with it, or null. */
  readonly deviceTrees: string | null;
  /** `modules.builtin.modinfo` of its build, or null. */
  readonly builtinInfo: string | null;
  readonly log: string | null;
  /** Options that the recipe asks for and the source does not have; only where the source is not the recipe's own. */
  readonly dropped: readonly string[];
}

export interface ModuleFile {
  readonly name: string;
  readonly path: string;
  readonly depends: readonly string[];
}

/** A row whose kernel cannot exist; the verdict is `unbuildable` and the reason is Kconfig's own. */
interface Unbuildable {
  readonly kind: 'unbuildable';
  readonly recipe: string;
  readonly linkage: string;
  readonly reason: string;
}

export type KernelResult = KernelArtefact | Unbuildable;

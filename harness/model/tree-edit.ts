/** One typed edit of the base device tree. Nodes are named by full path, `/firmware/scm`, or by `&label`. */
export type TreeEdit =
  | { readonly edit: 'move'; readonly node: string; readonly to: 'first' | 'last'; readonly parent?: string }
  | { readonly edit: 'delete'; readonly node: string }
  | { readonly edit: 'disable'; readonly node: string }
  | { readonly edit: 'set'; readonly node: string; readonly property: string; readonly value: PropertyValue }
  | { readonly edit: 'unset'; readonly node: string; readonly property: string };

/** Strings become a string list, numbers become 32-bit cells, `bytes` is raw hex, `true` is an empty property. */
export type PropertyValue = string | readonly string[] | readonly number[] | { readonly bytes: string } | true;

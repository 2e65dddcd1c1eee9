import { labelsOf } from './lookup.ts';
import { type DeviceTree, joinPath, type TreeNode } from './tree.ts';
import { readCells, readStrings } from './values.ts';

/** A label of dtc's grammar (LABEL in dtc-lexer.l, 1.6.1). */
const LABEL = /^[A-Za-z_][A-Za-z0-9_]*$/;
const PRINTABLE = /^[ -~]+$/;

function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** Trees share the values that no edit has changed (tree.ts), and a run prints a tree for each cell. */
const formatted = new WeakMap<Uint8Array, string>();

/** One property value as dtc reads it back to the same bytes; strings and cells are guesses, as in every decompiler. */
export function formatValue(value: Uint8Array): string {
  const known = formatted.get(value) ?? format(value);
  formatted.set(value, known);
  return known;
}

function format(value: Uint8Array): string {
  const strings = readStrings(value);
  if (strings !== null && (value.length === 1 || strings.every((text) => PRINTABLE.test(text)))) {
    return strings.map(quote).join(', ');
  }
  const cells = readCells(value);
  if (cells !== null) {
    return `<${cells.map((cell) => `0x${cell.toString(16)}`).join(' ')}>`;
  }
  return `[${Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join(' ')}]`;
}

/** `name = value;` or `name;` */
function formatProperty(name: string, value: Uint8Array): string {
  return value.length === 0 ? `${name};` : `${name} = ${formatValue(value)};`;
}

/**
 * Device tree source of the tree: `dtc -I dts -O dtb -b BOOTCPU` gives the blob that serializeFdt() writes. Nodes carry
 * the labels of /__symbols__ to be read by people; phandles are numbers.
 */
export function toDts(tree: DeviceTree): string {
  const labels = new Map<string, string[]>();
  for (const [label, path] of labelsOf(tree)) {
    if (LABEL.test(label)) {
      labels.set(path, [...(labels.get(path) ?? []), label]);
    }
  }
  const lines: string[] = ['/dts-v1/;', ''];
  for (const { address, size } of tree.reservations) {
    lines.push(`/memreserve/ 0x${address.toString(16)} 0x${size.toString(16)};`);
  }
  const writeNode = (node: TreeNode, path: string, indent: string): void => {
    const prefix = (labels.get(path) ?? []).map((label) => `${label}: `).join('');
    lines.push(`${indent}${path === '/' ? '' : prefix}${node.name === '' ? '/' : node.name} {`);
    for (const [name, value] of node.properties) {
      lines.push(`${indent}\t${formatProperty(name, value)}`);
    }
    for (const [index, child] of node.children.entries()) {
      if (index > 0 || node.properties.size > 0) {
        lines.push('');
      }
      writeNode(child, joinPath(path, child.name), `${indent}\t`);
    }
    lines.push(`${indent}};`);
  };
  writeNode(tree.root, '/', '');
  return `${lines.join('\n')}\n`;
}

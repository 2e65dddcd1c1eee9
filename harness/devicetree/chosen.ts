import { InputError } from '../errors.ts';
import { type DeviceTree, emptyNode, nodeAt, updateNode, withProperty } from './tree.ts';
import { encodeStrings, readString } from './values.ts';

/** COMMAND_LINE_SIZE in arch/arm64/include/uapi/asm/setup.h, Linux 6.1: longer lines are cut, and the NUL counts. */
const COMMAND_LINE_SIZE = 2048;

/** A word of the command line: quotes may hold spaces (next_arg() in lib/cmdline.c, Linux 6.1). */
const WORD = /^(?:[^\s"]|"[^"\n]*")+$/;

/** The words of /chosen bootargs, as they stand there. */
export function bootargsOf(tree: DeviceTree): string {
  const value = nodeAt(tree.root, '/chosen')?.properties.get('bootargs');
  return value === undefined ? '' : (readString(value) ?? '');
}

/**
 * The tree with the kernel command line `words` in /chosen, which is made where it is missing.
 * @throws InputError for a word with an unquoted space, and for a line that the kernel would cut.
 */
export function setBootargs(tree: DeviceTree, words: readonly string[]): DeviceTree {
  const bad = words.find((word) => !WORD.test(word));
  if (bad !== undefined) {
    throw new InputError(
      `${JSON.stringify(bad)} is not one word of a kernel command line`,
      'give each word on its own, and quote spaces as in module.param="a b"',
    );
  }
  const line = encodeStrings([words.join(' ')], 'the kernel command line');
  if (line.length > COMMAND_LINE_SIZE) {
    throw new InputError(
      `the kernel command line has ${line.length - 1} bytes, and arm64 Linux cuts it at ${COMMAND_LINE_SIZE - 1}`,
      'take words out of it',
    );
  }
  const root =
    nodeAt(tree.root, '/chosen') === undefined
      ? { ...tree.root, children: [...tree.root.children, emptyNode('chosen')] }
      : tree.root;
  return { ...tree, root: updateNode(root, '/chosen', (node) => withProperty(node, 'bootargs', line)) };
}

import { printableLines } from '../printable.ts';

/**
 * What XML 1.0 cannot hold at all, not even escaped (section 2.2, Char): most control characters, lone surrogates,
 * U+FFFE and U+FFFF.
 */
const NOT_A_CHAR = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;
const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** Any text as XML text or attribute value; characters that XML cannot hold become U+FFFD. */
export function escapeXml(text: string): string {
  return printableLines(text.replace(NOT_A_CHAR, '\ufffd')).replace(
    /[&<>"\t\n\r]/g,
    (character) => ESCAPES[character] ?? '',
  );
}

/** An element; children are already XML. Attributes that are undefined are left out. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number | undefined>>,
  children: readonly string[] = [],
): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escapeXml(String(value))}"`)
    .join('');
  if (children.length === 0) return `<${name}${written}/>`;
  return `<${name}${written}>${children.join('')}</${name}>`;
}

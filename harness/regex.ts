/** The source of a regular expression that matches where one of the alternatives does. */
export function oneOf(...alternatives: readonly (string | RegExp)[]): string {
  return `(?:${alternatives.map((one) => (typeof one === 'string' ? one : one.source)).join('|')})`;
}

/** The same for a list of patterns that hold no white space, which separates them: names of functions. */
export function oneOfWords(list: string): string {
  return oneOf(...list.split(/\s+/).filter((word) => word !== ''));
}

/** Whether `pattern`, in which `*` stands for any text, fits the whole of `text`. Never goes back, so it is fast. */
export function matchesGlob(pattern: string, text: string): boolean {
  const [head = '', ...pieces] = pattern.split('*');
  const tail = pieces.pop();
  if (tail === undefined) return pattern === text;
  if (!text.startsWith(head)) return false;
  let at = head.length;
  for (const piece of pieces) {
    const found = text.indexOf(piece, at);
    if (found === -1) return false;
    at = found + piece.length;
  }
  return text.length - tail.length >= at && text.endsWith(tail);
}

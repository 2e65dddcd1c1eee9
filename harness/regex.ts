/** The source of a regular expression that matches where one of the alternatives does. */
export function oneOf(...alternatives: readonly (string | RegExp)[]): string {
  return `(?:${alternatives.map((one) => (typeof one === 'string' ? one : one.source)).join('|')})`;
}

/** The same for a list of patterns that hold no white space, which separates them: names of functions. */
export function oneOfWords(list: string): string {
  return oneOf(...list.split(/\s+/).filter((word) => word !== ''));
}

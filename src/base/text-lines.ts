/** The lines of a text, one by one, as `split("\n")` gives them all at once. */
export function* linesOf(text: string): Generator<string, void> {
  let start = 0;
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
    yield text.slice(start, end);
    start = end + 1;
  }
  yield text.slice(start);
}

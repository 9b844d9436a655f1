const LINE_END = 0x0a;

/** The lines of a text, one by one, as `split("\n")` gives them all at once. */
export function* linesOf(text: string): Generator<string, void> {
  let start = 0;
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
    yield text.slice(start, end);
    start = end + 1;
  }
  yield text.slice(start);
}

/** The lines of a text in UTF-8, each decoded when its turn has come; bytes that are not UTF-8 become U+FFFD. */
export function* linesIn(bytes: Buffer): Generator<string, void> {
  let start = 0;
  for (let end = bytes.indexOf(LINE_END); end >= 0; end = bytes.indexOf(LINE_END, start)) {
    yield bytes.toString("utf8", start, end);
    start = end + 1;
  }
  yield bytes.toString("utf8", start);
}

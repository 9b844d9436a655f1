/** Characters of a text from the client that go into the log. */
const MAX_LOGGED_LENGTH = 256;

/** As much of a text from the client as the log takes. */
export function clip(text: string): string {
  return text.length > MAX_LOGGED_LENGTH ? `${text.slice(0, MAX_LOGGED_LENGTH)}…` : text;
}

/** Whether a text matches a pattern of OpenSSH's: `*` stands for any characters, `?` for one (PATTERNS in ssh_config(5)). */
export function matchesWildcard(text: string, pattern: string): boolean {
  let [at, next] = [0, 0];
  // The index of the last `*`, and how much of the text it has taken: it can always take one character more.
  let [star, taken] = [-1, 0];
  while (at < text.length) {
    const wanted = pattern[next];
    if (wanted === "*") {
      star = next++;
      taken = at;
    } else if (wanted === "?" || (wanted !== undefined && wanted === text[at])) {
      at++;
      next++;
    } else if (star >= 0) {
      next = star + 1;
      at = ++taken;
    } else {
      return false;
    }
  }
  return /^\**$/.test(pattern.slice(next));
}

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PathPattern } from "../../../src/files/rules/path-pattern.js";
import { extent } from "../../support/extent.js";
import { run } from "../../support/tools.js";

const pattern = (text: string) => new PathPattern("path", text, "as it is");
const namesOf = (path: string) => (path === "/" ? [] : path.slice(1).split("/"));

function matches(text: string, path: string): boolean {
  const names = namesOf(path);
  const compiled = pattern(text);
  const startsSo = compiled.literals.every((literal, index) => names[index] === literal);
  return startsSo && compiled.matchesRest(path, names, names.at(-1) ?? "");
}

const NAMES = ["a", "b", "ab", ".a", "é", "A1", "a b", "x\ny", "*", "[x]"];
const PARTS = ["*", "?", "**", "a*", "*b", ".*", "[ab]", "[!a]", "[[:alpha:]]*", "*[[:digit:]]", "a", "b", "é", "??"];
const ESCAPED = ["[*]", "[.]a", "x?y", "a[ ]b", "[[]x]", "\\a*", "[[]?[]]", "[]x[]?[]]"];

const paths = NAMES.flatMap((one) => [
  `/${one}`,
  ...NAMES.flatMap((two) => [`/${one}/${two}`, ...["a", ".a", "b"].map((three) => `/${one}/${two}/${three}`)]),
]);

const aPattern = fc
  .array(fc.constantFrom(...PARTS, ...PARTS, ...ESCAPED), { minLength: 1, maxLength: 4 })
  .map((parts) => `/${parts.join("/")}`);

describe("PathPattern", () => {
  it("matches what bash finds with globstar and dotglob", async () => {
    // All are directories: a file has nothing in it, and bash leaves it out of `file/**`.
    const script = `
      cd "$(mktemp -d)" && trap 'rm -r "$PWD"' EXIT
      shopt -s globstar dotglob nullglob
      IFS=
      while read -r -d '' path; do mkdir -p "./$path"; done < <(printf '%s' "$PATHS" | base64 -d)
      while read -r -d '' pattern; do
        # A pattern without any wildcard stays as it is, whether there is such a name or not.
        for found in $pattern; do [ -e "./$found" ] && printf '%s\\t%s\\0' "$pattern" "$found"; done
      done < <(printf '%s' "$PATTERNS" | base64 -d)`;
    const texts = [...new Set(fc.sample(aPattern, extent(150, 1000)))];
    const encoded = (list: readonly string[]) =>
      Buffer.from(list.map((text) => `${text.slice(1)}\0`).join("")).toString("base64");
    const environment = { PATHS: encoded(paths), PATTERNS: encoded(texts), LC_ALL: "C.UTF-8" };
    const { stdout, stderr } = await run("bash", ["-c", script], { environment });
    const found = new Set(
      stdout
        .toString()
        .split("\0")
        .filter((line) => line !== "")
        .map((line) => `/${line.replace(/\/$/, "").replace("\t", "\t/")}`),
    );
    expect(found.size, stderr.toString()).toBeGreaterThan(300);
    const ours = texts.flatMap((text) => paths.filter((path) => matches(text, path)).map((path) => `${text}\t${path}`));
    expect(ours.filter((line) => !found.has(line))).toEqual([]);
    const matched = new Set(ours);
    expect([...found].filter((line) => !matched.has(line))).toEqual([]);
  });

  it("takes ** for any number of names, none among them", () => {
    for (const path of ["/docs", "/docs/a", "/docs/a/b/.c"]) expect(matches("/docs/**", path), path).toBe(true);
    for (const path of ["/", "/docs", "/.x/y"]) expect(matches("/**", path), path).toBe(true);
    for (const path of ["/key", "/a/key", "/a/b/key"]) expect(matches("/**/key", path), path).toBe(true);
    for (const path of ["/docs2", "/doc", "/x/docs"]) expect(matches("/docs/**", path), path).toBe(false);
    expect(matches("/", "/")).toBe(true);
    expect(matches("/*", "/")).toBe(false);
    expect(matches("/a/**/**/b", "/a/b")).toBe(true);
  });

  it("compares bytes: other case is another name, and a byte that is not UTF-8 a character", () => {
    expect(matches("/Docs/*", "/docs/a")).toBe(false);
    expect(matches("/\udcff?", "/\udcff\udcfe")).toBe(true);
    expect(matches("/*\udc80", "/\ud83d\udc80")).toBe(false);
    expect(matches("/?", "/\ud83d\udc80")).toBe(true);
    expect(matches("/a*", "/a\n\u2028b")).toBe(true);
    expect(matches("/caf\u00e9", "/cafe\u0301")).toBe(false);
  });

  it("is not slowed down by names that nearly match", () => {
    const names = [...new Array<string>(15).fill("a".repeat(255)), ...new Array<string>(100).fill("a")];
    const start = performance.now();
    for (const text of [
      `/**/${"*a".repeat(60)}b/**`,
      `/**/${"a/**/".repeat(60)}c/**`,
      `/**/${"?/*/".repeat(40)}b*/**`,
    ]) {
      // What a path must have in it is there, so that all of it is looked at.
      expect(pattern(text).matchesRest("/abc", names, "a")).toBe(false);
    }
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it("covers another only where it matches all that the other matches", () => {
    fc.assert(
      fc.property(aPattern, aPattern, (text, other) => {
        if (!pattern(text).covers(pattern(other))) return;
        const lost = paths.filter((path) => matches(other, path) && !matches(text, path));
        expect(lost).toEqual([]);
      }),
      { numRuns: extent(300, 10_000) },
    );
    const covered: readonly (readonly [string, string])[] = [
      ["/**", "/a/*/c"],
      ["/a/**", "/a"],
      ["/a/**", "/a/**/b"],
      ["/*", "/?"],
      ["/**/*.key", "/a/b*.key"],
      ["/a/*/c", "/a/b/c"],
      ["/**/a", "/b/**/a"],
      ["/**", "/"],
    ];
    for (const [text, other] of covered) expect(pattern(text).covers(pattern(other)), `${text} ${other}`).toBe(true);
    const uncovered: readonly (readonly [string, string])[] = [
      ["/*", "/**"],
      ["/a/*", "/a/**"],
      ["/a/**/b", "/a/**"],
      ["/[ab]", "/*"],
      ["/*/a", "/a"],
    ];
    for (const [text, other] of uncovered) expect(pattern(text).covers(pattern(other)), `${text} ${other}`).toBe(false);
  });

  it.each([
    ["docs/*", 'must begin with a slash: "/docs/*"'],
    ["**/x", "must begin with a slash"],
    ["", "must begin with a slash"],
    ["/docs/", 'must not end in a slash: a directory has none, and "/docs/**" is all that lies in it'],
    ["/docs//x", "two slashes"],
    ["/docs/../x", "must not have . or .."],
    ["/./x", "must not have . or .."],
    ["/a**", 'must have ** alone between slashes: "/a/**" is /a and all that lies in it, "/a*" is names'],
    ["/***", "must have ** alone between slashes"],
    ["/a\0b", "must not hold NUL"],
    ["/\ud800", "half a character"],
    ["/[ab", "a [ that is not closed"],
    ["/a[]", "a [ that is not closed"],
    ["/[!]", "a [ that is not closed"],
    ["/[[:alpha:]", "a [ that is not closed"],
    ["/a[/]b", "a [ that is not closed"],
    ["/a\\", "must not end a name in a backslash"],
    ["/a\\/b", "must not end a name in a backslash"],
    ["/*.{jpg,png}", "write a rule for each"],
    ["/{1..9}", "write a rule for each"],
    ["/!(a)", "must not have ?(…)"],
    ["/*(a|b)", "must not have ?(…)"],
    ["/[z-a]", "has the range z-a, which is empty"],
    ["/x[!9-0]", "has the range 9-0, which is empty"],
    ["/[[:nix:]]", "no known class [:nix:]"],
    ["/[[=a=]]", "must not have [=…=] in a set"],
    ["/[[.a.]]", "must not have [.….] in a set"],
    [`/${"a".repeat(513)}`, "must not have more than 512 characters"],
    ["/a".repeat(129), "must not have more than 128 names"],
    [`/${"a/".repeat(3000)}`, "is too long"],
  ])("refuses %j", (text, problem) => {
    expect(() => pattern(text)).toThrow(problem);
    expect(() => pattern(text)).toThrow(/^path: /);
  });

  it.each(["/\\[ab", "/\\{a,b\\}", "/\\*\\*", "/a\\*\\(b\\)", "/[]a]", "/[a-]", "/[!]a-z]", "/a\\\\", "/{a}", "/a(1)"])(
    "takes %j",
    (text) => {
      expect(pattern(text).text).toBe(text);
    },
  );
});

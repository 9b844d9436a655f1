import { describe, expect, it } from "vitest";
import { NamePattern } from "../../src/files/name-pattern.js";
import { run } from "../support/tools.js";

const PATTERNS = [
  ...["*", "*.txt", "a*b*c", "?", "??", "[abc]", "[a-c]x", "[!a]", "[^a]b", "[]]", "[]a]", "[a-]", "[!]]", "a[", "[ab"],
  ...[".*", "\\.*", "?hidden", "[.]hidden", "*hidden", "x[\\]]", "[a\\-c]", "ü?", "[ä-ü]x", "**a"],
  ...[
    "[[:digit:]]*",
    "*[[:upper:]]",
    "[![:alpha:]]",
    "[[:alpha:]_]x",
    "[[:punct:][:space:]]",
    "[:digit:]",
    "[[:nix:]]",
  ],
  ...["[[:digit:]", "[[:lower:]-z]", "*a*", "x*y", "*x", "a*", "??*", "*ü", "ü*"],
];
const NAMES = [
  ...[
    "a",
    "b",
    "c",
    "-",
    "]",
    "[",
    "*",
    "ab",
    "ax",
    "bx",
    "cx",
    "dx",
    "abc",
    "aXbYc",
    "aXcYb",
    "x]",
    "x\\",
    "a.txt",
    ".txt",
  ],
  ...[
    ".hidden",
    "hidden",
    "xhidden",
    "[a]",
    "[ab",
    "a[",
    "üx",
    "öx",
    "ü",
    "aaa",
    "1",
    "12",
    "1A",
    "A",
    "_",
    "_x",
    " ",
    ":",
    "d",
    "xy",
    "xäy",
    "x",
    "bü",
  ],
];

describe("NamePattern", () => {
  it("matches what a shell matches", async () => {
    // `find` on the command line, like `case`, would match dots at the start too: names are listed by the shell itself.
    const script = `
      cd "$(mktemp -d)" && trap 'rm -r "$PWD"' EXIT
      printf '%s\\n' "$NAMES" | while IFS= read -r name; do : > "./$name"; done
      printf '%s\\n' "$PATTERNS" | while IFS= read -r pattern; do
        for name in $pattern; do [ -e "./$name" ] && [ "$name" != . ] && [ "$name" != .. ] && printf '%s\\t%s\\n' "$pattern" "$name"; done
      done; true`;
    const environment = { NAMES: NAMES.join("\n"), PATTERNS: PATTERNS.join("\n"), IFS: "\n", LC_ALL: "C.UTF-8" };
    const { stdout, stderr } = await run("bash", ["-c", script], { environment });
    const fromShell = stdout
      .toString()
      .split("\n")
      .filter((line) => line !== "");
    expect(fromShell.length, stderr).toBeGreaterThan(60);
    const ours = PATTERNS.flatMap((pattern) => {
      const compiled = new NamePattern(pattern);
      return NAMES.filter((name) => compiled.matches(name)).map((name) => `${pattern}\t${name}`);
    });
    expect(ours.sort()).toEqual(fromShell.sort());
  });

  it("knows a pattern that stands for one name", () => {
    expect(new NamePattern("a\\*b").literal).toBe("a*b");
    expect(new NamePattern("[a").literal).toBe("[a");
    expect(new NamePattern("a*").literal).toBeUndefined();
  });

  it("matches characters that are not UTF-8 one by one", () => {
    expect(new NamePattern("a??b").matches("a\udcff\udcfeb")).toBe(true);
    expect(new NamePattern("a?b").matches("a\udcff\udcfeb")).toBe(false);
  });

  it("is not slowed down by many stars", () => {
    const pattern = new NamePattern(`${"*a".repeat(120)}b`);
    const start = performance.now();
    expect(pattern.matches("a".repeat(255))).toBe(false);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it("knows what covers another, as far as it says so", () => {
    const pattern = (text: string) => new NamePattern(text, "are matched");
    const texts = [...PATTERNS, "*.key", "a*.key", "*a*.key", "key", ".key", "a.key"];
    const names = [...NAMES, "a.key", ".key", "aa.key", "b.key", "key"];
    let covered = 0;
    for (const text of texts) {
      for (const other of texts) {
        if (!pattern(text).covers(pattern(other))) continue;
        covered++;
        const lost = names.filter((name) => pattern(other).matches(name) && !pattern(text).matches(name));
        expect(lost, `${text} covers ${other}`).toEqual([]);
      }
    }
    expect(covered).toBeGreaterThan(texts.length);
    expect(pattern("*.key").covers(pattern("a*.key"))).toBe(true);
    expect(pattern("*").covers(pattern("[ab]?c*"))).toBe(true);
    expect(pattern("a*a").covers(pattern("a"))).toBe(false);
    expect(new NamePattern("*").covers(pattern("*"))).toBe(false);
  });
});

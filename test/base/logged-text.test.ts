import { describe, expect, it } from "vitest";
import { loggedBytes, loggedError, loggedPath, loggedText } from "../../src/base/logged-text.js";

describe.each([loggedText, loggedBytes])("%o", (logged) => {
  it("leaves the first 256 characters, and shows that there were more", () => {
    expect(logged("x".repeat(256))).toBe("x".repeat(256));
    expect(logged("x".repeat(257))).toBe(`${"x".repeat(256)}…`);
  });
});

it("a text keeps its letters and loses what moves a cursor or turns text around", () => {
  expect(loggedText("Jürgen 漢字 👍")).toBe("Jürgen 漢字 👍");
  expect(loggedText("a\x1b[2J\r\nb\x7f\x9b\u202e\u2028c\ud800")).toBe(
    "a\\u{1b}[2J\\u{d}\\u{a}b\\u{7f}\\u{9b}\\u{202e}\\u{2028}c\\u{d800}",
  );
});

it("bytes keep what is US-ASCII", () => {
  expect(loggedBytes("SSH-2.0-cli\xe4nt \x1b[2J\t")).toBe("SSH-2.0-cli\\xe4nt \\x1b[2J\\x09");
});

it("a path is cut where none is so long, and loses the same", () => {
  expect(loggedPath("/".repeat(4096))).toBe("/".repeat(4096));
  expect(loggedPath("/".repeat(4097))).toBe(`${"/".repeat(4096)}…`);
  expect(loggedPath("/a\nb")).toBe("/a\\u{a}b");
});

it("an error is what it was, unless its message moves a cursor", () => {
  for (const plain of [new Error("open '/run/x'"), "text", undefined]) expect(loggedError(plain)).toBe(plain);
  const shown = loggedError(
    Object.assign(new Error("open '/run/\x1b[2J\n'"), { code: "ENOENT", path: "/run/\x1b[2J\n" }),
  );
  expect(shown).toMatchObject({ message: "open '/run/\\u{1b}[2J\\u{a}'", code: "ENOENT" });
  expect(JSON.stringify([shown, (shown as Error).stack])).not.toContain("\\u001b");
});

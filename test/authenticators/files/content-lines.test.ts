import { describe, expect, it } from "vitest";
import { parseLines } from "../../../src/authenticators/files/content-lines.js";

function parse(text: string) {
  return parseLines(text, ({ content }) => {
    if (content.startsWith("bad")) throw new Error(`no ${content}`);
    return { content };
  });
}

describe("parseLines", () => {
  it("leaves out comments and empty lines, whatever ends them", () => {
    expect(parse("# a\r\n\r\none\r\n \t# b\n  two \t\n\n#three").entries).toEqual([
      { line: 3, content: "one" },
      { line: 5, content: "two" },
    ]);
    expect(parse("")).toEqual({ entries: [], refused: [], isWhole: true });
  });

  it("refuses a bad line, and no other", () => {
    expect(parse("one\nbad\nbadder\ntwo")).toEqual({
      entries: [
        { line: 1, content: "one" },
        { line: 4, content: "two" },
      ],
      refused: [
        { line: 2, reason: "no bad" },
        { line: 3, reason: "no badder" },
      ],
      isWhole: true,
    });
  });

  it("reads no further where a thousand lines are bad: each costs time and a line of the log", () => {
    const { entries, refused, isWhole } = parse(`one\n${"bad\n".repeat(1000)}two\n${"bad\n".repeat(1000)}`);
    expect(entries.map(({ line }) => line)).toEqual([1]);
    expect(refused).toHaveLength(1001);
    expect(isWhole).toBe(false);
    expect(refused.at(-1)).toEqual({ line: 1002, reason: "too many lines cannot be used: it is not read further" });
    expect(parse(`${"bad\n".repeat(999)}two\nbad`)).toMatchObject({ entries: [{ line: 1000 }] });
  });

  it("refuses lines that are too long or hold a NUL", () => {
    const { entries, refused } = parse(`${"x".repeat(32_769)}\n${"x".repeat(32_768)}\na\0b`);
    expect(entries.map(({ line }) => line)).toEqual([2]);
    expect(refused).toEqual([
      { line: 1, reason: "the line is too long" },
      { line: 3, reason: "the line holds a NUL" },
    ]);
  });
});

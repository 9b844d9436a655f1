import { describe, expect, it } from "vitest";
import { ScreenState } from "../../../src/session/terminal/screen-state.js";

/** What undoes some output, of which every byte comes alone. */
function undoOf(output: string): string {
  const screen = new ScreenState();
  for (const byte of Buffer.from(output)) screen.write(Buffer.of(byte));
  const whole = new ScreenState();
  whole.write(Buffer.from(output));
  expect(whole.undo()).toBe(screen.undo());
  return screen.undo();
}

const ALTERNATE = "\u001b[?1049h";

describe("what a program leaves on the screen", () => {
  it.each([
    ["text", "hello\r\n", ""],
    ["a hidden cursor", "\u001b[?25l", "\u001b[?25h"],
    ["the alternate screen", ALTERNATE, "\u001b[?1049l"],
    ["autowrap that is off", "\u001b[?7l", "\u001b[?7h"],
    ["mouse and paste modes", "\u001b[?1000;1006h\u001b[?2004h", "\u001b[?1000l\u001b[?1006l\u001b[?2004l"],
    ["colours", "\u001b[1;31mred", "\u001b[0m"],
    ["colours in the form with colons", "\u001b[38:2::1:2:3mred", "\u001b[0m"],
    ["a scrolling region", "\u001b[2;10r", "\u001b7\u001b[r\u001b8"],
    ["keypad keys", "\u001b=", "\u001b>"],
    ["another cursor", "\u001b[5 q", "\u001b[0 q"],
    ["levels of the keyboard protocol", "\u001b[>1u\u001b[>3u", "\u001b[<2u"],
    ["flags of the keyboard protocol", "\u001b[=1;1u", "\u001b[=0u"],
    ["modified keys", "\u001b[>4;2m", "\u001b[>4m"],
    ["output that is held back", "\u001b[?2026h", "\u001b[?2026l"],
  ])("is undone: %s", (_what, output, undo) => {
    expect(undoOf(output)).toBe(undo);
    expect(undoOf(output + undo)).toBe("");
  });

  it.each([
    ["what the program has undone", `${ALTERNATE}\u001b[?25l\u001b[31mred\u001b[m\u001b[?25h\u001b[?1049l`],
    ["colours that were reset", "\u001b[31mred\u001b[0m \u001b[1;31mred\u001b[39;0m"],
    ["the terminal's reset", `${ALTERNATE}\u001b[?25l\u001b[31m\u001b[>1u\u001b[2;3r\u001b=\u001bc`],
    ["levels that were popped", "\u001b[>1u\u001b[>1u\u001b[<2u\u001b[<u"],
    ["modes that are set from the start", "\u001b[?25h\u001b[?7h"],
    [
      "cursor moves, questions, titles",
      "\u001b[2;3H\u001b[?u\u001b[c\u001b[?1$p\u001b]0;\u001b]0;title\u0007\u001b(B\u001b[u",
    ],
    ["escapes that are not control sequences", "\u001bm\u001bh\u001b[?4m\u001b[!p\u001b#8"],
    ["texts that look like sequences", "[?25l \u001b]0;[?25l\u001b\\ \u001bP1$r[?25l\u001b\\"],
    ["saved cursors and wide lines", "\u001b[?1048h\u001b[?3h"],
  ])("is left alone: %s", (_what, output) => {
    expect(undoOf(output)).toBe("");
  });

  it("is undone in an order in which it works", () => {
    const output = `\u001b[>1u${ALTERNATE}\u001b[>5u\u001b[?25l\u001b[31m`;
    expect(undoOf(output)).toBe("\u001b[<1u\u001b[0m\u001b[?1049l\u001b[<1u\u001b[?25h");
  });

  it("ends a sequence that was cut off", () => {
    expect(undoOf("\u001b[?25l\u001b]0;title")).toBe("\u0018\u001b[?25h");
    expect(undoOf("\u001b[")).toBe("\u0018");
  });

  it("is bounded", () => {
    const screen = new ScreenState();
    const modes = Array.from({ length: 5000 }, (_, mode) => `\u001b[?${mode + 5000}h`).join("");
    screen.write(Buffer.from(`${modes}\u001b[>1u`.repeat(5)));
    screen.write(Buffer.from(`\u001b[${"1;".repeat(100_000)}1m`));
    expect(screen.undo().length).toBeLessThan(1000);
  });
});

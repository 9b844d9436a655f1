import { describe, expect, it } from "vitest";
import { LineDiscipline } from "../../../src/session/terminal/line-discipline.js";
import { readTerminalModes } from "../../../src/session/terminal/terminal-settings.js";

interface Typed {
  readonly read: string[];
  readonly echoed: string;
  readonly signals: string[];
  readonly ended: boolean;
}

/** What comes of keys that are typed, in so many pieces. */
function typed(keys: string | readonly string[], modes: Record<string, number> = {}): Typed {
  const result = { read: [] as string[], echoed: "", signals: [] as string[], ended: false };
  const discipline = new LineDiscipline(readTerminalModes(new Map(Object.entries(modes))), {
    read: (bytes) => result.read.push(bytes.toString()),
    end: () => {
      result.ended = true;
    },
    echo: (bytes) => {
      result.echoed += bytes.toString();
    },
    signal: (name) => result.signals.push(name),
  });
  for (const piece of typeof keys === "string" ? [keys] : keys) discipline.receive(Buffer.from(piece));
  return result;
}

/** As a terminal shows it: what was erased is gone. */
function shown(echoed: string): string {
  const cells: string[] = [];
  let column = 0;
  for (const character of echoed) {
    if (character === "\b") column--;
    else cells[column++] = character;
  }
  return cells.join("").trimEnd();
}

describe("a terminal that edits lines", () => {
  it("gives lines as they are ended, and echoes them", () => {
    const { read, echoed } = typed(["he", "llo\rwor", "ld\nrest"]);
    expect(read).toEqual(["hello\n", "world\n"]);
    expect(echoed).toBe("hello\nworld\nrest");
  });

  it.each([
    ["erases the last character", "helo\u007f\u007fllo\r", "hello"],
    ["erases nothing before the start", "\u007f\u007fhello\r", "hello"],
    ["erases a character of two bytes", "caf\u00e9\u007fe\r", "cafe"],
    ["erases a character of three bytes", "a\u20ac\u007fb\r", "ab"],
    ["erases a tab", "a\t\u007fb\r", "ab"],
    ["erases a control character", "a\u0001\u007fb\r", "ab"],
    ["erases a word, and the blanks behind it", "rm file_1.txt  \u0017\u0017dir\r", "rm dir"],
    ["erases a line", "something\u0015else\r", "else"],
  ])("%s", (_name, keys, line) => {
    const { read, echoed } = typed(keys);
    expect(read).toEqual([`${line}\n`]);
    expect(shown(echoed.replace("\n", ""))).toBe(line);
  });

  it("erases both columns of a wide character", () => {
    expect(typed("\u6f22\u007f").echoed).toBe("\u6f22\b \b\b \b");
    expect(typed("\u{1f600}\u007f").echoed).toBe("\u{1f600}\b \b\b \b");
    expect(typed("e\u0301\u007f").echoed).toBe("e\u0301");
  });

  it("erases bytes where characters have one each", () => {
    expect(typed([..."caf\u00e9\u007f\r"].join(""), { IUTF8: 0 }).read).toEqual(["caf\ufffd\n"]);
  });

  it("ends the input at ^D on an empty line, and gives a line that has begun", () => {
    expect(typed("\u0004")).toMatchObject({ read: [], ended: true });
    expect(typed("abc\u0004")).toMatchObject({ read: ["abc"], ended: false });
    expect(typed("abc\u0004\u0004")).toMatchObject({ read: ["abc"], ended: true });
  });

  it("turns characters into signals, which take the line with them", () => {
    const { read, echoed, signals } = typed("abc\u0003def\u001a\u001cghi\r");
    expect(signals).toEqual(["INT", "TSTP", "QUIT"]);
    expect(read).toEqual(["ghi\n"]);
    expect(echoed).toBe("abc^Cdef^Z^\\ghi\n");
    expect(typed("abc\u0003def\r", { NOFLSH: 1 }).read).toEqual(["abcdef\n"]);
  });

  it.each([
    [{ ECHO: 0 }, "abc\u007f\u0003\r", ["\n"], ""],
    [{ ISIG: 0 }, "a\u0003\r", ["a\u0003\n"], "a^C\n"],
    [{ ICRNL: 0 }, "a\rb\n", ["a\rb\n"], "a^Mb\n"],
    [{ IGNCR: 1 }, "a\rb\n", ["ab\n"], "ab\n"],
    [{ INLCR: 1, ICRNL: 0 }, "a\nb\u0004", ["a\rb"], "a^Mb"],
    [{ ECHOCTL: 0 }, "a\u0001\r", ["a\u0001\n"], "a\u0001\n"],
    [{ ISTRIP: 1, IUTF8: 0 }, "\u00e1\r", ["C!\n"], "C!\n"],
    [{ VERASE: 8, VINTR: 255, VKILL: 0x18 }, "ab\b\u0003\r", ["a\u0003\n"], "ab\b \b^C\n"],
    [{ VINTR: 0 }, "a\u0000\r", ["a\u0000\n"], "a^@\n"],
    [{ ICANON: 0 }, "ab\r\u0004", ["ab\n\u0004"], "ab\n^D"],
    [{ ICANON: 0, ECHO: 0, ISIG: 0, ICRNL: 0 }, "ab\r\u0003", ["ab\r\u0003"], ""],
  ])("follows the client's modes %o", (modes, keys, read, echoed) => {
    expect(typed(keys, modes)).toMatchObject({ read, echoed });
  });

  it("takes lines of 4096 bytes, and beeps beyond that, once for each piece of input", () => {
    const { read, echoed } = typed(["x".repeat(5000), "x".repeat(5000), "\ry\r"]);
    expect(read.map((line) => line.length)).toEqual([4096, 2]);
    expect(echoed.replaceAll("x", "")).toBe("\u0007\u0007\ny\n");
  });
});

describe("a terminal in raw mode", () => {
  const modes = readTerminalModes(new Map());

  it("gives bytes as they come, and what was typed of a line before", () => {
    const read: string[] = [];
    const discipline = new LineDiscipline(modes, {
      read: (bytes) => read.push(bytes.toString()),
      end: () => read.push("end"),
      echo: (bytes) => read.push(`echo ${bytes.toString()}`),
      signal: (name) => read.push(`signal ${name}`),
    });
    discipline.receive(Buffer.from("ab"));
    discipline.setMode("raw");
    discipline.receive(Buffer.from("\u0003\u0004\r\u007f"));
    discipline.setMode("cooked");
    discipline.receive(Buffer.from("\u0003"));
    expect(read).toEqual(["echo ab", "ab", "\u0003\u0004\r\u007f", "echo ^C", "signal INT"]);
  });

  it("may begin within a piece of input", () => {
    const read: string[] = [];
    const discipline = new LineDiscipline(modes, {
      read: (bytes) => {
        read.push(bytes.toString());
        discipline.setMode("raw");
      },
      end: () => {},
      echo: () => {},
      signal: () => {},
    });
    discipline.receive(Buffer.from("line\rkeys\r"));
    expect(read).toEqual(["line\n", "keys\r"]);
  });
});

import { once } from "node:events";
import { createInterface } from "node:readline";
import { createInterface as createPromisesInterface } from "node:readline/promises";
import { finished } from "node:stream/promises";
import { describe, expect, it } from "vitest";
import { createTerminal } from "../../../src/session/terminal/session-terminal.js";
import { inputOf, openTestChannel, outputOf, settled } from "../../connection/test-channel.js";
import { openTestTerminal } from "./terminal-fixture.js";

describe("the screen of a terminal", () => {
  it("gets returns before newlines, each once, wherever output is cut", async () => {
    const { terminal, screen } = openTestTerminal();
    for (const piece of ["a\nb\r\nc\r", "\nd\n", "\n", "e\r", "f\n"]) terminal.output.write(piece);
    await settled();
    expect(screen()).toBe("a\r\nb\r\nc\r\nd\r\n\r\ne\rf\r\n");
  });

  it.each([{ OPOST: 0 }, { ONLCR: 0 }])("gets newlines alone by the client's modes %o", async (modes) => {
    const { terminal, screen } = openTestTerminal({ modes: new Map(Object.entries(modes)) });
    terminal.output.write("a\nb");
    await settled();
    expect(screen()).toBe("a\nb");
  });

  it("gets returns in raw mode, too, as from Node.js", async () => {
    const { terminal, screen } = openTestTerminal({ modes: new Map([["ONLCR", 0]]) });
    terminal.input.setRawMode(true);
    terminal.output.write("a\n");
    await settled();
    expect(screen()).toBe("a\r\n");
  });

  it.each([
    [100, 30, 100, 30],
    [0, 0, 80, 24],
    [1, 0, 1, 24],
    [0xffffffff, 0xffffffff, 10_000, 10_000],
  ])("has a sane size where the client says %d by %d", (width, height, columns, rows) => {
    const { terminal } = openTestTerminal({ width, height });
    expect(terminal).toMatchObject({ columns, rows });
    expect(terminal.output).toMatchObject({ columns, rows });
    expect(terminal.output.getWindowSize()).toEqual([columns, rows]);
  });

  it.each([
    ["xterm-256color", "xterm-256color"],
    ["", "dumb"],
    ["xterm\u001b[2J", "dumb"],
    ["../../etc/passwd", "dumb"],
    ["x".repeat(100_000), "dumb"],
    ["xt\u00e9rm", "dumb"],
  ])("has a type that is safe to use for %j", (term, expected) => {
    expect(openTestTerminal({ term: Buffer.from(term) }).terminal.term).toBe(expected);
  });

  it("tells of many resizes once, with the latest size", async () => {
    const { terminal, resize } = openTestTerminal();
    const sizes: string[] = [];
    terminal.output.on("resize", () => sizes.push(terminal.output.getWindowSize().join()));
    for (let width = 1; width <= 10_000; width++) resize(width, 50);
    expect(terminal.columns).toBe(10_000);
    await settled();
    resize(10_000, 50);
    await settled();
    resize(80, 24);
    await settled();
    expect(sizes).toEqual(["10000,50", "80,24"]);
  });

  it("keeps what a listener of resize throws to its own connection", async () => {
    const { terminal, link, resize } = openTestTerminal();
    terminal.output.on("resize", () => {
      throw new Error("cannot draw");
    });
    resize(80, 24);
    await settled();
    expect(link.ignoredErrors).toMatchObject([{ cause: { message: "cannot draw" } }]);
  });

  it.each([
    ["dumb", undefined, 1],
    ["xterm", undefined, 4],
    ["xterm-256color", undefined, 8],
    ["xterm", "truecolor", 24],
  ])("has the colours of TERM=%s COLORTERM=%s", (term, colorTerm, depth) => {
    const { terminal, channel } = openTestTerminal({ term: Buffer.from(term) });
    if (colorTerm !== undefined) channel.environment.set("COLORTERM", Buffer.from(colorTerm));
    expect(terminal.output.getColorDepth()).toBe(depth);
    expect(terminal.output.hasColors(2 ** depth)).toBe(true);
    expect(terminal.output.hasColors(2 ** (depth + 1))).toBe(false);
    expect(terminal.output.hasColors()).toBe(depth >= 4);
    expect(terminal.output.getColorDepth({ TERM: "dumb" })).toBe(1);
  });

  it("moves the cursor and clears", async () => {
    const { terminal, screen } = openTestTerminal();
    const { output } = terminal;
    let calls = 0;
    const count = () => calls++;
    output.cursorTo(2, 3, count);
    output.cursorTo(4, count);
    output.moveCursor(-1, 1, count);
    output.clearLine(0, count);
    output.clearScreenDown(count);
    await settled();
    expect(screen()).toBe("\u001b[4;3H\u001b[5G\u001b[1D\u001b[1B\u001b[2K\u001b[0J");
    expect(calls).toBe(5);
  });

  it("holds writers back while the client does not read, and tells them when it does", async () => {
    const { terminal, channel, screen } = openTestTerminal({}, { windowSize: 10 });
    const { output } = terminal;
    for (let count = 0; output.write("x".repeat(1000)); count++) expect(count).toBeLessThan(1000);
    await settled();
    expect(output.writableNeedDrain).toBe(true);
    expect(screen()).toHaveLength(10);
    const drained = once(output, "drain");
    outputOf(channel).adjustWindow(10_000_000);
    await drained;
    output.end();
    await finished(output);
    expect(screen().length % 1000).toBe(0);
  });

  it("is restored, once, and when it is ended", async () => {
    const { terminal, screen } = openTestTerminal();
    terminal.output.write("\u001b[?1049h\u001b[?25l");
    terminal.restore();
    terminal.restore();
    terminal.output.write("\u001b[31m");
    terminal.output.end();
    terminal.restore();
    await finished(terminal.output);
    expect(screen()).toBe("\u001b[?1049h\u001b[?25l\u001b[?1049l\u001b[?25h\u001b[31m\u001b[0m");
  });

  it("throws nothing at a program that goes on after its end", async () => {
    const { terminal, channel } = openTestTerminal();
    terminal.output.write("a");
    channel.destroy();
    await settled();
    expect(terminal.output.write("b")).toBe(false);
    expect(terminal.output.destroyed).toBe(true);
    terminal.restore();
    terminal.input.setRawMode(true).ref().unref();
    terminal.lend()();
    const other = openTestTerminal();
    other.terminal.output.end();
    other.terminal.output.write("c");
    await settled();
    other.channel.close();
    openTestTerminal().terminal.output.write("d");
    await settled();
  });

  it("ends a program's waiting when the client is gone", async () => {
    const { terminal, channel } = openTestTerminal({}, { windowSize: 10 });
    terminal.output.write("x".repeat(200_000));
    const ended = finished(terminal.output).catch((error: Error) => error);
    channel.destroy();
    expect(await ended).toBeInstanceOf(Error);
  });
});

describe("the keys of a terminal", () => {
  it("are lines until raw mode is set", async () => {
    const { terminal, type, screen } = openTestTerminal();
    const read: string[] = [];
    terminal.input.setEncoding("utf8").on("data", (keys: string) => read.push(keys));
    expect(terminal.input).toMatchObject({ isTTY: true, isRaw: false });
    expect(terminal.input).not.toHaveProperty("fd");
    type("one\rtw");
    await settled();
    expect(terminal.input.setRawMode(true)).toBe(terminal.input);
    expect(terminal.input.isRaw).toBe(true);
    type("o\r\u0003");
    await settled();
    terminal.input.setRawMode(false);
    type("x\u007fthree\r");
    await settled();
    expect(read.join("")).toBe("one\ntwo\r\u0003three\n");
    expect(screen()).toBe("one\r\ntwx\b \bthree\r\n");
  });

  it("are heard as signals although no program reads, and behind the end of the input", async () => {
    const { terminal, type, signals } = openTestTerminal();
    type("abc\u0003");
    type("\u0004");
    await settled();
    expect(signals).toEqual(["INT"]);
    terminal.input.resume();
    await once(terminal.input, "end");
    await settled();
    type("def\r\u0003");
    await settled();
    expect(signals).toEqual(["INT", "INT"]);
  });

  it("wait in the client while the program does not read", async () => {
    const window = 256 * 1024;
    const { terminal, type, link } = openTestTerminal({}, { maxWindowSize: window });
    terminal.input.setRawMode(true);
    const sent = window / 2;
    for (let count = 0; count < sent / 1024; count++) type("k".repeat(1024));
    await settled();
    expect(link.granted).toBeLessThan(sent);
    let read = 0;
    terminal.input.on("data", (keys: Buffer) => {
      read += keys.length;
    });
    await settled();
    expect(read).toBe(sent);
  });

  it("are echoed to a client that reads, and wait where it does not", async () => {
    const window = 1024 * 1024;
    const { terminal, channel, type } = openTestTerminal({}, { windowSize: 10, maxWindowSize: window });
    terminal.input.resume();
    for (let count = 0; count < 500; count++) type(`${"k".repeat(1023)}\r`);
    await settled();
    expect(terminal.output.writableLength + channel.writableLength).toBeLessThan(200_000);
    expect(channel.readableLength).toBeGreaterThan(200_000);
    outputOf(channel).adjustWindow(10_000_000);
    await settled();
    expect(channel.readableLength).toBe(0);
  });

  it("cost little where no newline comes", async () => {
    const { terminal, type, screen } = openTestTerminal();
    terminal.input.resume();
    const piece = Buffer.alloc(32 * 1024, "x");
    for (let count = 0; count < 200; count++) {
      type(piece);
      if (count % 50 === 0) await settled();
    }
    await settled();
    expect(screen().replaceAll("\u0007", "")).toHaveLength(4095);
    expect(terminal.input.readableLength).toBe(0);
  });

  it("end with the client's EOF, with what was typed of a line", async () => {
    const { terminal, channel, type } = openTestTerminal();
    type("last");
    inputOf(channel).receiveEof();
    const read: Buffer[] = [];
    for await (const keys of terminal.input) read.push(keys);
    expect(Buffer.concat(read).toString()).toBe("last");
  });

  it("end when the client is gone", async () => {
    const { terminal, channel } = openTestTerminal();
    const lines = createInterface({ input: terminal.input, output: terminal.output });
    channel.destroy();
    await once(lines, "close");
  });

  it("can be lent to another program, behind what was written, and taken back", async () => {
    const { terminal, channel, type, screen, signals } = openTestTerminal({}, { windowSize: 10 });
    terminal.input.on("data", () => expect.fail("the keys are the other program's"));
    terminal.output.write("\u001b[?25l");
    terminal.output.write("x".repeat(100_000));
    terminal.output.write("y".repeat(100_000));
    const takeBack = terminal.lend();
    channel.write("other");
    type("keys\u0003");
    expect(`${channel.read()}`).toBe("keys\u0003");
    outputOf(channel).adjustWindow(1_000_000);
    await settled();
    expect(screen().endsWith("y\u001b[?25hother")).toBe(true);
    takeBack();
    type("\u0003");
    await settled();
    expect(signals).toEqual(["INT"]);
  });

  it("need a client that has asked for a terminal", () => {
    const { channel } = openTestChannel();
    expect(() => createTerminal(channel, { signal: () => {} })).toThrow("the client has not asked for a terminal");
  });
});

describe("readline", () => {
  it("asks, keeps a history and hears ^C", async () => {
    const { terminal, type, screen } = openTestTerminal();
    const { input, output } = terminal;
    const lines = createPromisesInterface({ input, output });
    const first = lines.question("name? ");
    type("Ada\r");
    expect(await first).toBe("Ada");
    expect(input.isRaw).toBe(true);
    const second = lines.question("again? ");
    type("\u001b[A Lovelace\r");
    expect(await second).toBe("Ada Lovelace");
    const interrupted = once(lines, "SIGINT");
    type("\u0003");
    await interrupted;
    lines.close();
    expect(input.isRaw).toBe(false);
    expect(screen()).toContain("name? ");
  });
});

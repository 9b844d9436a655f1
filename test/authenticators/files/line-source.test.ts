import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ContentLine } from "../../../src/authenticators/files/content-lines.js";
import { LineSet, type LineSource, type LineSourceOptions } from "../../../src/authenticators/files/line-source.js";
import { ConfigurationError } from "../../../src/index.js";
import { temporaryFolder } from "../../support/tools.js";
import { connectionFrom, LogRecord, newKey } from "../test-login.js";

const folder = temporaryFolder();
const connection = connectionFrom("127.0.0.1");
const key = newKey();

function parse({ content }: ContentLine): { word: string } {
  if (content === "bad") throw new Error("it is bad");
  return { word: content };
}

async function words(set: LineSet<{ word: string }>, username = "ann"): Promise<string[]> {
  const found: string[] = [];
  for await (const { entries } of set.read(username, connection, key)) found.push(...entries.map(({ word }) => word));
  return found;
}

function lines(source: LineSource, options: LineSourceOptions = {}) {
  return new LineSet("word", source, parse, { logger: false, ...options });
}

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, 0o644);
  return path;
}

describe("LineSet", () => {
  it("reads a text", async () => {
    expect(await words(lines("a\nbad\nb"))).toEqual(["a", "b"]);
    expect(await words(lines(""))).toEqual([]);
    expect(() => lines("bad")).toThrow(ConfigurationError);
  });

  it("asks a function about the user, the connection and the key, each time", async () => {
    const texts = new Map([["ann", "a"]]);
    const set = lines(async (username, { remoteAddress }, offered) =>
      remoteAddress !== undefined && offered === key ? texts.get(username) : "not what was asked about",
    );
    expect(await words(set)).toEqual(["a"]);
    expect(await words(set, "bob")).toEqual([]);
    texts.set("ann", "b");
    expect(await words(set)).toEqual(["b"]);
    await expect(words(lines(() => 1 as unknown as string))).rejects.toThrow(TypeError);
    await expect(words(lines(() => Promise.reject(new Error("no database"))))).rejects.toThrow("no database");
  });

  it("reads files in their order", async () => {
    const file = [write("1-ann", "a\nb"), join(folder, "none"), write("2", "c")];
    const [, , second = ""] = file;
    expect(await words(lines({ file }))).toEqual(["a", "b", "c"]);
    expect(await words(lines({ file: [join(folder, "1-%u"), second] }), "bob")).toEqual(["c"]);
  });

  it("parses a text again only when it is another", async () => {
    let parsed = 0;
    const count = ({ content }: ContentLine) => {
      parsed++;
      return { word: content };
    };
    const set = new LineSet("word", { file: write("count", "a\nb") }, count, {});
    for (let round = 0; round < 5; round++) await words(set);
    expect(parsed).toBe(2);
    write("count", "a\nc");
    expect(await words(set)).toEqual(["a", "c"]);
    expect(parsed).toBe(4);
  });

  it("reads a long text in turns with others, once for all who log in meanwhile", async () => {
    let parsed = 0;
    const slow = ({ content }: ContentLine) => {
      const begun = performance.now();
      while (performance.now() - begun < 1);
      parsed++;
      return { word: content };
    };
    const set = new LineSet("word", () => "a\n".repeat(50), slow, {});
    let turns = 0;
    const counting = setInterval(() => turns++, 0);
    const logins = await Promise.all([words(set), words(set), words(set)]);
    clearInterval(counting);
    expect(turns).toBeGreaterThan(3);
    expect(parsed).toBe(50);
    expect(logins.map(({ length }) => length)).toEqual([50, 50, 50]);
  });

  it("uses no text beyond the limit", async () => {
    const log = new LogRecord();
    const options = { maxFileSize: 4, logger: log };
    expect(await words(lines(() => "abcd", options))).toEqual(["abcd"]);
    expect(await words(lines(() => "abcde", options))).toEqual([]);
    expect(await words(lines(() => "éé\n", options))).toEqual([]);
    expect(await words(lines({ file: write("large", "abcde") }, options))).toEqual([]);
    expect(log.lines.map(({ reason }) => reason)).toEqual(Array.from({ length: 3 }, () => "it is larger than 4 bytes"));
  });

  it("asks which user the files belong to", async () => {
    const asked: string[] = [];
    const owner = async (username: string) => void asked.push(username);
    expect(
      await words(lines({ file: write("owned", "a") }, { owner: (name) => owner(name).then(() => undefined) })),
    ).toEqual(["a"]);
    expect(asked).toEqual(["ann"]);
  });

  it("tells in whose text a line was refused", async () => {
    const log = new LogRecord();
    const set = lines(() => "bad\na", { logger: log });
    await words(set);
    await words(set);
    await words(set, "bob");
    const refused = { level: "warn", message: "word refused", line: 1, reason: "it is bad" };
    expect(log.lines).toEqual([
      { ...refused, username: "ann" },
      { ...refused, username: "bob" },
    ]);
  });

  it("remembers texts of eight megabytes together", async () => {
    const log = new LogRecord();
    const set = lines(() => `${"#".repeat(256 * 1024)}\nbad`, { logger: log });
    for (let user = 0; user < 40; user++) await words(set, `user-${user}`);
    await words(set, "user-39");
    expect(log.lines).toHaveLength(40);
    await words(set, "user-0");
    expect(log.lines).toHaveLength(41);
  });

  it.each<[unknown, object]>([
    [{ file: [] }, {}],
    [{ file: "" }, {}],
    [{ file: "%h/keys" }, {}],
    [{}, {}],
    [undefined, {}],
    ["", { maxFileSize: 0 }],
    ["", { maxFileSize: Number.NaN }],
    ["", { strictModes: "off" }],
  ])("refuses %j with %j", (source, options) => {
    expect(() => lines(source as LineSource, options)).toThrow(ConfigurationError);
  });
});

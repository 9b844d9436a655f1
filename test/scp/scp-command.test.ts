import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeName } from "../../src/files/path.js";
import { parseSCPCommand } from "../../src/scp/scp-command.js";

const parse = (line: string) => parseSCPCommand(Buffer.from(line));
const sink = { role: "sink", recursive: false, preserve: false, targetIsDirectory: false };
const source = { ...sink, role: "source" };

describe("parseSCPCommand", () => {
  it("reads what clients send", () => {
    expect(parse("scp -t /path")).toEqual({ ...sink, paths: ["/path"] });
    expect(parse("scp -r -p -t -- /path")).toEqual({ ...sink, recursive: true, preserve: true, paths: ["/path"] });
    expect(parse("scp -rpt dir")).toEqual({ ...sink, recursive: true, preserve: true, paths: ["dir"] });
    expect(parse("scp -v -d -q -t .")).toEqual({ ...sink, targetIsDirectory: true, paths: ["."] });
    expect(parse("/usr/bin/scp  -f\ta b")).toEqual({ ...source, paths: ["a", "b"] });
    expect(parse("scp -f -- -r")).toEqual({ ...source, paths: ["-r"] });
  });

  it.each([
    ["scp -t 'a b'", "a b"],
    ["scp -t a\\ b", "a b"],
    ['scp -t "a b"', "a b"],
    ["scp -t 'it'\"'\"'s'", "it's"],
    ["scp -t 'it'\\''s'", "it's"],
    ['scp -t "a\\"b\\$c\\d"', 'a"b$c\\d'],
    ["scp -t '$HOME;`id`|&<>()\n'", "$HOME;`id`|&<>()\n"],
    ["scp -t a\\;b", "a;b"],
    ["scp -t a*", "a*"],
    ["scp -t ''", ""],
    ["scp -t ünïcode", "ünïcode"],
    ["scp -t a#b", "a#b"],
    ["scp -t ~/dir", "./dir"],
    ["scp -t ~", "."],
    ["scp -t '~'/dir", "~/dir"],
  ])("takes the quotes off %s", (line, path) => {
    expect(parse(line)?.paths).toEqual([path]);
  });

  it("keeps the difference between quoted and active characters for a source", () => {
    expect(parse("scp -f '*'.txt *.txt \\[a] \"?\"")?.paths).toEqual(["\\*.txt", "*.txt", "\\[a]", "\\?"]);
  });

  it("keeps bytes that are not UTF-8", () => {
    const bytes = Buffer.from([0x61, 0xff, 0xfe, 0x62]);
    const [path = ""] = parseSCPCommand(Buffer.concat([Buffer.from("scp -t '"), bytes, Buffer.from("'")]))?.paths ?? [];
    expect(encodeName(path)).toEqual(bytes);
  });

  it.each([
    "",
    "ls",
    "scp",
    "scp -t",
    "scp -f",
    "scp a b",
    "scp -t -f a",
    "scp -x -t a",
    "scp -S sh -t a",
    "scp --help",
    "notscp -t a",
    "A=b scp -t a",
    "scp -t a; id",
    "scp -t a | id",
    "scp -t a & id",
    "scp -t a && id",
    "scp -t $(id)",
    "scp -t $HOME",
    "scp -t `id`",
    "scp -t <a",
    "scp -t a >b",
    "scp -t (a)",
    "scp -t a\nid",
    "scp -t a\\\nb",
    'scp -t "$HOME"',
    'scp -t "`id`"',
    "scp -t 'a",
    'scp -t "a',
    "scp -t a\\",
    "scp -t a # b",
    "scp -t a\0b",
    "scp -t 'a\0b'",
    `scp -t ${"a".repeat(4096)}`,
    `scp -f ${"a ".repeat(40_000)}`,
  ])("refuses %j", (line) => {
    expect(parse(line)).toBeUndefined();
  });

  it("reads any path that a client has quoted for a shell", () => {
    const path = fc.string({ unit: "grapheme", minLength: 1, maxLength: 50 }).filter((text) => !text.includes("\0"));
    fc.assert(
      fc.property(path, (text) => {
        expect(parse(`scp -t -- '${text.replaceAll("'", "'\\''")}'`)?.paths).toEqual([text]);
      }),
    );
  });
});

import { isUtf8 } from "node:buffer";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FileError } from "../../src/files/errors.js";
import {
  decodeName,
  decodePath,
  encodeName,
  isWithin,
  joinPath,
  lastName,
  normalizePath,
  parentPath,
  splitPath,
} from "../../src/files/path.js";
import { codePoint } from "../support/code-point.js";

/** Bytes that are UTF-8 here and there. */
const mixedBytes = fc
  .array(fc.oneof(fc.uint8Array({ maxLength: 6 }), fc.string({ unit: codePoint, maxLength: 4 }).map(utf8)))
  .map((parts) => Buffer.concat(parts));

function utf8(text: string): Uint8Array {
  return Buffer.from(text, "utf8");
}

function codeOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    if (error instanceof FileError) return error.code;
    throw error;
  }
  return "no error";
}

describe("decodeName and encodeName", () => {
  it("bring all bytes back", () => {
    fc.assert(
      fc.property(mixedBytes, (bytes) => {
        expect(encodeName(decodeName(bytes)).equals(bytes)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it("bring each byte and each pair of bytes back", () => {
    for (let first = 0; first < 256; first++) {
      expect(encodeName(decodeName(Buffer.of(first)))).toEqual(Buffer.of(first));
      for (let second = 0; second < 256; second++) {
        const bytes = Buffer.of(first, second);
        if (!encodeName(decodeName(bytes)).equals(bytes)) expect.fail(`${bytes.toString("hex")} has changed`);
      }
    }
  });

  it("give different names different texts", () => {
    fc.assert(
      fc.property(mixedBytes, mixedBytes, (one, other) => {
        expect(decodeName(one) === decodeName(other)).toBe(one.equals(other));
      }),
    );
  });

  it("show what is UTF-8 as it is", () => {
    for (const text of ["", "plain", "grüße", "日本語", "𝄞 clef", "\ufeffmark", "\u0000", "\ufffd"]) {
      expect(decodeName(utf8(text))).toBe(text);
      expect(encodeName(text)).toEqual(utf8(text));
    }
  });

  it.each([
    ["a Latin-1 letter", "66fc72", "f\udcfcr"],
    ["a continuation without a start", "80", "\udc80"],
    ["a character that is cut", "e697", "\udce6\udc97"],
    ["a slash in two bytes", "c0af", "\udcc0\udcaf"],
    ["a surrogate", "eda080", "\udced\udca0\udc80"],
    ["more than Unicode has", "f5808080", "\udcf5\udc80\udc80\udc80"],
    ["UTF-8 around a stray byte", "c3bcffe697a5", "ü\udcff日"],
  ])("escape %s", (_, hex, text) => {
    const bytes = Buffer.from(hex, "hex");
    expect(isUtf8(bytes)).toBe(false);
    expect(decodeName(bytes)).toBe(text);
    expect(encodeName(text)).toEqual(bytes);
  });

  it("escape exactly what is not UTF-8", () => {
    const edges = [0x7f, 0x80, 0xbf, 0xc0];
    for (let first = 0x80; first < 256; first++) {
      for (const second of [...edges, 0x8f, 0x90, 0x9f, 0xa0]) {
        for (const third of edges) {
          for (const fourth of edges) {
            const bytes = Buffer.of(first, second, third, fourth);
            const hasEscapes = /[\udc80-\udcff]/u.test(decodeName(Buffer.of(0xff, ...bytes)).slice(1));
            if (hasEscapes === isUtf8(bytes)) expect.fail(bytes.toString("hex"));
          }
        }
      }
    }
  });

  it.each(["\ud800", "\udbff", "\udc00", "\udc7f", "\udd00", "a\udfff"])("%j stands for no bytes", (text) => {
    expect(codeOf(() => encodeName(text))).toBe("EINVAL");
  });

  it("read a view of a larger buffer", () => {
    const bytes = Uint8Array.of(0x41, 0x42, 0xff, 0x43);
    expect(decodeName(bytes.subarray(1, 3))).toBe("B\udcff");
  });
});

describe("decodePath", () => {
  it("takes any bytes but NUL", () => {
    expect(decodePath(utf8("/a\nb\\c\u0001\u007f"))).toBe("/a\nb\\c\u0001\u007f");
    expect(decodePath(Buffer.alloc(0))).toBe("");
    expect(decodePath(Buffer.from("2fff", "hex"))).toBe("/\udcff");
  });

  it.each([0, 1, 4])("refuses NUL at %i", (offset) => {
    const bytes = Buffer.from("abcde");
    bytes[offset] = 0;
    expect(codeOf(() => decodePath(bytes))).toBe("EINVAL");
  });

  it("takes as many bytes as Linux does", () => {
    expect(decodePath(Buffer.alloc(4095, "x"))).toHaveLength(4095);
    expect(codeOf(() => decodePath(Buffer.alloc(4096, "x")))).toBe("ENAMETOOLONG");
    expect(codeOf(() => decodePath(Buffer.alloc(64 * 1024, "x")))).toBe("ENAMETOOLONG");
  });
});

describe("splitPath", () => {
  it.each([
    ["", []],
    ["/", []],
    [".", []],
    ["//a///b/", ["a", "b"]],
    ["./a/./b/.", ["a", "b"]],
    ["a/../b", ["a", "..", "b"]],
    ["..", [".."]],
    ["...", ["..."]],
    [" /\\", [" ", "\\"]],
  ])("%j", (path, names) => {
    expect(splitPath(path)).toEqual(names);
  });
});

describe("normalizePath", () => {
  it.each([
    ["", "/"],
    ["/", "/"],
    ["a", "/a"],
    ["/a/b/", "/a/b"],
    ["/a/../b", "/b"],
    ["/a/b/../..", "/"],
    ["/../../a", "/a"],
    ["../..", "/"],
    ["/a/.../b", "/a/.../b"],
    ["/..a/b..", "/..a/b.."],
  ])("%j is %j", (path, canonical) => {
    expect(normalizePath(path)).toBe(canonical);
  });

  const segments = fc.array(fc.oneof(fc.constantFrom("", ".", "..", "...", "a", "b c"), fc.string({ maxLength: 3 })));

  it("makes paths that lead nowhere else, whatever comes", () => {
    fc.assert(
      fc.property(segments, (names) => {
        const path = normalizePath(names.join("/"));
        expect(path).toMatch(/^\//);
        const parts = path.slice(1).split("/");
        if (path !== "/") for (const part of parts) expect(["", ".", ".."]).not.toContain(part);
        expect(normalizePath(path)).toBe(path);
        expect(isWithin(path, "/")).toBe(true);
        if (path !== "/") expect(joinPath(parentPath(path), lastName(path))).toBe(path);
      }),
    );
  });
});

describe("parts of a canonical path", () => {
  it("parentPath, lastName and joinPath", () => {
    expect([parentPath("/"), lastName("/")]).toEqual(["/", ""]);
    expect([parentPath("/a"), lastName("/a")]).toEqual(["/", "a"]);
    expect([parentPath("/a/b c"), lastName("/a/b c")]).toEqual(["/a", "b c"]);
    expect([joinPath("/", "a"), joinPath("/a", "b")]).toEqual(["/a", "/a/b"]);
  });

  it.each([
    ["/a", "/", true],
    ["/", "/", true],
    ["/", "/a", false],
    ["/a", "/a", true],
    ["/a/b", "/a", true],
    ["/ab", "/a", false],
    ["/a", "/a/b", false],
  ])("isWithin(%j, %j) is %j", (path, directory, within) => {
    expect(isWithin(path, directory)).toBe(within);
  });
});

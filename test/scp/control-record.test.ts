import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeName } from "../../src/files/path.js";
import { formatEntry, formatTimes, isRecordLetter, parseControlRecord } from "../../src/scp/control-record.js";
import { FatalError } from "../../src/scp/errors.js";

/** A line without its newline, as a peer gets it. */
const withoutNewline = (line: Buffer) => line.subarray(0, -1);

/** Bytes that can be a name on a disk, of which UTF-8 is only one kind. */
const nameArbitrary = fc
  .uint8Array({ minLength: 1, maxLength: 255 })
  .filter((bytes) => ![0, 0x0a, 0x2f].some((byte) => bytes.includes(byte)))
  .filter((bytes) => ![".", ".."].includes(Buffer.from(bytes).toString("latin1")));

describe("control records", () => {
  it("of files and directories are read as they were written, whatever bytes the name has", () => {
    const head = fc.tuple(
      fc.constantFrom("C", "D"),
      fc.integer({ min: 0, max: 0o7777 }),
      fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    );
    fc.assert(
      fc.property(head, nameArbitrary, ([letter, permissions, size], name) => {
        const mode = permissions.toString(8).padStart(4, "0");
        const line = Buffer.concat([Buffer.from(`${letter}${mode} ${size} `), name]);
        const record = parseControlRecord(line);
        if (record.kind !== "file" && record.kind !== "directory") throw new Error(`read as ${record.kind}`);
        expect(record).toMatchObject({ kind: letter === "C" ? "file" : "directory", permissions, size });
        expect(encodeName(record.name)).toEqual(Buffer.from(name));
        expect(withoutNewline(formatEntry(record))).toEqual(line);
      }),
    );
  });

  it("of times are read as they were written, to the second", () => {
    const seconds = fc.double({ min: 0, max: 999_999_999_999, noNaN: true });
    fc.assert(
      fc.property(seconds, seconds, (modifyTime, accessTime) => {
        expect(parseControlRecord(withoutNewline(formatTimes({ modifyTime, accessTime })))).toEqual({
          kind: "times",
          modifyTime: Math.floor(modifyTime),
          accessTime: Math.floor(accessTime),
        });
      }),
    );
  });

  it("are refused with FatalError, or are one name, one size and one mode", () => {
    const start = fc.constantFrom("C0644 5 ", "C", "D0755 0 ", "T1 0 ", "E", "C0644 ", "C07777 1 x", "");
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 40 }), (text, rest) => {
        let record: ReturnType<typeof parseControlRecord>;
        try {
          record = parseControlRecord(Buffer.concat([Buffer.from(text), rest]));
        } catch (error) {
          expect(error).toBeInstanceOf(FatalError);
          return;
        }
        if (record.kind !== "file" && record.kind !== "directory") return;
        expect(record.name).not.toMatch(/[/\0]/);
        expect(["", ".", ".."]).not.toContain(record.name);
        expect(record.permissions & ~0o7777).toBe(0);
        expect(Number.isSafeInteger(record.size)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("start with one of four letters", () => {
    const letters = Array.from({ length: 256 }, (_, byte) => byte).filter(isRecordLetter);
    expect(String.fromCharCode(...letters)).toBe("CDET");
  });
});

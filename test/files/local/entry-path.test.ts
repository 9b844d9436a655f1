import { afterEach, expect, it } from "vitest";
import { entryPath } from "../../../src/files/local/entry-path.js";

const original = process.platform;
afterEach(() => Object.defineProperty(process, "platform", { value: original }));

const windowsOnly = [
  "a\\b",
  "..\\a",
  "C:",
  "file:stream",
  "what?",
  "*",
  "a.",
  "a ",
  "NUL",
  "con.txt",
  "COM1",
  "lpt9.a",
];

it("takes one plain name", () => {
  expect(String(entryPath("/proc/self/fd/7", "name with spaces"))).toBe("/proc/self/fd/7/name with spaces");
  expect(entryPath("/a", "\udcff")).toEqual(Buffer.from("2f612fff", "hex"));
  for (const name of windowsOnly) expect(String(entryPath("/a", name))).toBe(`/a/${name}`);
});

it.each(["", ".", "..", "a/b", "../a", "/"])("refuses %j", (name) => {
  expect(() => entryPath("/a", name)).toThrow("Invalid argument");
});

it("refuses on Windows what it reads as something else", () => {
  Object.defineProperty(process, "platform", { value: "win32" });
  for (const name of windowsOnly) expect(() => entryPath("C:/a", name)).toThrow("Invalid argument");
  for (const name of ["console", "a.b", "COM10", ".hidden", "nul-file"]) {
    expect(String(entryPath("C:/a", name))).toBe(`C:/a/${name}`);
  }
});

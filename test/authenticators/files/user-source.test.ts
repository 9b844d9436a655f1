import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { type UserSource, userValues } from "../../../src/authenticators/files/user-source.js";
import { silentLogger } from "../../../src/base/logger.js";
import { temporaryFolder } from "../../support/tools.js";

const folder = temporaryFolder();
const FORMAT = {
  kind: "test file",
  form: "name:number",
  parse(value: string) {
    if (!/^\d+$/.test(value)) throw new Error("it is not a number");
    return Number(value);
  },
};

function inFile(text: string): { readonly file: string } {
  const file = join(folder, "users");
  writeFileSync(file, text, { mode: 0o600 });
  return { file };
}

const TEXT = "ann:1\nbob:x\n";
const MAP = new Map([
  ["ann", "1"],
  ["bob", "x"],
]);

describe("userValues", () => {
  it.each<[string, () => UserSource]>([
    ["a file", () => inFile(TEXT)],
    ["a text", () => TEXT],
    ["a map", () => MAP],
    ["a function", () => (username) => MAP.get(username)],
    ["an async function", () => async (username) => MAP.get(username)],
  ])("finds the values of users in %s, and logs the others", async (kind, source) => {
    const warn = vi.fn();
    const values = userValues(source(), FORMAT, { logger: { ...silentLogger, warn } });
    expect((await values.find("ann"))?.value).toBe(1);
    expect((await values.find("bob"))?.value).toBeUndefined();
    expect((await values.find("eve"))?.value).toBeUndefined();
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn).toHaveBeenCalledWith(expect.objectContaining({ reason: "it is not a number" }), "user refused");
    const hasList = !kind.endsWith("function");
    expect(await values.load()).toEqual(hasList ? ["ann"] : []);
    expect([...((await values.find("eve"))?.users ?? [])]).toEqual(hasList ? [["ann", 1]] : []);
  });

  it("keeps the list of users the same object until it changes", async () => {
    const values = userValues(TEXT, FORMAT, { logger: false });
    expect((await values.find("ann"))?.users).toBe((await values.find("eve"))?.users);
  });

  it("reads a long file in turns with others", async () => {
    let turns = 0;
    const seen = new Set<number>();
    const slow = (value: string) => {
      const begun = performance.now();
      while (performance.now() - begun < 1);
      seen.add(turns);
      return value;
    };
    const lines = Array.from({ length: 50 }, (_, number) => `user-${number}:1\n`).join("");
    const values = userValues(inFile(lines), { ...FORMAT, parse: slow }, {});
    const counting = setInterval(() => turns++, 0);
    expect((await values.find("user-49"))?.value).toBe("1");
    clearInterval(counting);
    expect(seen.size).toBeGreaterThan(3);
  });

  it("says nothing of a file that cannot be used", async () => {
    const values = userValues({ file: join(folder, "none") }, FORMAT, { logger: false });
    expect(await values.find("ann")).toBeUndefined();
    await expect(values.load()).rejects.toThrow(/^test file .* cannot be used: there is no such file$/);
  });

  it("takes a value that is not a text, from a function, for no user", async () => {
    for (const result of [null, 1, {}, true]) {
      const values = userValues((() => result) as never, FORMAT, {});
      expect((await values.find("ann"))?.value).toBeUndefined();
    }
  });
});

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HashedPasswords, parsePasswordFile, readPasswordFile } from "../../src/cli/password-file.js";
import { hashPassword } from "../../src/cli/password-hash.js";

let hash = "";
let folder = "";
beforeAll(async () => {
  hash = await hashPassword("secret");
  folder = mkdtempSync(join(tmpdir(), "spindlex-passwords-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("parsePasswordFile", () => {
  it("reads users, one a line, between comments", () => {
    const { hashes, refused } = parsePasswordFile(`# users\r\n\nann:${hash}\r\n  bob smith:${hash}  \n#eve:${hash}\n`);
    expect([...hashes.keys()]).toEqual(["ann", "bob smith"]);
    expect(refused).toEqual([]);
  });

  it.each([
    ["ann", "it is not name:hash"],
    ["ann:", "it is not name:hash"],
    ["an\u0000n:HASH", "it is not name:hash"],
    [":HASH", "it is not name:hash"],
    ["ann::HASH", "the hash is none that spindlex hash-password makes"],
    ["ann:HASH:", "the hash is none that spindlex hash-password makes"],
    ["ann:!HASH", "the hash is none that spindlex hash-password makes"],
    ["ann:secret", "the hash is none that spindlex hash-password makes"],
    ["HASH", "it is not name:hash"],
  ])("lets nobody in with the line %j", (line, reason) => {
    const { hashes, refused } = parsePasswordFile(`bob:${hash}\n${line.replace("HASH", hash)}\n`);
    expect([...hashes.keys()]).toEqual(["bob"]);
    expect(refused).toEqual([{ line: 2, reason }]);
  });

  it("lets in nobody who has several lines, whatever is in them", () => {
    const { hashes, refused } = parsePasswordFile(`ann:${hash}\nbad\nbob:${hash}\nann:!locked\n`);
    expect([...hashes.keys()]).toEqual(["bob"]);
    expect(refused).toEqual([
      { line: 1, reason: "there is another line for this user" },
      { line: 2, reason: "it is not name:hash" },
      { line: 4, reason: "there is another line for this user" },
    ]);
  });
});

describe("readPasswordFile", () => {
  const write = (mode: number) => {
    const path = join(folder, mode.toString(8));
    writeFileSync(path, `ann:${hash}\n`);
    chmodSync(path, mode);
    return path;
  };

  it("reads a file that is its owner's alone", async () => {
    expect((await readPasswordFile(write(0o600))).hashes.size).toBe(1);
  });

  it.each([
    [0o640, "open to other users"],
    [0o604, "open to other users"],
    [0o620, "can be written by other users"],
  ])("refuses a file with mode %o", async (mode, reason) => {
    await expect(readPasswordFile(write(mode))).rejects.toThrow(reason);
  });

  it("says that there is none", async () => {
    await expect(readPasswordFile(join(folder, "none"))).rejects.toThrow(/password file .*none cannot be read: ENOENT/);
  });
});

describe("HashedPasswords", () => {
  it("knows who has which password", async () => {
    const other = await hashPassword("other");
    const passwords = new HashedPasswords(parsePasswordFile(`ann:${hash}\nbob:${other}`).hashes);
    expect(await passwords.matches("ann", "secret")).toBe(true);
    expect(await passwords.matches("bob", "other")).toBe(true);
    expect(await passwords.matches("ann", "other")).toBe(false);
    expect(await passwords.matches("bob", "secret")).toBe(false);
    expect(await passwords.matches("ann", "")).toBe(false);
  });

  it("does not work for clients that are gone", async () => {
    const passwords = new HashedPasswords(parsePasswordFile(`ann:${hash}`).hashes);
    const leaving = new AbortController();
    const gone = Array.from({ length: 10 }, () => passwords.matches("ann", "secret", leaving.signal));
    const waits = passwords.matches("ann", "secret", new AbortController().signal);
    leaving.abort();
    // Those that came first were being looked at already.
    expect(await Promise.all(gone)).toEqual([true, true, ...Array.from({ length: 8 }, () => false)]);
    expect(await waits).toBe(true);
  });

  it("lets in no unknown name, whosever password it is, and computes as much for it", async () => {
    const passwords = new HashedPasswords(parsePasswordFile(`ann:${hash}`).hashes);
    const processorTime = async (name: string) => {
      const before = process.cpuUsage();
      expect(await passwords.matches(name, "secret")).toBe(name === "ann");
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    const known = await processorTime("ann");
    const unknown = await processorTime("eve");
    expect(unknown).toBeGreaterThan(known / 3);
    expect(unknown).toBeLessThan(known * 3);
    expect(await passwords.matches("__proto__", "secret")).toBe(false);
    expect(await passwords.matches("", "secret")).toBe(false);
  });
});

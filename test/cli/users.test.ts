import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hashPassword } from "../../src/cli/password-hash.js";
import { loadUsers } from "../../src/cli/users.js";
import { PKey } from "../../src/crypto/index.js";

const OPTIONS = { port: 0, host: "127.0.0.1", allowExec: false, logLevel: "silent", json: false } as const;
const key = PKey.generate({ keyType: "ed25519" });
const stranger = PKey.generate({ keyType: "ed25519" });

let folder = "";
let passwordFile = "";
let authorizedKeys = "";
let log: { readonly msg: string; readonly line: number }[] = [];
const logger = pino({ level: "warn" }, { write: (line) => void log.push(JSON.parse(line)) });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "spindlex-users-"));
  passwordFile = write("users", `nobody:x\nann:${await hashPassword("secret")}\n`);
  authorizedKeys = write("keys", `${key.toPublicString()}\n`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

describe("loadUsers", () => {
  it("makes a password for one user", async () => {
    const { users, example, password = "" } = await loadUsers({ ...OPTIONS, user: "ann" }, logger);
    expect(users.methods).toEqual(["password"]);
    expect(example).toBe("ann");
    expect(password.length).toBeGreaterThan(20);
    expect(await users.hasPassword("ann", password)).toBe(true);
    expect(await users.hasPassword("ann", "")).toBe(false);
    expect(await users.hasPassword("bob", password)).toBe(false);
    expect(users.hasKey("ann", key)).toBe(false);
    expect((await loadUsers(OPTIONS, logger)).example).toBe(userInfo().username);
  });

  it("has one user with keys, and no password then", async () => {
    const { users, password } = await loadUsers({ ...OPTIONS, user: "ann", authorizedKeys }, logger);
    expect(users.methods).toEqual(["publickey"]);
    expect(password).toBeUndefined();
    expect(users.hasKey("ann", key)).toBe(true);
    expect(users.hasKey("ann", stranger)).toBe(false);
    expect(users.hasKey("bob", key)).toBe(false);
    expect(await users.hasPassword("ann", "")).toBe(false);
  });

  it("has the users of a password file, and tells which lines it refused", async () => {
    log = [];
    const { users, example, password } = await loadUsers({ ...OPTIONS, passwordFile }, logger);
    expect(log).toEqual([expect.objectContaining({ msg: "user refused", line: 1, path: passwordFile })]);
    expect(users.methods).toEqual(["password"]);
    expect({ example, password }).toEqual({ example: "ann", password: undefined });
    expect(await users.hasPassword("ann", "secret")).toBe(true);
    expect(await users.hasPassword("nobody", "secret")).toBe(false);
  });

  it("offers both where both are given, the keys to the user who is named", async () => {
    const { users } = await loadUsers({ ...OPTIONS, passwordFile, authorizedKeys, user: "kim" }, logger);
    expect(users.methods).toEqual(["publickey", "password"]);
    expect(await users.hasPassword("ann", "secret")).toBe(true);
    expect(await users.hasPassword("kim", "secret")).toBe(false);
    expect(users.hasKey("kim", key)).toBe(true);
    expect(users.hasKey("ann", key)).toBe(false);
  });

  it("fails where nobody could log in", async () => {
    const empty = write("empty", "# nobody\n");
    await expect(loadUsers({ ...OPTIONS, passwordFile: empty }, logger)).rejects.toThrow(/empty holds no user/);
    await expect(loadUsers({ ...OPTIONS, authorizedKeys: empty }, logger)).rejects.toThrow(/empty holds no key/);
  });
});

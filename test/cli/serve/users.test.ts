import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadUsers, type Users } from "../../../src/cli/serve/users.js";
import { PKey } from "../../../src/crypto/index.js";
import { Grant } from "../../../src/index.js";
import { AUTH_FAILED, AUTH_SUCCESSFUL } from "../../../src/protocol/constants.js";
import { KNOWN_HASHES } from "../../authenticators/passwords/known-hashes.js";
import { ALGORITHM, certificateOf, connectionFrom } from "../../authenticators/test-login.js";

const OPTIONS = {
  port: 0,
  host: "127.0.0.1",
  allowExec: false,
  shell: false,
  logLevel: "silent",
  json: false,
} as const;
const key = PKey.generate({ keyType: "ed25519" });
const stranger = PKey.generate({ keyType: "ed25519" });
const local = connectionFrom("127.0.0.1");

let folder = "";
let passwordFile = "";
let authorizedKeys = "";
let log: { readonly msg: string; readonly line: number }[] = [];
const logger = pino({ level: "warn" }, { write: (line) => void log.push(JSON.parse(line)) });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "spindlex-users-"));
  passwordFile = write("users", `nobody:x\nann:${KNOWN_HASHES.scrypt.hash}\n`);
  authorizedKeys = write("keys", `${key.toPublicString()}\n`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

async function hasPassword(users: Users, name: string, password: string): Promise<boolean> {
  return (await users.checkPassword(name, password, local)) === AUTH_SUCCESSFUL;
}

describe("loadUsers", () => {
  it("makes a password for one user", async () => {
    const { users, example, password = "" } = await loadUsers({ ...OPTIONS, user: "ann" }, logger);
    expect(users.methods).toEqual(["password"]);
    expect(example).toBe("ann");
    expect(password.length).toBeGreaterThan(20);
    expect(await hasPassword(users, "ann", password)).toBe(true);
    expect(await hasPassword(users, "ann", "")).toBe(false);
    expect(await hasPassword(users, "bob", password)).toBe(false);
    expect(await users.checkKey("ann", key, local, ALGORITHM)).toBe(AUTH_FAILED);
    expect((await loadUsers(OPTIONS, logger)).example).toBe(userInfo().username);
  });

  it("has one user with keys, and no password then", async () => {
    const { users, password } = await loadUsers({ ...OPTIONS, user: "ann", authorizedKeys }, logger);
    expect(users.methods).toEqual(["publickey"]);
    expect(password).toBeUndefined();
    expect(await users.checkKey("ann", key, local, ALGORITHM)).toBeInstanceOf(Grant);
    expect(await users.checkKey("ann", stranger, local, ALGORITHM)).toBe(AUTH_FAILED);
    expect(await users.checkKey("bob", key, local, ALGORITHM)).toBe(AUTH_FAILED);
    expect(await hasPassword(users, "ann", "")).toBe(false);
  });

  it("lets one user in by certificate", async () => {
    const authority = PKey.generate({ keyType: "ed25519" });
    const trustedUserCAKeys = write("authorities", `${authority.toPublicString()}\n`);
    const { users } = await loadUsers({ ...OPTIONS, user: "ann", trustedUserCAKeys }, logger);
    expect(users.methods).toEqual(["publickey"]);
    const certificate = certificateOf(authority, ["ann", "bob"]);
    expect(await users.checkKey("ann", certificate, local, ALGORITHM)).toBeInstanceOf(Grant);
    expect(await users.checkKey("bob", certificate, local, ALGORITHM)).toBe(AUTH_FAILED);
    expect(await users.checkKey("ann", certificateOf(authority, ["bob"]), local, ALGORITHM)).toBe(AUTH_FAILED);
    expect(await users.checkKey("ann", certificateOf(stranger, ["ann"]), local, ALGORITHM)).toBe(AUTH_FAILED);
  });

  it("knows which keys are revoked", async () => {
    const revokedKeys = write("revoked", `${stranger.toPublicString()}\n`);
    const { users } = await loadUsers({ ...OPTIONS, user: "ann", authorizedKeys, revokedKeys }, logger);
    expect(await users.isRevoked(stranger)).toBe(true);
    expect(await users.isRevoked(key)).toBe(false);
    const { users: others } = await loadUsers({ ...OPTIONS, user: "ann", authorizedKeys }, logger);
    expect(await others.isRevoked(stranger)).toBe(false);
    for (const path of [join(folder, "none"), write("junk", "junk\n")]) {
      const loading = loadUsers({ ...OPTIONS, authorizedKeys, revokedKeys: path }, logger);
      await expect(loading).rejects.toThrow(/(none|junk) cannot be used/);
    }
  });

  it("has the users of a password file, and tells which lines it refused", async () => {
    log = [];
    const { users, example, password } = await loadUsers({ ...OPTIONS, passwordFile }, logger);
    expect(log).toEqual([expect.objectContaining({ msg: "user refused", line: 1, path: passwordFile })]);
    expect(users.methods).toEqual(["password"]);
    expect({ example, password }).toEqual({ example: "ann", password: undefined });
    expect(await hasPassword(users, "ann", "secret")).toBe(true);
    expect(await hasPassword(users, "nobody", "secret")).toBe(false);
  });

  it("offers both where both are given, the keys to the user who is named", async () => {
    const { users } = await loadUsers({ ...OPTIONS, passwordFile, authorizedKeys, user: "kim" }, logger);
    expect(users.methods).toEqual(["publickey", "password"]);
    expect(await hasPassword(users, "ann", "secret")).toBe(true);
    expect(await hasPassword(users, "kim", "secret")).toBe(false);
    expect(await users.checkKey("kim", key, local, ALGORITHM)).toBeInstanceOf(Grant);
    expect(await users.checkKey("ann", key, local, ALGORITHM)).toBe(AUTH_FAILED);
  });

  it("fails where nobody could log in", async () => {
    const empty = write("empty", "# nobody\n");
    const locked = write("locked", "ann:!\nbob:*\n");
    await expect(loadUsers({ ...OPTIONS, passwordFile: empty }, logger)).rejects.toThrow(/empty holds no user/);
    await expect(loadUsers({ ...OPTIONS, passwordFile: locked }, logger)).rejects.toThrow(/locked holds no user/);
    const foreign = write("foreign", "ann:$9$salt$hash\n");
    await expect(loadUsers({ ...OPTIONS, passwordFile: foreign }, logger)).rejects.toThrow(
      /foreign holds no user who could log in; line 1 is refused: .*spindlex hash-password makes one/,
    );
    await expect(loadUsers({ ...OPTIONS, authorizedKeys: empty }, logger)).rejects.toThrow(
      /empty holds no authorized key/,
    );
    await expect(loadUsers({ ...OPTIONS, trustedUserCAKeys: empty }, logger)).rejects.toThrow(
      /empty holds no trusted user/,
    );
    const bad = write("bad", "\nunknown ssh-ed25519 AAAA\n");
    log = [];
    await expect(loadUsers({ ...OPTIONS, authorizedKeys: bad }, logger)).rejects.toThrow(/bad holds no authorized key/);
    expect(log).toEqual([expect.objectContaining({ msg: "authorized key refused", line: 2, path: bad })]);
    const open = write("open", `${key.toPublicString()}\n`);
    chmodSync(open, 0o666);
    await expect(loadUsers({ ...OPTIONS, authorizedKeys: open }, logger)).rejects.toThrow(
      /open cannot be used: other users can write it/,
    );
  });
});

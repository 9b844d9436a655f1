import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadOrCreateHostKey } from "../../../src/server/host-keys/host-key-file.js";
import { needs } from "../../support/clients.js";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "spindlex-host-key-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const keygenFingerprint = (path: string): string | undefined =>
  execFileSync("ssh-keygen", ["-lf", path], { encoding: "utf8" }).split(" ")[1];

describe("loadOrCreateHostKey", needs("ssh-keygen"), () => {
  it("creates a key that only its owner can read, and keeps it", async () => {
    const path = join(folder, "new", "spindlex", "host_key");
    const first = await loadOrCreateHostKey(path);
    const bytes = readFileSync(path);
    const second = await loadOrCreateHostKey(path);
    expect([first.created, second.created]).toEqual([true, false]);
    expect(second.key.fingerprint()).toBe(first.key.fingerprint());
    expect(readFileSync(path)).toEqual(bytes);
    expect(keygenFingerprint(path)).toBe(first.key.fingerprint());
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, "new", "spindlex")).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(folder, "new", "spindlex"))).toEqual(["host_key"]);
  });

  it("gives everybody the same key when many start at once", async () => {
    const path = join(folder, "race", "host_key");
    const files = await Promise.all(Array.from({ length: 16 }, () => loadOrCreateHostKey(path)));
    expect(new Set(files.map(({ key }) => key.fingerprint())).size).toBe(1);
    expect(files.filter(({ created }) => created)).toHaveLength(1);
    expect(readdirSync(join(folder, "race"))).toEqual(["host_key"]);
  });

  it("opens an encrypted key with its passphrase only", async () => {
    const path = join(folder, "encrypted");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "correct", "-a", "1", "-f", path]);
    const { key } = await loadOrCreateHostKey(path, { passphrase: "correct" });
    expect(key.fingerprint()).toBe(keygenFingerprint(path));
    await expect(loadOrCreateHostKey(path, { passphrase: "wrong" })).rejects.toThrow(/encrypted.*passphrase/);
    await expect(loadOrCreateHostKey(path)).rejects.toThrow(/encrypted.*passphrase/);
  });

  it("says which option is wrong", async () => {
    const path = join(folder, "empty-passphrase");
    await expect(loadOrCreateHostKey(path, { passphrase: "" })).rejects.toThrow("passphrase: must not be empty");
    expect(readdirSync(folder)).not.toContain("empty-passphrase");
  });

  it("encrypts a new key when there is a passphrase", async () => {
    const path = join(folder, "protected");
    const { key, created } = await loadOrCreateHostKey(path, { passphrase: "secret phrase" });
    expect(created).toBe(true);
    expect(() => execFileSync("ssh-keygen", ["-y", "-P", "", "-f", path], { stdio: "pipe" })).toThrow();
    const publicLine = execFileSync("ssh-keygen", ["-y", "-P", "secret phrase", "-f", path], { encoding: "utf8" });
    expect(publicLine).toContain(key.publicBlob.toString("base64"));
  });

  it("refuses a key that others can read", async () => {
    const path = join(folder, "open");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path]);
    chmodSync(path, 0o640);
    await expect(loadOrCreateHostKey(path)).rejects.toThrow(`${path} is open to other users (mode 0640)`);
  });

  it("refuses a public key", async () => {
    const path = join(folder, "pair");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path]);
    chmodSync(`${path}.pub`, 0o644);
    await expect(loadOrCreateHostKey(`${path}.pub`)).rejects.toThrow("is only a public key");
  });

  it("leaves a file that is not a key as it is", async () => {
    const path = join(folder, "notes");
    writeFileSync(path, "not a key\n", { mode: 0o600 });
    await expect(loadOrCreateHostKey(path)).rejects.toThrow(/notes/);
    expect(readFileSync(path, "utf8")).toBe("not a key\n");
  });

  it("says where a key cannot be created or read", async () => {
    writeFileSync(join(folder, "file"), "");
    const below = join(folder, "file", "host_key");
    await expect(loadOrCreateHostKey(below)).rejects.toThrow(`host key ${below} cannot be read`);
    const dangling = join(folder, "dangling");
    symlinkSync(join(folder, "nothing"), dangling);
    await expect(loadOrCreateHostKey(dangling)).rejects.toThrow(/no such file.*dangling/);
    const asFolder = join(folder, "folder");
    mkdirSync(asFolder, { mode: 0o700 });
    await expect(loadOrCreateHostKey(asFolder)).rejects.toThrow(/folder.* is not a file/);
  });
});

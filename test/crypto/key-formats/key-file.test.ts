import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { PKey } from "../../../src/crypto/pkey/pkey.js";
import { needs } from "../../support/clients.js";
import { keygen, run, temporaryDirectory } from "../keys/ssh-keygen.js";

const directory = temporaryDirectory();
const key = PKey.generate({ keyType: "ed25519" });
const modeOf = (path: string) => statSync(path).mode & 0o777;

let counter = 0;

/** A directory with nothing in it. */
function emptyDirectory(): string {
  const path = join(directory, `empty-${counter++}`);
  mkdirSync(path);
  return path;
}

describe("writeFile", () => {
  const umask = process.umask();
  afterEach(() => {
    process.umask(umask);
  });

  it.each([0o000, 0o022, 0o277])(
    "gives the file mode 0600 under umask %o, and leaves nothing else",
    needs("ssh-keygen"),
    async (mask) => {
      const parent = emptyDirectory();
      const path = join(parent, "host_key");
      process.umask(mask);
      await key.writeFile(path, { comment: "host" });
      process.umask(umask);
      expect(modeOf(path)).toBe(0o600);
      expect(readdirSync(parent)).toEqual(["host_key"]);
      expect(run("ssh-keygen", ["-y", "-f", path])).toBe(`${key.toPublicString({ comment: "host" })}\n`);
      expect((await PKey.fromFile(path)).equals(key)).toBe(true);
    },
  );

  it("refuses to replace a file unless asked", async () => {
    const parent = emptyDirectory();
    const path = join(parent, "host_key");
    writeFileSync(path, "precious", { mode: 0o644 });
    await expect(key.writeFile(path)).rejects.toMatchObject({ name: "KeyError", code: "exists" });
    expect(readFileSync(path, "utf8")).toBe("precious");
    await key.writeFile(path, { existing: "replace" });
    expect(modeOf(path)).toBe(0o600);
    expect((await PKey.fromFile(path)).equals(key)).toBe(true);
    expect(readdirSync(parent)).toEqual(["host_key"]);
  });

  it("lets exactly one of many writers through", async () => {
    const path = join(emptyDirectory(), "host_key");
    const others = [key, ...Array.from({ length: 7 }, () => PKey.generate({ keyType: "ed25519" }))];
    const results = await Promise.allSettled(others.map((other) => other.writeFile(path)));
    expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(1);
    const written = await PKey.fromFile(path);
    const winner = others[results.findIndex((result) => result.status === "fulfilled")];
    expect(winner?.equals(written)).toBe(true);
  });

  it("does not follow a symbolic link", async () => {
    const parent = emptyDirectory();
    const [target, path] = [join(parent, "target"), join(parent, "link")];
    symlinkSync(target, path);
    await expect(key.writeFile(path)).rejects.toMatchObject({ code: "exists" });
    expect(readlinkSync(path)).toBe(target);
    writeFileSync(target, "precious");
    await key.writeFile(path, { existing: "replace" });
    expect(readFileSync(target, "utf8")).toBe("precious");
    expect((await PKey.fromFile(path)).equals(key)).toBe(true);
  });

  it("tells what is wrong with the path", async () => {
    const parent = emptyDirectory();
    writeFileSync(join(parent, "file"), "");
    for (const path of [join(parent, "missing", "key"), join(parent, "file", "key")]) {
      await expect(key.writeFile(path)).rejects.toMatchObject({
        code: "unwritable",
        message: expect.stringContaining(path),
      });
    }
    mkdirSync(join(parent, "directory"));
    await expect(key.writeFile(join(parent, "directory"), { existing: "replace" })).rejects.toMatchObject({
      code: "unwritable",
    });
    expect(readdirSync(parent).sort()).toEqual(["directory", "file"]);
  });

  it("writes no public key, and encrypts with a passphrase", async () => {
    const parent = emptyDirectory();
    await expect(key.publicKey.writeFile(join(parent, "public"))).rejects.toMatchObject({ code: "public-only" });
    expect(readdirSync(parent)).toEqual([]);
    await key.writeFile(join(parent, "encrypted"), { passphrase: "sesame", rounds: 16 });
    await expect(PKey.fromFile(join(parent, "encrypted"))).rejects.toMatchObject({ code: "passphrase-required" });
    expect((await PKey.fromFile(join(parent, "encrypted"), { passphrase: "sesame" })).equals(key)).toBe(true);
  });
});

describe("fromFile", needs("ssh-keygen"), () => {
  it("reads private and public keys", async () => {
    const { path, publicText } = keygen(directory, { type: "ed25519" });
    expect(`${(await PKey.fromFile(path)).toPublicString()}\n`).toBe(publicText);
    expect((await PKey.fromFile(`${path}.pub`)).hasPrivateKey).toBe(false);
  });

  it("names the file and the remedy", async () => {
    const { path } = keygen(directory, { type: "ed25519", passphrase: "sesame" });
    await expect(PKey.fromFile(path)).rejects.toMatchObject({
      code: "passphrase-required",
      message: `cannot use the key file "${path}": the private key is encrypted: its passphrase is needed`,
    });
    await expect(PKey.fromFile(path, { passphrase: "x" })).rejects.toMatchObject({
      code: "wrong-passphrase",
      message: expect.stringContaining(path),
    });
    const missing = join(directory, "missing\nkey");
    const error = await PKey.fromFile(missing).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "unreadable", message: expect.stringContaining("does not exist") });
    expect(String(error)).not.toContain("\n");
  });

  it.skipIf(process.getuid?.() === 0)("tells that it may not read the file", async () => {
    const { path } = keygen(directory, { type: "ed25519" });
    chmodSync(path, 0);
    await expect(PKey.fromFile(path)).rejects.toMatchObject({
      code: "unreadable",
      message: expect.stringContaining("permission denied"),
    });
  });

  it("refuses what is not a file of a key's size, without waiting", async () => {
    const parent = emptyDirectory();
    await expect(PKey.fromFile(parent)).rejects.toMatchObject({ code: "unreadable" });
    execFileSync("mkfifo", [join(parent, "fifo")]);
    await expect(PKey.fromFile(join(parent, "fifo"))).rejects.toMatchObject({ code: "unreadable" });
    writeFileSync(join(parent, "large"), Buffer.alloc(1_000_000));
    await expect(PKey.fromFile(join(parent, "large"))).rejects.toMatchObject({ code: "unreadable" });
    writeFileSync(join(parent, "empty"), "");
    await expect(PKey.fromFile(join(parent, "empty"))).rejects.toMatchObject({ code: "malformed" });
  });
});

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { chmod, mkdir, rename, rm, symlink, truncate, utimes, writeFile as write } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import type { FileOptions } from "../../src/authenticators/index.js";
import { type RevocationSource, revokedKeys } from "../../src/authenticators/revoked-keys.js";
import { ConfigurationError } from "../../src/base/configuration-error.js";
import { KeyError } from "../../src/crypto/keys/key-error.js";
import { PKey } from "../../src/crypto/pkey/pkey.js";
import { RevocationList } from "../../src/crypto/revocation/revocation-list.js";
import { fakeConnection } from "../connection/fake-connection.js";
import { temporaryFolder } from "../support/tools.js";
import { LogRecord, later } from "./test-login.js";

const folder = temporaryFolder();
const [mine, yours, hers] = [1, 2, 3].map(() => PKey.generate({ keyType: "ed25519" }).publicKey) as [PKey, PKey, PKey];
const line = (...keys: readonly PKey[]) => keys.map((key) => `${key.toPublicString()}\n`).join("");
let counter = 0;

function newPath(): string {
  return join(folder, `revoked-${counter++}`);
}

function writeFile(path: string, content: string): Promise<void> {
  return write(path, content, { mode: 0o644 });
}

/** Which of my, your and her keys are revoked. */
async function answers(source: RevocationSource, options: FileOptions = {}): Promise<readonly boolean[]> {
  const isRevoked = revokedKeys(source, { logger: false, ...options });
  return Promise.all([mine, yours, hers].map((key) => isRevoked(key)));
}

describe("revoked keys", () => {
  it("are listed in a text, in bytes, in a list and in a file", async () => {
    const path = newPath();
    await writeFile(path, line(mine, hers));
    for (const source of [
      line(mine, hers),
      Buffer.from(line(mine, hers)),
      RevocationList.parse(line(mine, hers)),
      { file: path },
    ]) {
      expect(await answers(source)).toEqual([true, false, true]);
    }
  });

  it("are known to a function, whose word counts only when it is false", async () => {
    expect(await answers((key) => key.equals(mine))).toEqual([true, false, false]);
    expect(await answers(async (key) => key.equals(yours))).toEqual([false, true, false]);
    for (const word of [undefined, null, 0, "", "false", true]) {
      expect(await answers((() => word) as unknown as RevocationSource)).toEqual([true, true, true]);
    }
  });

  it("are known to a function, which is asked with the connection and the user", async () => {
    const asked = vi.fn(() => false);
    const connection = fakeConnection();
    await revokedKeys(asked)(mine, connection, "ann");
    expect(asked).toHaveBeenCalledExactlyOnceWith(mine, connection, "ann");
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("no database");
      },
    ],
    ["rejects", () => Promise.reject(new Error("no database"))],
  ])("are all keys when a function %s", async (_, source) => {
    const logger = new LogRecord();
    expect(await answers(source, { logger })).toEqual([true, true, true]);
    expect(logger.lines).toHaveLength(3);
    expect(logger.lines[0]).toMatchObject({ level: "error", message: expect.stringMatching(/^a key is refused/) });
  });

  it("are refused as a malformed list when they are given as such", () => {
    expect(() => revokedKeys("/etc/ssh/revoked_keys")).toThrow(KeyError);
    expect(() => revokedKeys(Buffer.from("SSHKRL\n\0"))).toThrow(KeyError);
  });

  it.each([[undefined], [null], [{}], [{ file: "" }], [{ file: 1 }], [5], [[]]])("are not %j", (source) => {
    expect(() => revokedKeys(source as unknown as RevocationSource)).toThrow(ConfigurationError);
  });

  it("are read with no option that does not exist", () => {
    const options: object = { strictMode: "on" };
    expect(() => revokedKeys({ file: newPath() }, options)).toThrow(/^strictMode: is not an option/);
  });

  it.each([[0], [-1], [1.5], [Number.NaN], [Number.POSITIVE_INFINITY], ["1"]])(
    "are not in a file of %j bytes",
    (size) => {
      const options = { maxFileSize: size } as unknown as FileOptions;
      expect(() => revokedKeys({ file: newPath() }, options)).toThrow(ConfigurationError);
    },
  );
});

describe("a file of revoked keys", () => {
  it("is read again when it is written, replaced, or written with the same size and times", async () => {
    const path = newPath();
    await writeFile(path, line(mine));
    const isRevoked = revokedKeys({ file: path });
    expect(await isRevoked(mine)).toBe(true);
    expect(await isRevoked(yours)).toBe(false);

    await writeFile(path, line(yours));
    await utimes(path, 1_700_000_000, 1_700_000_000);
    expect(await isRevoked(yours)).toBe(true);

    const other = newPath();
    await writeFile(other, line(hers));
    await utimes(other, 1_700_000_000, 1_700_000_000);
    expect(await isRevoked(hers)).toBe(false);
    await rename(other, path);
    expect(await isRevoked(hers)).toBe(true);
  });

  it("revokes every key while it cannot be used, and tells so once", async () => {
    const path = newPath();
    const logger = new LogRecord();
    const isRevoked = revokedKeys({ file: path }, { logger, maxFileSize: 1000 });
    for (const make of [
      () => undefined,
      () => writeFile(path, "hello"),
      () => writeFile(path, "#".repeat(1001)),
      () => rm(path).then(() => mkdir(path)),
      () => rm(path, { recursive: true }).then(() => symlink(path, path)),
    ]) {
      await make();
      logger.lines.length = 0;
      expect(await Promise.all([mine, yours, hers, mine].map((key) => isRevoked(key)))).toEqual([
        true,
        true,
        true,
        true,
      ]);
      expect(await isRevoked(mine)).toBe(true);
      expect(logger.lines.length).toBeLessThanOrEqual(1);
    }
    await rm(path);
    await writeFile(path, line(mine));
    logger.lines.length = 0;
    expect(await isRevoked(yours)).toBe(false);
    expect(await isRevoked(mine)).toBe(true);
    expect(logger.lines).toEqual([{ level: "info", message: "file of revoked keys can be used again", path }]);
  });

  it.each([
    ["does not exist", undefined, /^there is no such file$/],
    ["holds anything but keys", "hello", /line 1 of the list/],
    ["is a list cut short", "SSHKRL\n\0", /key revocation list is malformed/],
  ])("that %s is in the log before the first login", async (_, content, reason) => {
    const path = newPath();
    if (content !== undefined) await writeFile(path, content);
    const logged = await new Promise<object>((resolve) => {
      const tell = (fields: object, message: string) => resolve({ ...fields, message });
      revokedKeys({ file: path }, { logger: { debug: tell, info: tell, warn: tell, error: tell } });
    });
    expect(logged).toEqual({
      message: "file of revoked keys cannot be used: all are refused",
      path,
      reason: expect.stringMatching(reason),
    });
  });

  it("is not waited for when it is a FIFO", async () => {
    const path = newPath();
    execFileSync("mkfifo", [path]);
    expect(await answers({ file: path })).toEqual([true, true, true]);
  });

  it("may be as large as allowed, and no larger", async () => {
    const path = newPath();
    await writeFile(path, line(mine));
    const size = line(mine).length;
    expect(await answers({ file: path }, { maxFileSize: size })).toEqual([true, false, false]);
    expect(await answers({ file: path }, { maxFileSize: size - 1 })).toEqual([true, true, true]);
  });

  it("must not be one that others can change", async () => {
    const path = newPath();
    await writeFile(path, line(mine));
    await chmod(path, 0o666);
    expect(await answers({ file: path })).toEqual([true, true, true]);
    expect(await answers({ file: path }, { strictModes: false })).toEqual([true, false, false]);
  });

  it("survives a logger that throws", async () => {
    const fail = () => {
      throw new Error("disk full");
    };
    const logger = { debug: fail, info: fail, warn: fail, error: fail };
    expect(await answers({ file: newPath() }, { logger })).toEqual([true, true, true]);
  });

  it("goes on revoking what it revoked before, until it has been at rest", async () => {
    const path = newPath();
    await writeFile(path, line(mine));
    const isRevoked = revokedKeys({ file: path });
    const all = () => Promise.all([mine, yours, hers].map((key) => isRevoked(key)));
    await later(async () => expect(await all()).toEqual([true, false, false]));
    // What every program does that writes a file in its place.
    await truncate(path);
    expect(await all()).toEqual([true, false, false]);
    await writeFile(path, line(hers));
    expect(await all()).toEqual([true, false, true]);
    await writeFile(path, "hello");
    expect(await all()).toEqual([true, true, true]);
    await writeFile(path, line(hers));
    expect(await all()).toEqual([true, false, true]);
    await later(async () => expect(await all()).toEqual([false, false, true]));
  });

  it("is looked at after each question, also while it is being read", async () => {
    const path = newPath();
    await writeFile(path, line(mine));
    const isRevoked = revokedKeys({ file: path });
    const before = isRevoked(mine);
    writeFileSync(path, line(hers));
    expect(await isRevoked(hers)).toBe(true);
    await before;
    for (const key of [mine, hers, mine]) {
      const others = Array.from({ length: 20 }, () => isRevoked(key));
      writeFileSync(path, line(key));
      expect(await isRevoked(key)).toBe(true);
      await Promise.all(others);
    }
  });
});

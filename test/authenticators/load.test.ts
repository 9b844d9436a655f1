import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hashPassword, UserFileError } from "../../src/authenticators/index.js";
import {
  authorizedKeys,
  ConfigurationError,
  type Logger,
  passwordFile,
  revokedKeys,
  totp,
  trustedUserCAs,
} from "../../src/index.js";
import { temporaryFolder } from "../support/tools.js";
import { LogRecord, newKey } from "./test-login.js";

const folder = temporaryFolder();
let files = 0;
const newPath = () => join(folder, `file-${files++}`);

function write(text: string): string {
  const path = newPath();
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

const KEY = `${newKey().toPublicString()}\n`;
const PASSWORD = `ann:${await hashPassword("secret")}\n`;
const SECRET = "ann:GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n";

interface Loadable {
  load(): Promise<unknown>;
}
type Make = (source: { readonly file: string } | string, options?: { readonly logger: Logger }) => Loadable;

const keysOf: Make = (source, options) => authorizedKeys(source, options);
const authoritiesOf: Make = (source, options) => trustedUserCAs(source, options);
const principalsOf: Make = (source, options) =>
  trustedUserCAs(KEY, { ...options, principals: typeof source === "string" ? () => source : source });

const all: readonly (readonly [name: string, make: Make, good: string])[] = [
  ["authorizedKeys", keysOf, KEY],
  ["trustedUserCAs", authoritiesOf, KEY],
  ["principals of trustedUserCAs", principalsOf, "ann\n"],
  ["passwordFile", (source, options) => passwordFile(source, options), PASSWORD],
  ["totp", (source, options) => totp(source, options), SECRET],
  ["revokedKeys", (source, options) => revokedKeys(source, options), KEY],
];

describe.each(all)("load of %s", (_, make, good) => {
  it("reads a file now, and again where it has changed", async () => {
    const file = write(good);
    const check = make({ file });
    await check.load();
    chmodSync(file, 0o666);
    await expect(check.load()).rejects.toThrow(UserFileError);
    chmodSync(file, 0o600);
    await check.load();
  });

  it("fails with the path and the reason where a file cannot be read, and leaves the log alone", async () => {
    const logger = new LogRecord();
    const file = newPath();
    const loading = make({ file }, { logger }).load();
    await expect(loading).rejects.toThrow(UserFileError);
    await expect(loading).rejects.toThrow(`${file} cannot be used: there is no such file`);
    expect(logger.lines).toEqual([]);
  });

  it("reads a text", async () => {
    await make(good).load();
  });
});

describe("load", () => {
  it.each([
    ["authorizedKeys", keysOf, "authorized key"],
    ["trustedUserCAs", authoritiesOf, "trusted user CA key"],
    ["principals of trustedUserCAs", principalsOf, "principal"],
    ["passwordFile", (source: { file: string }) => passwordFile(source, { logger: false }), "user who could log in"],
    ["totp", (source: { file: string }) => totp(source, { logger: false }), "user who could log in"],
  ])("of %s fails where nobody could log in", async (_, make, what) => {
    for (const text of ["", "# nobody\n", '"\n']) {
      const file = write(text);
      const loading = make({ file }).load();
      await expect(loading).rejects.toThrow(UserFileError);
      await expect(loading).rejects.toThrow(`${file} holds no ${what}`);
    }
  });

  it("fails where other sources hold nothing, and asks no function", async () => {
    const never = () => {
      throw new Error("asked without a login");
    };
    for (const empty of [
      authorizedKeys(""),
      trustedUserCAs("# none"),
      trustedUserCAs([]),
      passwordFile("ann:!"),
      passwordFile(new Map()),
      totp(""),
    ]) {
      await expect(empty.load()).rejects.toThrow(ConfigurationError);
    }
    for (const check of [
      authorizedKeys(never),
      trustedUserCAs(never),
      trustedUserCAs([newKey()], { principals: never }),
      passwordFile(never),
      totp(never),
      revokedKeys(never),
    ]) {
      await check.load();
    }
  });

  it("of revokedKeys takes a list that revokes nothing, and none that is malformed", async () => {
    await revokedKeys({ file: write("# none yet\n") }).load();
    await expect(revokedKeys({ file: write("hello\n") }).load()).rejects.toThrow(/ cannot be used: line 1 of the list/);
  });

  it("leaves files that depend on the user to the login", async () => {
    const perUser = join(newPath(), "%u");
    const common = write(KEY);
    await authorizedKeys({ file: perUser }).load();
    await authorizedKeys({ file: [perUser, write("# none\n")] }).load();
    await authorizedKeys({ file: [common, write("# none\n")] }).load();
    await expect(authorizedKeys({ file: [perUser, newPath()] }).load()).rejects.toThrow(UserFileError);
    await authorizedKeys({ file: newPath() }, { owner: () => 1000 }).load();
  });

  it("tells the log which lines cannot be used, once", async () => {
    const logger = new LogRecord();
    const check = authorizedKeys({ file: write(`ssh-ed25519 AAAA\n${KEY}`) }, { logger });
    await check.load();
    await check.load();
    expect(logger.lines).toEqual([expect.objectContaining({ message: "authorized key refused", line: 1 })]);
  });
});

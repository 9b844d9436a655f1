import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { authorizedKeys } from "../../src/authenticators/authorized-keys/authorized-keys.js";
import { LineSet } from "../../src/authenticators/files/line-source.js";
import { passwordFile } from "../../src/authenticators/passwords/password-file.js";
import { totp } from "../../src/authenticators/totp/totp.js";
import { trustedUserCAs } from "../../src/authenticators/trusted-user-cas.js";
import type { Logger } from "../../src/index.js";
import { temporaryFolder } from "../support/tools.js";
import { KNOWN_HASHES } from "./passwords/known-hashes.js";
import { ALGORITHM, certificateOf, connectionFrom, LogRecord, newKey } from "./test-login.js";

const NAME = "an\n\x1b[2J\u202en";
const ESCAPED = "an\\u{a}\\u{1b}[2J\\u{202e}n";

const folder = temporaryFolder();
const local = connectionFrom("127.0.0.1");
const key = newKey();
const authority = newKey();

function refuseLine(): object {
  throw new Error("it is bad");
}

async function readAll(set: LineSet<object>, username = NAME): Promise<void> {
  for await (const _ of set.read(username, local, key));
}

it.each<[what: string, login: (logger: Logger) => Promise<unknown>]>([
  [
    "wrong codes",
    async (logger) => {
      const check = totp(() => "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", { logger });
      for (let guess = 0; guess < 5; guess++) await check(NAME, "", async () => ["none"]);
    },
  ],
  ["a value that cannot be used", (logger) => passwordFile(() => "bad", { logger })(NAME, "secret", local)],
  [
    "an account that has expired",
    (logger) => {
      const { hash, password } = KNOWN_HASHES["SHA-512 crypt"];
      return passwordFile(() => `${hash}:19000:0:99999:7::15000:`, { logger })(NAME, password, local);
    },
  ],
  [
    "a line of a function that cannot be used",
    (logger) => readAll(new LineSet("word", () => "bad", refuseLine, { logger })),
  ],
  [
    "a text of a function that is too large",
    (logger) => readAll(new LineSet("word", () => "bad", refuseLine, { logger, maxFileSize: 1 })),
  ],
  [
    "a key that is not accepted",
    (logger) => authorizedKeys(`from="10.0.0.1" ${key.toPublicString()}`, { logger })(NAME, key, local, ALGORITHM),
  ],
  [
    "a certificate that is not accepted",
    (logger) => trustedUserCAs([authority], { logger })(NAME, certificateOf(authority, ["ann"]), local, ALGORITHM),
  ],
])("a user name is escaped in the log: %s", async (_, login) => {
  const log = new LogRecord();
  await login(log);
  expect(log.lines.map(({ username }) => username)).toEqual([ESCAPED]);
});

it("the path of a user's file is escaped in the log", async () => {
  const log = new LogRecord();
  writeFileSync(join(folder, "an\u202en"), "bad");
  await readAll(new LineSet("word", { file: join(folder, "%u") }, refuseLine, { logger: log }), "an\u202en");
  expect(log.lines.map(({ path }) => path)).toEqual([join(folder, "an\\u{202e}n")]);
});

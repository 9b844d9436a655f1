import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  AUTH_FAILED,
  anyOf,
  authorizedKeys,
  createServer,
  passwordFile,
  type ServerOptions,
  trustedUserCAs,
} from "../../src/index.js";
import { encodeUserauthFailure } from "../../src/protocol/messages/userauth.js";
import { PacketClient } from "../support/packet-client.js";
import { passwordRequest, publickeyQuery } from "../support/packet-messages.js";
import { temporaryFolder } from "../support/tools.js";
import { withoutAdmission } from "../support/without-admission.js";
import { KNOWN_HASHES } from "./passwords/known-hashes.js";
import { ALGORITHM, LogRecord, newKey } from "./test-login.js";

const folder = temporaryFolder();
const hostKey = newKey();
const key = newKey();

async function started(authentication: NonNullable<ServerOptions["authentication"]>) {
  const log = new LogRecord();
  const server = createServer({ ...withoutAdmission, hostKey, authentication, authFailureDelay: 0, logger: log });
  await server.listen(0);
  return { server, log, [Symbol.asyncDispose]: () => server.close({ grace: 0 }) };
}

/** The reasons of refused requests in the log, for a client that is told nothing of them. */
async function reasons(authentication: NonNullable<ServerOptions["authentication"]>, ...requests: readonly Buffer[]) {
  await using running = await started(authentication);
  const client = await PacketClient.authenticating(running.server.port);
  const methods = Object.keys(authentication).map((name) => (name === "publicKey" ? "publickey" : name));
  for (const request of requests) {
    expect(await client.authenticate(request)).toEqual(encodeUserauthFailure(methods, false));
  }
  await client.close();
  return running.log.lines.flatMap(({ message, reason }) => (message === "authentication was refused" ? reason : []));
}

const offer = (username: string, { publicBlob } = key) =>
  publickeyQuery({ username, algorithm: ALGORITHM, publicBlob });

describe("the log tells why a key is refused", () => {
  const keys = join(folder, "keys");
  mkdirSync(keys, { mode: 0o700 });
  writeFileSync(join(keys, "bob"), newKey().toPublicString(), { mode: 0o600 });
  writeFileSync(join(keys, "eve"), `from="10.0.0.1" ${key.toPublicString()}`, { mode: 0o600 });
  writeFileSync(join(keys, "dan"), key.toPublicString(), { mode: 0o600 });

  it("by the file that is not there, that has no such key, or whose line refuses", async () => {
    const publicKey = authorizedKeys({ file: `${keys}/%u` });
    expect(await reasons({ publicKey }, ...["ann", "bob", "eve", "a/b"].map((name) => offer(name)))).toEqual([
      `there is no file ${keys}/ann`,
      `${keys}/bob does not have the key`,
      `${keys}/eve, line 1: not from 127.0.0.1`,
      "such a name cannot be that of a file",
    ]);
  });

  it("for each of several decisions", async () => {
    const publicKey = anyOf(authorizedKeys({ file: `${keys}/%u` }), trustedUserCAs([newKey()]));
    expect(await reasons({ publicKey }, offer("ann"))).toEqual([
      `there is no file ${keys}/ann; a certificate is needed, and this is a plain key`,
    ]);
  });

  it("and forgets what was noted about another request", async () => {
    const publicKey = anyOf(authorizedKeys({ file: [join(folder, "none"), `${keys}/dan`] }), async () => AUTH_FAILED);
    await using running = await started({ publicKey, password: () => AUTH_FAILED });
    const client = await PacketClient.authenticating(running.server.port);
    await client.authenticate(offer("dan"));
    await client.authenticate(passwordRequest("dan", "secret"));
    await client.close();
    expect(running.log.lines).toContainEqual(
      expect.objectContaining({ reason: "the server's hook has refused the request" }),
    );
  });
});

describe("the start of a server warns", () => {
  it("of a folder of keys that is not there, and of no file of one user", async () => {
    const file = join(folder, "kesy", "%u");
    await using running = await started({ publicKey: authorizedKeys({ file }) });
    expect(running.log.lines.filter(({ level }) => level === "warn")).toEqual([
      {
        level: "warn",
        message: "authorized keys not used",
        path: file,
        reason: `the folder ${join(folder, "kesy")} is not there`,
      },
    ]);
  });

  it("of files that cannot be used, and starts all the same", async () => {
    const file = join(folder, "nothing");
    await using running = await started({
      publicKey: anyOf(authorizedKeys({ file })),
      password: passwordFile({ file }),
    });
    expect(running.log.lines.filter(({ level }) => level === "warn")).toEqual([
      {
        level: "warn",
        message: "a login would be refused",
        option: "authentication.publicKey",
        reason: `file of authorized keys ${file} cannot be used: there is no such file`,
      },
      {
        level: "warn",
        message: "a login would be refused",
        option: "authentication.password",
        reason: `password file ${file} cannot be used: there is no such file`,
      },
    ]);
  });
});

describe("the log tells why a password is refused", () => {
  it("by what is wrong, of all that the client is told in the same way", async () => {
    const file = join(folder, "users");
    writeFileSync(file, `ann:${KNOWN_HASHES.scrypt.hash}\nbob:!\n`, { mode: 0o600 });
    const requests = [
      passwordRequest("root", "secret"),
      passwordRequest("ann", "wrong"),
      passwordRequest("bob", "secret"),
    ];
    expect(await reasons({ password: passwordFile({ file }) }, ...requests)).toEqual([
      `there is no user root in ${file}`,
      "the password is wrong",
      `the user bob has no password in ${file}`,
    ]);
  });
});

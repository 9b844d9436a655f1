import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { PKey, RevocationList } from "../../src/crypto/index.js";
import { needs } from "../support/clients.js";
import { runOk, temporaryFolder } from "../support/tools.js";

const PAGE = readFileSync(resolve(import.meta.dirname, "../../docs/revocation.md"), "utf8");
const folder = temporaryFolder();

it("the commands of docs/revocation.md make the list that the page describes", needs("ssh-keygen"), async () => {
  const [, commands = ""] = /^```sh\n(.*?)^```$/ms.exec(PAGE) ?? [];
  const authority = PKey.generate({ keyType: "ed25519" });
  const [stolen, somebody] = [PKey.generate({ keyType: "ed25519" }), PKey.generate({ keyType: "ed25519" })];
  const publicFiles = { "ca.pub": authority, "stolen-key.pub": stolen, "somebody.pub": somebody };
  for (const [name, key] of Object.entries(publicFiles)) writeFileSync(join(folder, name), `${key.toPublicString()}\n`);
  writeFileSync(join(folder, "more"), "serial: 5\n");

  await runOk("/bin/sh", [
    "-c",
    `cd '${folder}' && set -e
${commands}`,
  ]);

  const list = RevocationList.parse(readFileSync(join(folder, "revoked_keys")));
  const certified = (serial: number, keyId: string) =>
    authority.signCertificate({ publicKey: somebody, type: "user", keyId, serial, principals: ["ann"] });
  expect(list.isRevoked(stolen)).toBe(true);
  expect(list.isRevoked(somebody)).toBe(false);
  for (const serial of [5, 1000, 1999]) expect(list.isRevoked(certified(serial, "desk"))).toBe(true);
  for (const serial of [6, 999, 2000]) expect(list.isRevoked(certified(serial, "desk"))).toBe(false);
  expect(list.isRevoked(certified(1, "laptop of ann"))).toBe(true);
});

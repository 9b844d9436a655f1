import { describe, expect, it } from "vitest";
import { LIBRARY_CLIENTS, type LibraryClientName, needs } from "../../support/clients.js";
import { KEY_TYPES, type KeyType } from "../../support/clients-keys.js";
import type { LibraryLogin } from "../../support/clients-libraries.js";
import type { Operation } from "../../support/clients-sftp.js";
import { isLong } from "../../support/extent.js";
import { libraryFixture } from "../../support/library-fixture.js";

/** JSch 0.1.55 and the Conch of Twisted 22.4 sign with RSA keys by SHA-1 only, which this server does not take. */
const SIGNS_BY_SHA1: readonly LibraryClientName[] = ["jsch", "conch"];
/** What a library does not log in with, beside that. */
const UNSUPPORTED_KEYS: Partial<Record<LibraryClientName, readonly KeyType[]>> = {
  jsch: ["ed25519"],
  // It is ssh that logs in.
  "net-sftp-foreign": ["ecdsa256", "ecdsa384", "ecdsa521", "rsa"],
};
const HOST_KEYS = ["ed25519", "ecdsa256", "rsa"] as const;

/** Net::SFTP::Foreign knows no commands. */
const something = (client: LibraryClientName): Operation =>
  client === "net-sftp-foreign" ? ["list", "/"] : ["exec", "hello", ""];
const itsResult = (client: LibraryClientName) =>
  client === "net-sftp-foreign" ? [] : { status: 0, stdout: "Executed: hello\n", stderr: "" };

/** One of each kind; the long run takes every curve. */
const TRIED_KEY_TYPES = KEY_TYPES.filter((type) => isLong || !["ecdsa384", "ecdsa521"].includes(type));

const fixture = libraryFixture();
const refusing = libraryFixture({ authFailureDelay: 0 });

for (const client of LIBRARY_CLIENTS) {
  describe(`login with ${client}`, needs(client), () => {
    const expectLogin = async (login: LibraryLogin, where = fixture) =>
      expect(await where.operate(client, [something(client)], login)).toEqual([{ value: itsResult(client) }]);
    const expectRefusal = async (login: LibraryLogin) => {
      const before = refusing.server.keyExchanges;
      await expect(refusing.operate(client, [something(client)], login)).rejects.toThrow(`${client} exited with`);
      expect(refusing.server.keyExchanges).toBe(before + 1);
      expect(refusing.server.server.lastLogin).toBeUndefined();
    };

    it("by password", () => expectLogin({ password: "secret" }));

    it("not by a wrong password", () => expectRefusal({ password: "wrong" }));

    const signsBySHA1 = SIGNS_BY_SHA1.includes(client);
    const unsupported = [...(UNSUPPORTED_KEYS[client] ?? []), ...(signsBySHA1 ? ["rsa"] : [])];
    for (const keyType of TRIED_KEY_TYPES.filter((type) => !unsupported.includes(type)))
      it(`by ${keyType} key`, () => expectLogin({ keyType }));

    if (signsBySHA1) it("not by an RSA key, for which it knows SHA-1 only", () => expectRefusal({ keyType: "rsa" }));
  });
}

for (const hostKeyType of HOST_KEYS.filter((type) => isLong || type !== "ed25519")) {
  describe(`a server with only an ${hostKeyType} host key`, () => {
    const server = libraryFixture({ hostKeyTypes: [hostKeyType] });

    const isKnownTo = (client: LibraryClientName) => client !== "jsch" || hostKeyType === "ecdsa256";
    for (const client of LIBRARY_CLIENTS.filter(isKnownTo))
      it(`is known to ${client}`, needs(client), async () => {
        expect(await server.operate(client, [something(client)])).toEqual([{ value: itsResult(client) }]);
      });

    // JSch 0.1.55 knows no Ed25519, and verifies RSA by SHA-1 only.
    if (!isKnownTo("jsch"))
      it("is not for jsch", needs("jsch"), async () => {
        const connecting = server.operate("jsch", [something("jsch")]);
        await expect(connecting).rejects.toThrow("Algorithm negotiation fail");
      });
  });
}

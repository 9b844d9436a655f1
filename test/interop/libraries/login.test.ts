import { describe, expect, it } from "vitest";
import { LIBRARY_CLIENTS, type LibraryClientName, needs } from "../../support/clients.js";
import { KEY_TYPES, type KeyType } from "../../support/clients-keys.js";
import type { LibraryLogin } from "../../support/clients-libraries.js";
import type { Operation } from "../../support/clients-sftp.js";
import { isLong } from "../../support/extent.js";
import { libraryFixture } from "../../support/library-fixture.js";

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

/** JSch 0.1.55 and the Conch of Twisted 22.4 sign with RSA keys by SHA-1 only, which this server does not take. */
const signsBySHA1 = (client: LibraryClientName) => client === "jsch" || client === "conch";
const logsInBy = (client: LibraryClientName, type: KeyType) =>
  !UNSUPPORTED_KEYS[client]?.includes(type) && !(type === "rsa" && signsBySHA1(client));

/** In the gate the server's refusal is told with some, for one of its reasons. */
const HEAR_REFUSALS: readonly LibraryClientName[] = isLong ? LIBRARY_CLIENTS : ["libssh", "net-ssh"];
const HEAR_REFUSALS_OF_SHA1: readonly LibraryClientName[] = isLong ? LIBRARY_CLIENTS : ["conch"];

/** Half of them log in where there is only a host key of the first kind, the other half at the second. */
const half = (client: LibraryClientName) => LIBRARY_CLIENTS.indexOf(client) % 2;
const TRIED_HOST_KEYS = HOST_KEYS.filter((type) => isLong || type !== "ed25519");
/**
 * The long run takes each way in for itself. The gate starts the libraries less often: they log in by password in
 * commands-and-files.test.ts, and by a key where the server has a host key of that kind, if they can.
 */
function triedKeyTypes(client: LibraryClientName): readonly KeyType[] {
  const types = KEY_TYPES.filter((type) => logsInBy(client, type));
  if (isLong) return types;
  const elsewhere = TRIED_HOST_KEYS[half(client)];
  return client !== "libssh" && elsewhere && types.includes(elsewhere) ? [] : types.slice(0, 1);
}

/** Whether the gate has anything to try with a client here. */
const isTried = (client: LibraryClientName) =>
  HEAR_REFUSALS.includes(client) || HEAR_REFUSALS_OF_SHA1.includes(client) || triedKeyTypes(client).length > 0;

const fixture = libraryFixture();
const refusing = libraryFixture({ authFailureDelay: 0 });

for (const client of LIBRARY_CLIENTS.filter(isTried)) {
  describe(`login with ${client}`, needs(client), () => {
    const expectLogin = async (login: LibraryLogin) =>
      expect(await fixture.operate(client, [something(client)], login)).toEqual([{ value: itsResult(client) }]);
    const expectRefusal = async (login: LibraryLogin) => {
      const before = refusing.server.keyExchanges;
      await expect(refusing.operate(client, [something(client)], login)).rejects.toThrow(`${client} exited with`);
      expect(refusing.server.keyExchanges).toBe(before + 1);
      expect(refusing.server.server.lastLogin).toBeUndefined();
    };

    if (isLong) it("by password", () => expectLogin({ password: "secret" }));

    if (HEAR_REFUSALS.includes(client)) it("not by a wrong password", () => expectRefusal({ password: "wrong" }));

    for (const keyType of triedKeyTypes(client)) it(`by ${keyType} key`, () => expectLogin({ keyType }));

    if (signsBySHA1(client) && HEAR_REFUSALS_OF_SHA1.includes(client))
      it("not by an RSA key, for which it knows SHA-1 only", () => expectRefusal({ keyType: "rsa" }));
  });
}

for (const [which, hostKeyType] of TRIED_HOST_KEYS.entries()) {
  describe(`a server with only an ${hostKeyType} host key`, () => {
    const server = libraryFixture({ hostKeyTypes: [hostKeyType] });

    const isKnownTo = (client: LibraryClientName) => client !== "jsch" || hostKeyType === "ecdsa256";
    // In the gate one half is asked of each: what JSch knows is in the first.
    for (const client of LIBRARY_CLIENTS.filter(isKnownTo).filter((one) => isLong || half(one) === which))
      it(`is known to ${client}, which logs in by such a key if it can`, needs(client), async () => {
        const login = logsInBy(client, hostKeyType) ? { keyType: hostKeyType } : {};
        expect(await server.operate(client, [something(client)], login)).toEqual([{ value: itsResult(client) }]);
      });

    // JSch 0.1.55 knows no Ed25519, and verifies RSA by SHA-1 only.
    if (!isKnownTo("jsch"))
      it("is not for jsch", needs("jsch"), async () => {
        const connecting = server.operate("jsch", [something("jsch")]);
        await expect(connecting).rejects.toThrow("Algorithm negotiation fail");
      });
  });
}

import { describe, expect, it } from "vitest";
import { needs, TRIED_EXEC_CLIENTS, UNSUPPORTED_KEYS } from "../support/clients.js";
import { isLong } from "../support/extent.js";
import { serverFixture } from "../support/server-fixture.js";
import { HOST_KEY_TYPES, type HostKeyType } from "../support/server-start.js";

/** The short run takes one of each kind, and every curve by ssh alone. */
const LONG_CURVES: readonly HostKeyType[] = ["ecdsa384", "ecdsa521"];

for (const hostKeyType of HOST_KEY_TYPES) {
  describe(`a server with only an ${hostKeyType} host key`, () => {
    const fixture = serverFixture({ hostKeyTypes: [hostKeyType] });
    // libssh2 1.10 verifies RSA host keys by SHA-1 only, which this server does not sign with.
    const clients = TRIED_EXEC_CLIENTS.filter((client) => client !== "libssh2" || hostKeyType !== "rsa").filter(
      (client) => isLong || client === "ssh" || !LONG_CURVES.includes(hostKeyType),
    );

    for (const client of clients) {
      it(`is known to ${client}, which logs in by such a key if it can`, needs(client), async () => {
        const credential = UNSUPPORTED_KEYS[client]?.includes(hostKeyType)
          ? { password: "secret" }
          : { keyType: hostKeyType };
        const login = { user: "admin", ...credential };
        const { code, stdout, stderr } = await fixture.exec(client, { login, command: "hello" });
        expect({ code, stdout: stdout.toString() }, stderr).toEqual({ code: 0, stdout: "Executed: hello\n" });
      });
    }
  });
}

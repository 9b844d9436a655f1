import { describe, expect, it } from "vitest";
import { type ExecClientName, needs, TRIED_EXEC_CLIENTS, UNSUPPORTED_KEYS } from "../support/clients.js";
import { isLong } from "../support/extent.js";
import { serverFixture } from "../support/server-fixture.js";
import { HOST_KEY_TYPES, type HostKeyType } from "../support/server-start.js";

/**
 * All other tests have an Ed25519 host key. In the gate each client meets one of the other two that hosts have, in turn;
 * ssh meets all.
 */
function isTried(client: ExecClientName, type: HostKeyType): boolean {
  if (isLong || client === "ssh") return true;
  const meetsRsa = client !== "libssh2" && TRIED_EXEC_CLIENTS.indexOf(client) % 2 === 0;
  return type === (meetsRsa ? "rsa" : "ecdsa256");
}

for (const hostKeyType of HOST_KEY_TYPES) {
  describe(`a server with only an ${hostKeyType} host key`, () => {
    const fixture = serverFixture({ hostKeyTypes: [hostKeyType] });
    // libssh2 1.10 verifies RSA host keys by SHA-1 only, which this server does not sign with.
    const clients = TRIED_EXEC_CLIENTS.filter((client) => client !== "libssh2" || hostKeyType !== "rsa").filter(
      (client) => isTried(client, hostKeyType),
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

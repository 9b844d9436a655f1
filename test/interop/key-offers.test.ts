import { beforeAll, describe, expect, it } from "vitest";
import type { PKey } from "../../src/crypto/index.js";
import type { Connection } from "../../src/index.js";
import { AUTH_FAILED, AUTH_SUCCESSFUL, type AuthResult } from "../../src/protocol/constants.js";
import { needs, TRIED_SSHS } from "../support/clients.js";
import { ClientKeys } from "../support/clients-keys.js";
import { GuideServer } from "../support/server.js";
import { serverFixture } from "../support/server-fixture.js";

/** Knows one key, and notes which keys it is asked about. */
class NotingServer extends GuideServer {
  known = "";
  readonly asked: string[] = [];

  override checkKeyRevoked(key: PKey, _connection: Connection, username: string): boolean {
    this.asked.push(`revoked? ${username} ${key.keyType}`);
    return false;
  }

  override checkAuthPublickey(username: string, key: PKey, _connection: Connection, algorithm: string): AuthResult {
    this.asked.push(`accepted? ${username} ${algorithm}`);
    return key.fingerprint() === this.known ? AUTH_SUCCESSFUL : AUTH_FAILED;
  }
}

const keys = new ClientKeys();

describe.each(TRIED_SSHS)("%s with three keys of which the last will do", (client) => {
  const server = new NotingServer();
  const fixture = serverFixture({ server, authFailureDelay: 0 });

  beforeAll(async () => {
    server.known = await keys.fingerprint("rsa");
  });

  it("has the hooks asked once about each", needs(client), async () => {
    const options = ["-o", `IdentityFile=${await keys.openssh("ecdsa256")}`];
    options.push("-o", `IdentityFile=${await keys.openssh("rsa")}`);
    const login = { user: "admin", keyType: "ed25519" } as const;
    const { code, stderr } = await fixture.exec(client, { login, command: "hello", options });
    expect(code, stderr).toBe(0);
    expect(server.asked).toEqual([
      "revoked? admin ssh-ed25519",
      "accepted? admin ssh-ed25519",
      "revoked? admin ecdsa-sha2-nistp256",
      "accepted? admin ecdsa-sha2-nistp256",
      "revoked? admin ssh-rsa",
      "accepted? admin rsa-sha2-512",
    ]);
  });
});

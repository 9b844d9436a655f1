import { describe, expect, it } from "vitest";
import type { PKey } from "../../src/crypto/index.js";
import { type Channel, type Connection, Grant } from "../../src/index.js";
import { AUTH_FAILED, AUTH_PARTIAL, AUTH_SUCCESSFUL } from "../../src/protocol/constants.js";
import { needs } from "../support/clients.js";
import { GuideServer } from "../support/server.js";
import { serverFixture } from "../support/server-fixture.js";

interface Account {
  readonly home: string;
  /** Of this login. */
  commands: number;
}

/** Users prove a key, which finds their account, and then a password. */
class AccountServer extends GuideServer {
  override getAllowedAuths(_username: string, connection: Connection): string[] {
    return connection.provenMethods.includes("publickey") ? ["password"] : ["publickey"];
  }

  override checkAuthPublickey(username: string, key: PKey) {
    if (!this.authorizedKeys.has(key.fingerprint())) return AUTH_FAILED;
    return new Grant({ result: AUTH_PARTIAL }).withData<Account>({ home: `/home/${username}`, commands: 0 });
  }

  override checkAuthPassword() {
    return AUTH_SUCCESSFUL;
  }

  override checkChannelExecRequest(channel: Channel<Account>) {
    const account = channel.connection.identity?.data;
    if (account === undefined) return false;
    channel.end(`${account.home} ${++account.commands}`);
    channel.sendExitStatus(0);
    return true;
  }
}

describe("what belongs to a user", needs("ssh"), () => {
  const fixture = serverFixture({ server: new AccountServer() });

  it("comes from the hook that has found it to those that run something, for each login anew", async () => {
    const request = (user: string) => ({
      login: { user, keyType: "ed25519", password: "any" } as const,
      command: "go",
    });
    for (const user of ["ann", "bob", "ann"]) {
      const { stdout } = await fixture.exec("ssh", request(user));
      expect(stdout.toString()).toBe(`/home/${user} 1`);
    }
  });
});

import { describe, expect, it } from "vitest";
import { PKey } from "../../src/crypto/index.js";
import type { Connection } from "../../src/index.js";
import { AUTH_FAILED, AUTH_PARTIAL, AUTH_SUCCESSFUL, MessageNumber } from "../../src/protocol/constants.js";
import {
  channelOpen,
  passwordChangeRequest,
  passwordRequest,
  publickeyProof,
  publickeyQuery,
  publickeySignedData,
  readUserauthFailure,
} from "../support/packet-messages.js";
import { Attacked, TargetServer, USERNAME } from "./attacked-server.js";

const { DISCONNECT, USERAUTH_FAILURE, USERAUTH_PASSWD_CHANGEREQ, USERAUTH_PK_OK, USERAUTH_SUCCESS } = MessageNumber;

const key = PKey.generate({ keyType: "ed25519" });

/** Everybody but the bystander needs the key first and then the password "second". */
class TwoFactorServer extends TargetServer {
  override checkAuthPublickey(_username: string, offered: PKey) {
    return offered.equals(key) ? AUTH_PARTIAL : AUTH_FAILED;
  }

  override checkAuthPassword(username: string, password: string, connection?: Connection) {
    if (username === USERNAME) return super.checkAuthPassword(username, password);
    return password === "second" && connection?.provenMethods.includes("publickey") ? AUTH_SUCCESSFUL : AUTH_FAILED;
  }
}

const requestOf = (username: string) => ({ username, algorithm: "ssh-ed25519", publicBlob: key.publicBlob });

describe("two factors", () => {
  async function start() {
    const attacked = await Attacked.start(new TwoFactorServer());
    return { attacked, client: await attacked.authenticating() };
  }

  it("let in a user who has both", async () => {
    const { attacked, client } = await start();
    const partial = readUserauthFailure(await client.authPublickey("alice", key));
    expect(partial).toEqual({ methods: ["password"], partialSuccess: true });
    expect((await client.authPassword("alice", "second"))[0]).toBe(USERAUTH_SUCCESS);
    const { identity } = attacked.manager.getActiveConnections().at(-1) ?? {};
    expect(identity?.methods).toEqual(["publickey", "password"]);
    expect(identity?.publicKeys.map((proven) => proven.fingerprint())).toEqual([key.fingerprint()]);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("are not had by offering the key", async () => {
    const { attacked, client } = await start();
    expect((await client.authenticate(publickeyQuery(requestOf("alice"))))[0]).toBe(USERAUTH_PK_OK);
    expect((await client.authPassword("alice", "second"))[0]).toBe(USERAUTH_FAILURE);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("are not had by a wrong signature of the key", async () => {
    const { attacked, client } = await start();
    const request = requestOf("alice");
    const signature = PKey.generate({ keyType: "ed25519" }).sign(publickeySignedData(client.sessionId, request));
    readUserauthFailure(await client.authenticate(publickeyProof(request, signature)));
    expect((await client.authPassword("alice", "second"))[0]).toBe(USERAUTH_FAILURE);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("are not had by the key alone, however often", async () => {
    const { attacked, client } = await start();
    for (let round = 0; round < 3; round++) {
      client.sendPacket(publickeyQuery(requestOf("alice")));
      const answer = await client.authPublickey("alice", key);
      expect([USERAUTH_FAILURE, USERAUTH_PK_OK]).toContain(answer[0]);
    }
    client.reset();
    await attacked.expectUnharmed();
    expect(attacked.callNames.filter((name) => name === "onAuthenticationSuccessful")).toHaveLength(1);
  });

  it("are not had by another user's key", async () => {
    const { attacked, client } = await start();
    expect(readUserauthFailure(await client.authPublickey("alice", key)).partialSuccess).toBe(true);
    for (const username of ["bob", "alice"]) {
      client.sendPacket(passwordRequest(username, "second"));
      const answer = await client.nextPacket();
      expect([username, answer[0]]).toEqual([username, answer[0] === DISCONNECT ? DISCONNECT : USERAUTH_FAILURE]);
      if (answer[0] === DISCONNECT) break;
    }
    client.reset();
    await attacked.expectUnharmed();
    expect(attacked.callNames.filter((name) => name === "onAuthenticationSuccessful")).toHaveLength(1);
  });
});

describe("a password that has to be changed", () => {
  class ExpiredServer extends TargetServer {
    override checkAuthPassword(username: string, password: string) {
      if (username !== "carol") return super.checkAuthPassword(username, password);
      return password === "old" ? { passwordChangeRequired: "Too old." } : AUTH_FAILED;
    }

    override checkAuthPasswordChange(username: string, oldPassword: string, newPassword: string) {
      return username === "carol" && oldPassword === "old" && newPassword === "new" ? AUTH_SUCCESSFUL : AUTH_FAILED;
    }
  }

  it("is not a login before it is", async () => {
    const attacked = await Attacked.start(new ExpiredServer());
    const client = await attacked.authenticating();
    expect((await client.authPassword("carol", "old"))[0]).toBe(USERAUTH_PASSWD_CHANGEREQ);
    client.sendPacket(channelOpen());
    await client.waitDisconnect();
    expect(attacked.callNames).toEqual(["checkAuthPassword"]);
    await attacked.expectUnharmed();
  });

  it.each([
    ["with the wrong old one", "carol", "wrong", "new"],
    ["to one that is not accepted", "carol", "old", "bad"],
    ["of another user", USERNAME, "old", "new"],
    ["to itself", "carol", "old", "old"],
  ])("is not changed %s", async (_, username, oldPassword, newPassword) => {
    const attacked = await Attacked.start(new ExpiredServer());
    const client = await attacked.authenticating();
    expect((await client.authPassword("carol", "old"))[0]).toBe(USERAUTH_PASSWD_CHANGEREQ);
    const answer = await client.authenticate(passwordChangeRequest(username, oldPassword, newPassword));
    expect(answer[0]).toBe(USERAUTH_FAILURE);
    expect((await client.authenticate(passwordChangeRequest("carol", "old", "new")))[0]).toBe(USERAUTH_SUCCESS);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("does not allow to guess without end", async () => {
    const attacked = await Attacked.start(new ExpiredServer());
    const client = await attacked.authenticating();
    await client.flood(() => passwordRequest("carol", "old"), 1_000);
    await client.waitEnd();
    const guesses = attacked.callNames.filter((name) => name === "checkAuthPassword");
    expect(guesses.length).toBeLessThanOrEqual(100);
    await attacked.expectUnharmed();
  });
});

import { describe, expect, it, vi } from "vitest";
import { PKey } from "../../src/crypto/index.js";
import type { Connection, Prompt } from "../../src/index.js";
import {
  AUTH_FAILED,
  AUTH_PARTIAL,
  AUTH_SUCCESSFUL,
  type AuthResult,
  DisconnectReason,
  MessageNumber as M,
} from "../../src/protocol/constants.js";
import type { PacketClient } from "../support/packet-client.js";
import {
  channelOpen,
  infoResponse,
  keyboardInteractiveRequest,
  noneRequest,
  passwordRequest,
  publickeyProof,
  publickeyQuery,
  publickeySignedData,
  readUserauthFailure,
  serviceRequest,
} from "../support/packet-messages.js";
import { Attacked, TargetServer, USERNAME } from "./attacked-server.js";
import { Deferred } from "./deferred.js";

const { PROTOCOL_ERROR, NO_MORE_AUTH_METHODS_AVAILABLE } = DisconnectReason;
const key = PKey.generate({ keyType: "ed25519" });

/** Wants a key and then a password of everybody but the bystander; the answers come when the test gives them. */
class PendingServer extends TargetServer {
  /** The client has given up a dialogue. */
  readonly abandoned = new Deferred();
  readonly pending: { readonly who: string; readonly decide: (answer: AuthResult) => void }[] = [];

  override getAllowedAuths(): string[] {
    return ["publickey", "password", "keyboard-interactive"];
  }

  override checkAuthPublickey(username: string, offered: PKey) {
    return offered.equals(key) ? this.#ask(`${username} by key`) : AUTH_FAILED;
  }

  override checkAuthPassword(username: string, password: string, connection?: Connection) {
    if (username === USERNAME) return super.checkAuthPassword(username, password);
    return this.#ask(`${username} by password after ${connection?.provenMethods.join() || "nothing"}`);
  }

  override async checkAuthKeyboardInteractive(username: string, _submethods: string, prompt: Prompt) {
    prompt({ prompts: [{ prompt: "Word: ", echo: false }] }).catch(() => this.abandoned.resolve());
    // Does not wait for the answer.
    return this.#ask(`${username} by dialogue`);
  }

  #ask(who: string): Promise<AuthResult> {
    const answer = new Deferred<AuthResult>();
    this.pending.push({ who, decide: (result) => answer.resolve(result) });
    return answer.promise;
  }

  /** Answers the question that came as this one in the row, once it has come. */
  async decide(index: number, answer: AuthResult): Promise<string> {
    await vi.waitFor(() => expect(this.pending.length).toBeGreaterThan(index), { interval: 2, timeout: 10_000 });
    this.pending[index]?.decide(answer);
    return this.pending[index]?.who ?? "";
  }
}

async function start(options = {}) {
  const attacked = await Attacked.start(new PendingServer());
  const client = await attacked.authenticating(options);
  attacked.forgetCalls();
  return { attacked, client, server: attacked.server };
}

function proofOf(client: PacketClient, username: string): Buffer {
  const request = { username, algorithm: "ssh-ed25519", publicBlob: key.publicBlob };
  return publickeyProof(request, key.sign(publickeySignedData(client.sessionId, request)));
}

const query = (username: string): Buffer =>
  publickeyQuery({ username, algorithm: "ssh-ed25519", publicBlob: key.publicBlob });

/** Only the bystander is in, and no hook heard of a success. */
async function expectNobody(attacked: Attacked<PendingServer>, client: PacketClient): Promise<void> {
  expect(attacked.callNames).not.toContain("onAuthenticationSuccessful");
  expect(attacked.manager.getActiveConnections().filter(({ username }) => username !== undefined)).toHaveLength(1);
  client.reset();
  await attacked.expectUnharmed();
}

describe("another user's request while the first one's factor is being decided on", () => {
  it.each([
    ["a password", (username: string) => passwordRequest(username, "x")],
    ["the same key", query],
    ["none", noneRequest],
  ])("has nothing of what that proves: %s", async (what, make) => {
    const { attacked, client, server } = await start();
    client.sendPacket(proofOf(client, "alice"));
    client.sendPacket(make("bob"));
    expect(await server.decide(0, AUTH_PARTIAL)).toBe("alice by key");
    expect(readUserauthFailure(await client.expect(M.USERAUTH_FAILURE)).partialSuccess).toBe(true);
    if (what === "a password") expect(await server.decide(1, AUTH_FAILED)).toBe("bob by password after nothing");
    if (what === "the same key") expect(await server.decide(1, AUTH_FAILED)).toBe("bob by key");
    expect(readUserauthFailure(await client.expect(M.USERAUTH_FAILURE)).partialSuccess).toBe(false);
    // Nor has alice, once she comes back.
    client.sendPacket(passwordRequest("alice", "x"));
    expect(await server.decide(what === "none" ? 1 : 2, AUTH_FAILED)).toBe("alice by password after nothing");
    await client.expect(M.USERAUTH_FAILURE);
    await expectNobody(attacked, client);
  });

  it("does not change when another name is let in: it is that of the request that was decided on", async () => {
    const { attacked, client, server } = await start();
    client.sendPacket(passwordRequest("alice", "x"));
    for (const name of ["bob", "root", "alice"]) client.sendPacket(passwordRequest(name, "x"));
    await server.decide(0, AUTH_SUCCESSFUL);
    await client.expect(M.USERAUTH_SUCCESS);
    expect((await client.exec("hello")).exitStatus).toBe(0);
    expect(server.pending).toHaveLength(1);
    expect(attacked.manager.getActiveConnections().at(-1)?.username).toBe("alice");
    await client.close();
    await attacked.expectUnharmed();
  });

  it("takes over a dialogue without its answers", async () => {
    const { attacked, client, server } = await start();
    client.sendPacket(keyboardInteractiveRequest("alice"));
    await client.expect(M.USERAUTH_INFO_REQUEST);
    client.sendPacket(passwordRequest("bob", "x"));
    client.sendPacket(infoResponse(["x"]));
    await server.abandoned.promise;
    // Alice's hook lets her in too late: she has given up the dialogue.
    expect(await server.decide(0, AUTH_SUCCESSFUL)).toBe("alice by dialogue");
    expect(await server.decide(1, AUTH_FAILED)).toBe("bob by password after nothing");
    expect(readUserauthFailure(await client.expect(M.USERAUTH_FAILURE)).partialSuccess).toBe(false);
    await expectNobody(attacked, client);
  });

  it.each([
    ["by key, then by password", AUTH_PARTIAL],
    ["by key alone", AUTH_SUCCESSFUL],
  ])("leaves the first one's login as it is: %s", async (_, first) => {
    const { attacked, client, server } = await start();
    client.sendPacket(proofOf(client, "alice"));
    if (first === AUTH_PARTIAL) client.sendPacket(passwordRequest("alice", "x"));
    client.sendPacket(passwordRequest("bob", "x"));
    await server.decide(0, first);
    if (first === AUTH_PARTIAL) {
      await client.expect(M.USERAUTH_FAILURE);
      expect(await server.decide(1, AUTH_SUCCESSFUL)).toBe("alice by password after publickey");
    }
    await client.expect(M.USERAUTH_SUCCESS);
    const { identity } = attacked.manager.getActiveConnections().at(-1) ?? {};
    expect(identity?.username).toBe("alice");
    expect(identity?.methods).toEqual(first === AUTH_PARTIAL ? ["publickey", "password"] : ["publickey"]);
    await client.close();
    await attacked.expectUnharmed();
  });
});

describe("requests in one piece", () => {
  it("are no more than one connection may make", async () => {
    const { attacked, client } = await start();
    const packets: Buffer[] = [];
    client.stream.socket.cork();
    for (let index = 0; index < 500; index++) client.sendPacket(noneRequest(`user${index}`));
    client.stream.socket.uncork();
    const { disconnect, payloads } = await client.waitEnd();
    expect(disconnect?.reason).toBe(NO_MORE_AUTH_METHODS_AVAILABLE);
    packets.push(...payloads.filter((payload) => payload[0] === M.USERAUTH_FAILURE));
    expect(packets.length).toBeLessThan(10);
    await expectNobody(attacked, client);
  });

  it("with a key exchange among them are not decided on within it", async () => {
    const { attacked, client } = await start();
    client.sendKexInit();
    client.sendPacket(passwordRequest("alice", "x"));
    expect((await client.waitDisconnect()).reason).toBe(PROTOCOL_ERROR);
    expect(attacked.callNames).toEqual([]);
    await expectNobody(attacked, client);
  });

  it.each([
    ["a channel", channelOpen()],
    ["another service", serviceRequest("ssh-connection")],
    ["SUCCESS", Buffer.of(M.USERAUTH_SUCCESS)],
    ["NEWKEYS", Buffer.of(M.NEWKEYS)],
  ])("with %s behind one that is refused end there", async (_, payload) => {
    const { attacked, client, server } = await start();
    client.sendPacket(passwordRequest("alice", "x"));
    client.sendPacket(payload);
    client.sendPacket(passwordRequest("alice", "y"));
    await server.decide(0, AUTH_FAILED);
    await client.waitDisconnect();
    expect(server.pending).toHaveLength(1);
    await expectNobody(attacked, client);
  });
});

describe("a decision that falls into a key exchange of the client's", () => {
  const variants = ["none", "zlib@openssh.com"].flatMap((compression) =>
    ["strict", "loose"].map((how) => [compression, how] as const),
  );
  it.each(variants)("is told under the new keys: compression %s, %s", async (compression, how) => {
    const { attacked, client, server } = await start({
      compression: [compression],
      ...(how === "strict" ? {} : { markers: ["ext-info-c"] }),
    });
    client.sendPacket(keyboardInteractiveRequest("alice"));
    await client.expect(M.USERAUTH_INFO_REQUEST);
    client.sendKexInit();
    await client.readServerKexInit();
    await server.decide(0, AUTH_SUCCESSFUL);
    // Fails when anything but the exchange comes in between.
    await client.agreeOnKeys();
    client.sendNewKeys();
    await client.expect(M.USERAUTH_SUCCESS);
    expect((await client.exec("hello")).exitStatus).toBe(0);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("opens nothing before that", async () => {
    const { attacked, client, server } = await start();
    client.sendPacket(keyboardInteractiveRequest("alice"));
    await client.expect(M.USERAUTH_INFO_REQUEST);
    client.sendKexInit();
    await client.readServerKexInit();
    await server.decide(0, AUTH_SUCCESSFUL);
    client.sendPacket(channelOpen());
    expect((await client.waitDisconnect()).reason).toBe(PROTOCOL_ERROR);
    expect(attacked.callNames).not.toContain("checkChannelRequest");
    await attacked.expectUnharmed();
  });

  it("against the client is told under the new keys too", async () => {
    const { attacked, client, server } = await start();
    client.sendPacket(keyboardInteractiveRequest("alice"));
    await client.expect(M.USERAUTH_INFO_REQUEST);
    client.sendKexInit();
    await client.readServerKexInit();
    await server.decide(0, AUTH_FAILED);
    await client.agreeOnKeys();
    client.sendNewKeys();
    readUserauthFailure(await client.expect(M.USERAUTH_FAILURE));
    await expectNobody(attacked, client);
  });
});

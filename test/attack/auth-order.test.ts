import { describe, expect, it, vi } from "vitest";
import {
  AUTH_FAILED,
  AUTH_SUCCESSFUL,
  type AuthResult,
  DisconnectReason,
  MessageNumber,
} from "../../src/protocol/constants.js";
import {
  channelOpen,
  ignore,
  message,
  noneRequest,
  passwordRequest,
  ping,
  readUserauthFailure,
} from "../support/packet-messages.js";
import { Attacked, PASSWORD, TargetServer, USERNAME } from "./attacked-server.js";
import { Deferred } from "./deferred.js";
import { MIB } from "./memory.js";

const { USERAUTH_FAILURE, USERAUTH_SUCCESS, PONG } = MessageNumber;
const { PROTOCOL_ERROR } = DisconnectReason;

describe("requests that come while a hook is still deciding", () => {
  /** Decides on one password after the other, each when the test says so. */
  class SlowServer extends TargetServer {
    readonly decisions: { password: string; decide: (answer: AuthResult) => void }[] = [];
    running = 0;
    atOnce = 0;

    override async checkAuthPassword(username: string, password: string) {
      if (password === PASSWORD) return super.checkAuthPassword(username, password);
      const decision = new Deferred<AuthResult>();
      this.running++;
      this.atOnce = Math.max(this.atOnce, this.running);
      this.decisions.push({ password, decide: (answer) => decision.resolve(answer) });
      const answer = await decision.promise;
      this.running--;
      return answer;
    }
  }

  /** The decision about the password that came as this one in the row. */
  async function decision(server: SlowServer, index: number) {
    await vi.waitFor(() => expect(server.decisions.length).toBeGreaterThan(index));
    return server.decisions[index] ?? { password: "", decide: () => {} };
  }

  it("are decided one at a time, in their order", async () => {
    const attacked = await Attacked.start(new SlowServer());
    const client = await attacked.authenticating();
    for (const password of ["a", "b", "c"]) client.sendPacket(passwordRequest(USERNAME, password));
    for (const [index, password] of ["a", "b", "c"].entries()) {
      const { password: asked, decide } = await decision(attacked.server, index);
      expect(asked).toBe(password);
      decide(password === "c" ? AUTH_SUCCESSFUL : AUTH_FAILED);
      await client.expect(password === "c" ? USERAUTH_SUCCESS : USERAUTH_FAILURE);
    }
    expect(attacked.server.atOnce).toBe(1);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("are ignored once one has succeeded", async () => {
    const attacked = await Attacked.start(new SlowServer());
    const client = await attacked.authenticating();
    client.sendPacket(passwordRequest(USERNAME, "a"));
    client.sendPacket(passwordRequest("root", "b"));
    client.sendPacket(noneRequest("root"));
    (await decision(attacked.server, 0)).decide(AUTH_SUCCESSFUL);
    await client.expect(USERAUTH_SUCCESS);
    expect((await client.exec("hello")).exitStatus).toBe(0);
    expect(attacked.server.decisions).toHaveLength(1);
    expect(attacked.manager.getActiveConnections().map(({ username }) => username)).toEqual([USERNAME, USERNAME]);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("open no channel before the decision, and the one that was asked for after it", async () => {
    const attacked = await Attacked.start(new SlowServer());
    const client = await attacked.authenticating();
    attacked.forgetCalls();
    client.sendPacket(passwordRequest(USERNAME, "a"));
    client.sendPacket(channelOpen());
    const { decide } = await decision(attacked.server, 0);
    expect(attacked.callNames).toEqual(["checkAuthPassword"]);
    decide(AUTH_SUCCESSFUL);
    await client.expect(USERAUTH_SUCCESS);
    await client.expect(MessageNumber.CHANNEL_OPEN_CONFIRMATION);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("open no channel when the decision is against", async () => {
    const attacked = await Attacked.start(new SlowServer());
    const client = await attacked.authenticating();
    attacked.forgetCalls();
    client.sendPacket(passwordRequest(USERNAME, "a"));
    client.sendPacket(channelOpen());
    (await decision(attacked.server, 0)).decide(AUTH_FAILED);
    expect((await client.waitDisconnect()).reason).toBe(PROTOCOL_ERROR);
    expect(attacked.callNames).toEqual(["checkAuthPassword"]);
    await attacked.expectUnharmed();
  });

  it("are bounded: the socket is not read while they wait", async () => {
    const attacked = await Attacked.start(new SlowServer());
    const client = await attacked.authenticating();
    client.sendPacket(passwordRequest(USERNAME, "a"));
    const before = attacked.memoryInUse();
    const noise = ignore(Buffer.alloc(30_000));
    const sent = await client.flood(() => noise, 4_000);
    expect(sent).toBeLessThan(4_000);
    expect(attacked.memoryInUse() - before).toBeLessThan(8 * MIB);
    client.reset();
    (await decision(attacked.server, 0)).decide(AUTH_SUCCESSFUL);
    await attacked.expectUnharmed();
  });

  it("may be a key exchange, which comes after the answer", async () => {
    const attacked = await Attacked.start(new SlowServer());
    const client = await attacked.authenticating();
    client.sendPacket(passwordRequest(USERNAME, "a"));
    client.sendKexInit();
    (await decision(attacked.server, 0)).decide(AUTH_FAILED);
    await client.readServerKexInit();
    await client.agreeOnKeys();
    client.sendNewKeys();
    readUserauthFailure(await client.nextPacket());
    expect((await client.authPassword(USERNAME, PASSWORD))[0]).toBe(USERAUTH_SUCCESS);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("do not survive their client", async () => {
    const attacked = await Attacked.start(new SlowServer());
    const client = await attacked.authenticating();
    client.sendPacket(passwordRequest(USERNAME, "a"));
    client.sendPacket(passwordRequest(USERNAME, "b"));
    const { decide } = await decision(attacked.server, 0);
    client.reset();
    await vi.waitFor(() => expect(attacked.manager.getConnectionCount()).toBe(1));
    decide(AUTH_SUCCESSFUL);
    await attacked.expectUnharmed();
    expect(attacked.server.decisions).toHaveLength(1);
    expect(attacked.callNames.filter((name) => name === "onAuthenticationSuccessful")).toHaveLength(1);
  });
});

describe("after success", () => {
  it.each([
    ["none", noneRequest("root")],
    ["password", passwordRequest("root", PASSWORD)],
    ["nonsense", message(MessageNumber.USERAUTH_REQUEST)],
  ])("a further request (%s) is silently ignored", async (_, request) => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await attacked.login();
    attacked.forgetCalls();
    client.sendPacket(request);
    client.sendPacket(ping("x"));
    expect((await client.nextPacket())[0]).toBe(PONG);
    expect(attacked.callNames).toEqual([]);
    await client.close();
    await attacked.expectUnharmed();
  });
});

describe("the time that a failure takes", () => {
  it.each(["a known user", "an unknown user"])("is at least the floor: %s", async (who) => {
    const floor = 0.2;
    const attacked = await Attacked.start(new TargetServer(), { authFailureDelay: floor });
    const client = await attacked.authenticating();
    const start = performance.now();
    readUserauthFailure(await client.authPassword(who === "a known user" ? USERNAME : "stranger", "wrong"));
    expect(performance.now() - start).toBeGreaterThan(floor * 1000 - 20);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("is not for others to wait", async () => {
    const attacked = await Attacked.start(new TargetServer(), { authFailureDelay: 60 });
    const client = await attacked.authenticating();
    client.sendPacket(passwordRequest(USERNAME, "wrong"));
    await vi.waitFor(() => expect(attacked.callNames).toContain("checkAuthPassword"));
    const other = await attacked.login();
    expect((await other.exec("hello")).exitStatus).toBe(0);
    await other.close();
    // The delay that is still running goes with its connection.
    client.reset();
    await attacked.expectUnharmed();
  });
});

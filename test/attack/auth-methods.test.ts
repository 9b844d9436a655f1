import { describe, expect, it } from "vitest";
import {
  AUTH_FAILED,
  AUTH_PARTIAL,
  type AuthResult,
  DisconnectReason,
  MessageNumber,
} from "../../src/protocol/constants.js";
import {
  channelOpen,
  keyboardInteractiveRequest,
  noneRequest,
  passwordChangeRequest,
  passwordRequest,
  ping,
  readDisconnect,
  readUserauthFailure,
  userauthRequest,
} from "../support/packet-messages.js";
import { Attacked, PASSWORD, TargetServer, USERNAME } from "./attacked-server.js";

const { DISCONNECT, USERAUTH_FAILURE, USERAUTH_SUCCESS, PONG } = MessageNumber;
const { PROTOCOL_ERROR, SERVICE_NOT_AVAILABLE } = DisconnectReason;
const REFUSED_SERVICE: readonly number[] = [SERVICE_NOT_AVAILABLE, PROTOCOL_ERROR];
/** What ends a connection after too many attempts: servers differ in how they call it. */
const TOO_MANY: readonly unknown[] = [DisconnectReason.NO_MORE_AUTH_METHODS_AVAILABLE, PROTOCOL_ERROR];

/** Answers of the password hook in the order in which they are given; the first user is let in by the bystander's. */
class AnsweringServer extends TargetServer {
  answer: () => unknown = () => AUTH_FAILED;

  override checkAuthPassword(username: string, password: string) {
    return username === USERNAME ? super.checkAuthPassword(username, password) : (this.answer() as AuthResult);
  }
}

describe("authentication that fails", () => {
  it.each([
    ["none", noneRequest(USERNAME)],
    ["an unknown method", userauthRequest(USERNAME, "telepathy").writeString("x").toBuffer()],
    ["a method without name", userauthRequest(USERNAME, "").toBuffer()],
    ["hostbased", userauthRequest(USERNAME, "hostbased").writeString("ssh-ed25519").writeString("").toBuffer()],
    ["gssapi-with-mic", userauthRequest(USERNAME, "gssapi-with-mic").writeUint32(0).toBuffer()],
    ["a wrong password", passwordRequest(USERNAME, "wrong")],
    ["an empty password", passwordRequest(USERNAME, "")],
    ["a very long password", passwordRequest(USERNAME, "x".repeat(200_000))],
    ["a long user name", passwordRequest("x".repeat(1000), PASSWORD)],
    ["an empty user name", passwordRequest("", PASSWORD)],
    ["a user name with a NUL", passwordRequest(`${USERNAME}\0`, PASSWORD)],
    ["a method that is not allowed", keyboardInteractiveRequest(USERNAME)],
    ["a password change that nobody asked for", passwordChangeRequest(USERNAME, PASSWORD, PASSWORD)],
  ])("is answered by a failure with methods: %s", async (_, request) => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await attacked.authenticating();
    const failure = readUserauthFailure(await client.authenticate(request));
    expect(failure.partialSuccess).toBe(false);
    expect(failure.methods).toEqual(["publickey", "password"]);
    expect((await client.authPassword(USERNAME, PASSWORD))[0]).toBe(USERAUTH_SUCCESS);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("never names no methods at all", async () => {
    class NobodyServer extends TargetServer {
      override getAllowedAuths(username = ""): string[] {
        return username === USERNAME ? super.getAllowedAuths() : [];
      }
    }
    const attacked = await Attacked.start(new NobodyServer());
    const client = await attacked.authenticating();
    client.sendPacket(noneRequest("stranger"));
    const answer = await client.nextPacket();
    if (answer[0] === USERAUTH_FAILURE) expect(readUserauthFailure(answer).methods).not.toEqual([]);
    else expect(TOO_MANY).toContain(readDisconnect(answer).reason);
    client.reset();
    await attacked.expectUnharmed();
  });

  it("ends the connection for a user name that cannot be one", async () => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await attacked.authenticating();
    client.sendPacket(passwordRequest("x".repeat(200_000), PASSWORD));
    expect([DisconnectReason.ILLEGAL_USER_NAME, PROTOCOL_ERROR]).toContain((await client.waitDisconnect()).reason);
    expect(attacked.callNames).toEqual([]);
    await attacked.expectUnharmed();
  });

  it("is over after six attempts", async () => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await attacked.authenticating();
    for (let attempt = 0; attempt < 20; attempt++) client.sendPacket(passwordRequest(USERNAME, "wrong"));
    const { disconnect, payloads } = await client.waitEnd();
    expect(TOO_MANY).toContain(disconnect?.reason);
    expect(attacked.callNames.filter((name) => name === "checkAuthPassword")).toHaveLength(6);
    expect(payloads.filter((payload) => payload[0] === USERAUTH_FAILURE).length).toBeLessThanOrEqual(6);
    await attacked.expectUnharmed();
  });

  it("is over after as many attempts as configured", async () => {
    const attacked = await Attacked.start(new TargetServer(), { maxAuthTries: 2 });
    const client = await attacked.authenticating();
    for (let attempt = 0; attempt < 3; attempt++) client.sendPacket(passwordRequest(`user${attempt}`, "wrong"));
    expect(TOO_MANY).toContain((await client.waitDisconnect()).reason);
    expect(attacked.callNames.filter((name) => name === "checkAuthPassword")).toHaveLength(2);
    await attacked.expectUnharmed();
  });

  it.each([
    ["none requests", () => noneRequest(USERNAME)],
    ["unknown methods", () => userauthRequest(USERNAME, "telepathy").toBuffer()],
    ["changing user names", (index: number) => noneRequest(`user${index}`)],
  ])("is over at some point with nothing but %s", async (_, make) => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await attacked.authenticating();
    let index = 0;
    await client.flood(() => make(index++), 5_000);
    const { payloads } = await client.waitEnd();
    expect(payloads.length).toBeLessThan(200);
    await attacked.expectUnharmed();
  });
});

describe("what a hook returns", () => {
  const values: readonly (readonly [what: string, answer: () => unknown])[] = [
    ["true", () => true],
    ["a rejection with nothing", () => Promise.reject(undefined)],
  ];
  it.each(values)("lets nobody in: %s", async (_, answer) => {
    const attacked = await Attacked.start(new AnsweringServer());
    attacked.server.answer = answer;
    const client = await attacked.authenticating();
    expect(readUserauthFailure(await client.authPassword("other", "x")).partialSuccess).toBe(false);
    client.sendPacket(ping("x"));
    await client.expect(PONG);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("lets nobody in: AUTH_PARTIAL and nothing more", async () => {
    const attacked = await Attacked.start(new AnsweringServer());
    attacked.server.answer = () => AUTH_PARTIAL;
    const client = await attacked.authenticating();
    expect(readUserauthFailure(await client.authPassword("other", "x")).partialSuccess).toBe(true);
    attacked.forgetCalls();
    client.sendPacket(channelOpen());
    expect((await client.waitDisconnect()).reason).toBe(PROTOCOL_ERROR);
    expect(attacked.callNames).toEqual([]);
    await attacked.expectUnharmed();
  });
});

describe("a change of the user name", () => {
  it("does not carry a success over: the last name is the one that counts", async () => {
    const attacked = await Attacked.start(new AnsweringServer());
    const client = await attacked.authenticating();
    readUserauthFailure(await client.authPassword("somebody", PASSWORD));
    expect((await client.authPassword(USERNAME, PASSWORD))[0]).toBe(USERAUTH_SUCCESS);
    expect(attacked.manager.getActiveConnections().map(({ username }) => username)).toEqual([USERNAME, USERNAME]);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("forgets what was proven in part", async () => {
    const attacked = await Attacked.start(new AnsweringServer());
    attacked.server.answer = () => AUTH_PARTIAL;
    const client = await attacked.authenticating();
    expect(readUserauthFailure(await client.authPassword("first", "x")).partialSuccess).toBe(true);
    attacked.server.answer = () => AUTH_FAILED;
    client.sendPacket(passwordRequest("second", "x"));
    const answer = await client.nextPacket();
    if (answer[0] === DISCONNECT) expect(readDisconnect(answer).reason).toBe(PROTOCOL_ERROR);
    else expect(readUserauthFailure(answer).partialSuccess).toBe(false);
    client.reset();
    await attacked.expectUnharmed();
  });

  it.each(["ssh-userauth", "", "ssh-connection2"])("to the service %j is refused", async (service) => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await attacked.authenticating();
    const request = userauthRequest(USERNAME, "password", service).writeBoolean(false).writeString(PASSWORD);
    client.sendPacket(request.toBuffer());
    const answer = await client.nextPacket();
    if (answer[0] === DISCONNECT) expect(REFUSED_SERVICE).toContain(readDisconnect(answer).reason);
    else expect(readUserauthFailure(answer).partialSuccess).toBe(false);
    expect(attacked.callNames).toEqual([]);
    client.reset();
    await attacked.expectUnharmed();
  });
});

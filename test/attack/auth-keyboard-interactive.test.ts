import { describe, expect, it, vi } from "vitest";
import type { Prompt } from "../../src/index.js";
import {
  AUTH_FAILED,
  AUTH_SUCCESSFUL,
  type AuthResult,
  DisconnectReason,
  MessageNumber,
} from "../../src/protocol/constants.js";
import {
  channelOpen,
  infoResponse,
  keyboardInteractiveRequest,
  message,
  noneRequest,
  passwordRequest,
  readUserauthFailure,
} from "../support/packet-messages.js";
import { Attacked, PASSWORD, TargetServer, USERNAME } from "./attacked-server.js";
import { Deferred } from "./deferred.js";

const { USERAUTH_FAILURE, USERAUTH_INFO_REQUEST, USERAUTH_SUCCESS } = MessageNumber;
const { PROTOCOL_ERROR } = DisconnectReason;

/** Asks for two words, then for one more. */
class AskingServer extends TargetServer {
  /** What became of each dialogue. */
  readonly outcomes: unknown[] = [];

  override getAllowedAuths(): string[] {
    return ["password", "keyboard-interactive"];
  }

  override async checkAuthKeyboardInteractive(
    _username: string,
    _submethods: string,
    prompt: Prompt,
  ): Promise<AuthResult> {
    try {
      const first = await prompt({
        prompts: [
          { prompt: "A: ", echo: true },
          { prompt: "B: ", echo: false },
        ],
      });
      const second = await prompt({ prompts: [{ prompt: "C: ", echo: false }] });
      const answers = [...first, ...second].join();
      this.outcomes.push(answers);
      return answers === "a,b,c" ? AUTH_SUCCESSFUL : AUTH_FAILED;
    } catch (error) {
      this.outcomes.push(error);
      throw error;
    }
  }
}

const begin = keyboardInteractiveRequest(USERNAME);

describe("keyboard-interactive", () => {
  it("lets in a user who answers both rounds", async () => {
    const attacked = await Attacked.start(new AskingServer());
    const client = await attacked.authenticating();
    expect((await client.authenticate(begin))[0]).toBe(USERAUTH_INFO_REQUEST);
    expect((await client.authenticate(infoResponse(["a", "b"])))[0]).toBe(USERAUTH_INFO_REQUEST);
    expect((await client.authenticate(infoResponse(["c"])))[0]).toBe(USERAUTH_SUCCESS);
    await client.close();
    await attacked.expectUnharmed();
  });

  it.each([
    ["too few", infoResponse(["a"])],
    ["too many", infoResponse(["a", "b", "c"])],
    ["none", infoResponse([])],
    ["fewer than it says", infoResponse(["a"], 2)],
    ["more than it says", infoResponse(["a", "b", "c"], 2)],
    ["2^32 - 1, it says", infoResponse(["a", "b"], 2 ** 32 - 1)],
    ["no count", message(MessageNumber.USERAUTH_INFO_RESPONSE)],
  ])("%s answers are not passed on", async (_, response) => {
    const attacked = await Attacked.start(new AskingServer());
    const client = await attacked.authenticating();
    expect((await client.authenticate(begin))[0]).toBe(USERAUTH_INFO_REQUEST);
    client.sendPacket(response);
    expect((await client.waitDisconnect()).reason).toBe(PROTOCOL_ERROR);
    await vi.waitFor(() => expect(attacked.server.outcomes).toHaveLength(1));
    expect(attacked.server.outcomes[0]).toBeInstanceOf(Error);
    await attacked.expectUnharmed();
  });

  it("answers that nobody asked for let nobody in and run nothing", async () => {
    const attacked = await Attacked.start(new AskingServer());
    const client = await attacked.authenticating();
    client.sendPacket(infoResponse(["a", "b"]));
    const answer = await client.nextPacket();
    expect([USERAUTH_FAILURE, MessageNumber.DISCONNECT]).toContain(answer[0]);
    expect(attacked.callNames).toEqual([]);
    client.reset();
    await attacked.expectUnharmed();
  });

  it("answers that come twice count once", async () => {
    const attacked = await Attacked.start(new AskingServer());
    const client = await attacked.authenticating();
    expect((await client.authenticate(begin))[0]).toBe(USERAUTH_INFO_REQUEST);
    client.sendPacket(infoResponse(["a", "b"]));
    client.sendPacket(infoResponse(["a", "b"]));
    const { payloads, disconnect } = await client.waitEnd();
    expect(disconnect?.reason).toBe(PROTOCOL_ERROR);
    expect(payloads.map((payload) => payload[0])).not.toContain(USERAUTH_SUCCESS);
    await attacked.expectUnharmed();
  });

  it("unasked answers are counted as failures", async () => {
    const attacked = await Attacked.start(new AskingServer());
    const client = await attacked.authenticating();
    await client.flood(() => infoResponse(["a"]), 100);
    const { payloads } = await client.waitEnd();
    expect(payloads.length).toBeLessThan(10);
    await attacked.expectUnharmed();
  });

  it.each([
    ["none", noneRequest(USERNAME), USERAUTH_FAILURE],
    ["a password", passwordRequest(USERNAME, PASSWORD), USERAUTH_SUCCESS],
    ["a new dialogue", begin, USERAUTH_INFO_REQUEST],
    ["a dialogue of another user", keyboardInteractiveRequest("root"), USERAUTH_INFO_REQUEST],
  ])("a new request (%s) gives the dialogue up", async (_, request, expected) => {
    const attacked = await Attacked.start(new AskingServer());
    const client = await attacked.authenticating();
    expect((await client.authenticate(begin))[0]).toBe(USERAUTH_INFO_REQUEST);
    expect((await client.authenticate(request))[0]).toBe(expected);
    expect(attacked.server.outcomes[0]).toBeInstanceOf(Error);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("answers of one dialogue are not those of the next", async () => {
    const attacked = await Attacked.start(new AskingServer());
    const client = await attacked.authenticating();
    await client.authenticate(begin);
    await client.authenticate(infoResponse(["a", "b"]));
    await client.authenticate(keyboardInteractiveRequest("root"));
    client.sendPacket(infoResponse(["c"]));
    expect((await client.waitDisconnect()).reason).toBe(PROTOCOL_ERROR);
    expect(attacked.callNames).not.toContain("onAuthenticationSuccessful");
    await attacked.expectUnharmed();
  });

  it("opens no channel while the answers are awaited", async () => {
    const attacked = await Attacked.start(new AskingServer());
    const client = await attacked.authenticating();
    await client.authenticate(begin);
    client.sendPacket(channelOpen());
    expect((await client.waitDisconnect()).reason).toBe(PROTOCOL_ERROR);
    expect(attacked.callNames).toEqual(["checkAuthKeyboardInteractive"]);
    await attacked.expectUnharmed();
  });

  it("ends with its connection", async () => {
    const attacked = await Attacked.start(new AskingServer());
    const client = await attacked.authenticating();
    await client.authenticate(begin);
    client.reset();
    await vi.waitFor(() => expect(attacked.server.outcomes).toHaveLength(1));
    expect(attacked.server.outcomes[0]).toBeInstanceOf(Error);
    await attacked.expectUnharmed();
  });

  it("harms nobody when the hook does something else before it looks at the answers", async () => {
    const done = new Deferred();
    class DistractedServer extends AskingServer {
      override async checkAuthKeyboardInteractive(
        _username: string,
        _submethods: string,
        prompt: Prompt,
      ): Promise<AuthResult> {
        const answers = prompt({ prompts: [{ prompt: "A: ", echo: false }] });
        await done.promise;
        await answers;
        return AUTH_FAILED;
      }
    }
    const attacked = await Attacked.start(new DistractedServer());
    const client = await attacked.authenticating();
    await client.authenticate(begin);
    client.reset();
    await vi.waitFor(() => expect(attacked.manager.getConnectionCount()).toBe(1));
    done.resolve();
    await attacked.expectUnharmed();
  });

  it("lets nobody in when the hook does not wait for the answers", async () => {
    class HastyServer extends AskingServer {
      override async checkAuthKeyboardInteractive(
        _username: string,
        _submethods: string,
        prompt: Prompt,
      ): Promise<AuthResult> {
        void prompt({ prompts: [{ prompt: "A: ", echo: false }] }).catch(() => {});
        return AUTH_FAILED;
      }
    }
    const attacked = await Attacked.start(new HastyServer());
    const client = await attacked.authenticating();
    client.sendPacket(begin);
    await client.expect(USERAUTH_INFO_REQUEST);
    readUserauthFailure(await client.expect(USERAUTH_FAILURE));
    expect((await client.authPassword(USERNAME, PASSWORD))[0]).toBe(USERAUTH_SUCCESS);
    await client.close();
    await attacked.expectUnharmed();
  });
});

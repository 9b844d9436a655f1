import { describe, expect, it } from "vitest";
import type { Prompt } from "../../src/auth/authenticator.js";
import { KeyboardInteractiveDialogue, PromptAbortedError } from "../../src/auth/keyboard-interactive.js";
import { ALL_PERMISSIONS } from "../../src/auth/permissions.js";
import { AUTH_PARTIAL, AUTH_SUCCESSFUL } from "../../src/protocol/constants.js";
import { decodeUserauthRequest } from "../../src/protocol/messages/userauth.js";
import { encodeInfoRequest } from "../../src/protocol/messages/userauth-keyboard-interactive.js";
import { infoResponse, keyboardInteractiveRequest, message } from "../support/packet-messages.js";
import { NOT_SUCCESSFUL } from "./hook-results.js";
import { TestAuthenticator } from "./test-authenticator.js";

const question = (text: string) => ({ prompts: [{ prompt: text, echo: false }] });
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Starts a dialogue that the hook leads. */
function start(hook: (prompt: Prompt) => unknown) {
  const sent: Buffer[] = [];
  const dialogue = new KeyboardInteractiveDialogue((payload) => sent.push(payload));
  const authenticator = new TestAuthenticator({
    keyboardInteractive: (_username, _submethods, prompt) => hook(prompt),
  });
  const request = decodeUserauthRequest(keyboardInteractiveRequest("alice", "pam,otp"));
  return { dialogue, sent, calls: authenticator.calls, attempt: dialogue.attempt(request, authenticator) };
}

describe("KeyboardInteractiveDialogue", () => {
  it("asks and gives the hook the answers, in order", async () => {
    let answers: string[] = [];
    const request = {
      name: "title",
      instruction: "please",
      prompts: [
        { prompt: "Password: ", echo: false },
        { prompt: "Code: ", echo: true },
      ],
    };
    const { dialogue, sent, calls, attempt } = start(async (prompt) => {
      answers = await prompt(request);
      return AUTH_SUCCESSFUL;
    });
    expect(calls).toEqual([["keyboardInteractive", "alice", "pam,otp"]]);
    expect(sent).toEqual([encodeInfoRequest(request)]);
    expect(dialogue.waiting).toBe(true);
    dialogue.receiveResponse(infoResponse(["sécret", "123456"]));
    expect(dialogue.waiting).toBe(false);
    expect(await attempt).toEqual({ kind: "proven", completeness: "full", permissions: ALL_PERMISSIONS });
    expect(answers).toEqual(["sécret", "123456"]);
  });

  it("goes on for several rounds, also without prompts", async () => {
    const rounds: string[][] = [];
    const { dialogue, sent, attempt } = start(async (prompt) => {
      rounds.push(await prompt(question("one")), await prompt({ prompts: [] }), await prompt(question("three")));
      return AUTH_PARTIAL;
    });
    for (const answers of [["1"], [], ["3"]]) {
      dialogue.receiveResponse(infoResponse(answers));
      await nextTurn();
    }
    expect(await attempt).toMatchObject({ kind: "proven", completeness: "partial" });
    expect(rounds).toEqual([["1"], [], ["3"]]);
    expect(sent.length).toBe(3);
  });

  it.each(NOT_SUCCESSFUL)("refuses for a hook that returns %s", async (_, result) => {
    expect((await start(() => result).attempt).kind).toBe("refused");
    expect((await start(async () => result).attempt).kind).toBe("refused");
  });

  it("passes on what the hook throws", async () => {
    await expect(
      start(() => {
        throw new Error("no database");
      }).attempt,
    ).rejects.toThrow("no database");
    await expect(start(() => Promise.reject(new Error("no database"))).attempt).rejects.toThrow("no database");
  });

  it("has failed with an answer that is not UTF-8, whatever the hook makes of that", async () => {
    const errors: unknown[] = [];
    const { dialogue, attempt } = start(async (prompt) => {
      for (const text of ["1", "2"]) await prompt(question(text)).catch((error: unknown) => errors.push(error));
      return AUTH_SUCCESSFUL;
    });
    dialogue.receiveResponse(Buffer.from("3d0000000100000001ff", "hex"));
    expect(await attempt).toMatchObject({ kind: "refused" });
    expect(errors).toEqual([expect.any(PromptAbortedError), expect.any(PromptAbortedError)]);
  });

  it("takes no answer where none is awaited", async () => {
    const { dialogue, attempt } = start(() => AUTH_SUCCESSFUL);
    dialogue.receiveResponse(message(61, "nonsense"));
    expect((await attempt).kind).toBe("proven");
  });

  it("ends when the client gives it up, whatever the hook makes of that", async () => {
    for (const afterwards of [AUTH_SUCCESSFUL, AUTH_PARTIAL, undefined]) {
      let error: unknown;
      const { dialogue, attempt } = start(async (prompt) => {
        await prompt(question("?")).catch((reason: unknown) => {
          error = reason;
        });
        return afterwards;
      });
      dialogue.abandon();
      expect(dialogue.waiting).toBe(false);
      expect(await attempt).toEqual({ kind: "abandoned" });
      expect(error).toBeInstanceOf(PromptAbortedError);
    }
    const { dialogue, attempt } = start((prompt) => prompt(question("?")));
    dialogue.abandon();
    expect(await attempt).toEqual({ kind: "abandoned" });
  });

  it("asks nothing any more once it is given up", async () => {
    const { dialogue, sent, attempt } = start(async (prompt) => {
      await prompt(question("first")).catch(() => {});
      await prompt(question("second"));
    });
    dialogue.abandon();
    expect(await attempt).toEqual({ kind: "abandoned" });
    expect(sent.length).toBe(1);
  });

  it("asks nothing any more once the hook has come to its result", async () => {
    let late: Prompt = async () => [];
    const { dialogue, sent, attempt } = start((prompt) => {
      late = prompt;
      return AUTH_SUCCESSFUL;
    });
    await attempt;
    await expect(late(question("late"))).rejects.toThrow();
    expect([sent, dialogue.waiting]).toEqual([[], false]);
  });

  it("asks one round at a time", async () => {
    const { dialogue, sent, attempt } = start(async (prompt) => {
      const first = prompt(question("first"));
      await expect(prompt(question("second"))).rejects.toThrow("still awaited");
      expect(await first).toEqual(["1"]);
      return AUTH_SUCCESSFUL;
    });
    await nextTurn();
    dialogue.receiveResponse(infoResponse(["1"]));
    expect((await attempt).kind).toBe("proven");
    expect(sent.length).toBe(1);
  });

  it("rejects a round that cannot be encoded, and goes on", async () => {
    const { dialogue, sent, attempt } = start(async (prompt) => {
      await expect(prompt(JSON.parse('{ "prompts": [{}] }'))).rejects.toThrow(TypeError);
      await expect(prompt(JSON.parse("{}"))).rejects.toThrow(TypeError);
      await prompt(question("right"));
      return AUTH_SUCCESSFUL;
    });
    await nextTurn();
    expect(sent).toEqual([encodeInfoRequest(question("right"))]);
    dialogue.receiveResponse(infoResponse(["1"]));
    expect((await attempt).kind).toBe("proven");
  });

  it("does no harm to the process when the hook looks at the answers too late", async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown) => unhandled.push(error);
    process.prependListener("unhandledRejection", note);
    let goOn = (): void => {};
    const gate = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const { dialogue, attempt } = start(async (prompt) => {
      const answers = prompt(question("?"));
      await gate;
      await answers;
    });
    dialogue.abandon();
    await nextTurn();
    await nextTurn();
    process.off("unhandledRejection", note);
    goOn();
    expect(await attempt).toEqual({ kind: "abandoned" });
    expect(unhandled).toEqual([]);
  });
});

import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Prompt } from "../../src/auth/authenticator.js";
import {
  AUTH_FAILED,
  AUTH_PARTIAL,
  AUTH_SUCCESSFUL,
  DisconnectReason,
  MessageNumber,
} from "../../src/protocol/constants.js";
import {
  infoResponse,
  keyboardInteractiveRequest,
  passwordRequest,
  readUserauthFailure,
} from "../support/packet-messages.js";
import { FakeLink } from "./fake-link.js";

const timers = vi.hoisted(() => {
  const now = performance.now.bind(performance);
  const timers = { waits: [] as number[], skipped: 0 };
  performance.now = () => now() + timers.skipped;
  return timers;
});
vi.mock("node:timers/promises", () => ({
  setTimeout: async (milliseconds: number) => {
    timers.waits.push(milliseconds);
    timers.skipped += milliseconds;
  },
}));
beforeEach(() => {
  timers.waits.length = 0;
});

const { USERAUTH_INFO_REQUEST, USERAUTH_FAILURE } = MessageNumber;
const question = (text: string) => ({ prompts: [{ prompt: text, echo: false }] });
const request = (username = "alice") => keyboardInteractiveRequest(username);
const numbers = (payloads: readonly Buffer[]) => payloads.map(([number]) => number);

/** A server whose hook leads the dialogue. */
const withHook = (hook: (prompt: Prompt, username: string) => unknown, options = {}) =>
  new FakeLink(
    { keyboardInteractive: (username, _submethods, prompt) => hook(prompt, username), password: () => AUTH_SUCCESSFUL },
    options,
  );

describe("Authentication: keyboard-interactive", () => {
  it("goes on for as many rounds as the hook wants, then lets the client in", async () => {
    const answers: string[] = [];
    const link = withHook(async (prompt) => {
      for (const text of ["one", "two", "three"]) answers.push(...(await prompt(question(text))));
      return AUTH_SUCCESSFUL;
    });
    expect(numbers(await link.send(request()))).toEqual([USERAUTH_INFO_REQUEST]);
    expect(numbers(await link.send(infoResponse(["1"])))).toEqual([USERAUTH_INFO_REQUEST]);
    expect(numbers(await link.send(infoResponse(["2"])))).toEqual([USERAUTH_INFO_REQUEST]);
    await link.send(infoResponse(["3"]));
    expect(answers).toEqual(["1", "2", "3"]);
    expect(link.identities).toMatchObject([{ username: "alice", methods: ["keyboard-interactive"] }]);
  });

  it("refuses the attempt for an answer that is not UTF-8, and takes the next one", async () => {
    const link = withHook(async (prompt) => {
      await prompt(question("one"));
      return AUTH_SUCCESSFUL;
    });
    await link.send(request());
    const unreadable = Buffer.from("3d0000000100000001ff", "hex");
    expect(numbers(await link.send(unreadable))).toEqual([USERAUTH_FAILURE]);
    await link.send(request());
    await link.send(infoResponse(["1"]));
    expect([link.identities.length, link.failures]).toEqual([1, []]);
  });

  it("drops the one answer that comes too late, and takes no other for an attempt's end", async () => {
    const link = withHook(async (prompt) => {
      void prompt(question("one"));
      return AUTH_FAILED;
    });
    expect(numbers(await link.send(request()))).toEqual([USERAUTH_INFO_REQUEST, USERAUTH_FAILURE]);
    expect(await link.send(infoResponse(["1"]))).toEqual([]);
    expect(numbers(await link.send(infoResponse(["2"])))).toEqual([USERAUTH_FAILURE]);
  });

  it("may be the first of several factors", async () => {
    const link = withHook(async (prompt) => {
      await prompt(question("code"));
      return AUTH_PARTIAL;
    });
    await link.send(request());
    const [answer] = await link.send(infoResponse(["1"]));
    expect(readUserauthFailure(answer ?? Buffer.alloc(0))).toEqual({
      methods: ["publickey", "password"],
      partialSuccess: true,
    });
    await link.send(passwordRequest("alice", "x"));
    expect(link.identities).toMatchObject([{ methods: ["keyboard-interactive", "password"] }]);
  });

  it("holds other messages while the hook thinks, and not while the client is asked", async () => {
    let goOn = (): void => {};
    const link = withHook(async (prompt) => {
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
      const [answer] = await prompt(question("?"));
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
      return answer === "right" ? AUTH_SUCCESSFUL : AUTH_FAILED;
    });
    await link.send(request(), infoResponse(["right"]), passwordRequest("alice", "x"));
    // The answer came before the question: it waits, and so does what follows.
    expect(link.waiting).toBe(2);
    goOn();
    expect(numbers(await link.next())).toEqual([USERAUTH_INFO_REQUEST]);
    expect(link.waiting).toBe(1);
    goOn();
    await link.next();
    expect(link.waiting).toBe(0);
    expect(link.identities).toMatchObject([{ methods: ["keyboard-interactive"] }]);
  });

  it("is given up by another request, which is then answered alone", async () => {
    const seen: string[] = [];
    const link = withHook(async (prompt, username) => {
      seen.push(username);
      await prompt(question("?")).catch(() => {});
      return AUTH_SUCCESSFUL;
    });
    await link.send(request("alice"));
    expect(numbers(await link.send(request("bob")))).toEqual([USERAUTH_INFO_REQUEST]);
    expect([seen, link.identities]).toEqual([["alice", "bob"], []]);
    await link.send(passwordRequest("carol", "x"));
    expect(link.identities).toMatchObject([{ username: "carol", methods: ["password"] }]);
    expect(link.authenticator.failedWith).toEqual([]);
  });

  it("cannot be given up without end", async () => {
    const link = withHook((prompt) => prompt(question("?")));
    let asked = 0;
    for (let count = 0; count < 120 && link.failures.length === 0; count++) {
      asked += (await link.send(request())).length;
    }
    expect(asked).toBe(100);
    expect(link.failures).toMatchObject([{ reason: DisconnectReason.NO_MORE_AUTH_METHODS_AVAILABLE }]);
  });

  it.each([
    ["with no dialogue", () => AUTH_FAILED, [] as Buffer[]],
    [
      "behind the one to a hook that has not waited for it",
      (prompt: Prompt) => void prompt(question("?")),
      [request(), infoResponse(["1"])],
    ],
  ])("counts an answer to nothing as a failure, %s", async (_, hook, before) => {
    const link = withHook(hook, { maxAuthTries: 6 });
    for (const payload of before) await link.send(payload);
    const failures = link.authenticator.failedWith.length;
    expect(numbers(await link.send(infoResponse(["1"])))).toEqual([USERAUTH_FAILURE]);
    expect(link.authenticator.failedWith.length).toBe(failures + 1);
    expect(link.identities).toEqual([]);
    for (let count = 0; count < 10; count++) await link.send(infoResponse(["1"]));
    expect(link.failures[0]).toMatchObject({ reason: DisconnectReason.NO_MORE_AUTH_METHODS_AVAILABLE });
  });

  it("refuses when the hook throws between two rounds", async () => {
    const link = withHook(async (prompt) => {
      await prompt(question("?"));
      throw new Error("no database");
    });
    await link.send(request());
    expect(numbers(await link.send(infoResponse(["1"])))).toEqual([USERAUTH_FAILURE]);
    expect(link.hookFailures[0]).toMatchObject({ error: new Error("no database") });
  });

  it("asks nothing when the method is not allowed", async () => {
    const link = new FakeLink({ allowedMethods: () => ["password"], keyboardInteractive: () => AUTH_SUCCESSFUL });
    expect(numbers(await link.send(request()))).toEqual([USERAUTH_FAILURE]);
    expect([link.authenticator.calls, link.identities]).toEqual([[], []]);
  });

  it("asks no hook after the connection has ended while the methods were looked up", async () => {
    let goOn = (): void => {};
    const allowedMethods = () =>
      new Promise((resolve) => {
        goOn = () => resolve(["keyboard-interactive", "password"]);
      });
    for (const payload of [request(), passwordRequest("alice", "x")]) {
      const link = new FakeLink({
        allowedMethods,
        password: () => AUTH_SUCCESSFUL,
        keyboardInteractive: (_username, _submethods, prompt) => prompt(question("?")),
      });
      await link.send(payload);
      link.abort();
      goOn();
      expect(await link.next()).toEqual([]);
      expect([link.authenticator.calls, link.identities]).toEqual([[], []]);
    }
  });

  it("delays a failure from the client's last answer on, however long it took to type", async () => {
    const link = withHook(
      async (prompt) => {
        await prompt(question("?"));
        return AUTH_FAILED;
      },
      { failureDelay: 1000 },
    );
    await link.send(request());
    const asked = performance.now();
    await vi.waitUntil(() => performance.now() - asked > 150, { interval: 20 });
    await link.send(infoResponse(["wrong"]));
    expect(timers.waits.length).toBe(1);
    expect(timers.waits[0]).toBeGreaterThan(930);
    expect(timers.waits[0]).toBeLessThanOrEqual(1000);
  });
});

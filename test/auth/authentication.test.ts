import { beforeEach, describe, expect, it, vi } from "vitest";
import { ALL_PERMISSIONS } from "../../src/auth/permissions.js";
import { PKey } from "../../src/crypto/pkey/pkey.js";
import {
  AUTH_FAILED,
  AUTH_PARTIAL,
  AUTH_SUCCESSFUL,
  DisconnectReason,
  MessageNumber,
} from "../../src/protocol/constants.js";
import { Reader } from "../../src/protocol/reader.js";
import {
  noneRequest,
  passwordChangeRequest,
  passwordRequest,
  publickeyProof,
  publickeyQuery,
  publickeySignedData,
  readUserauthFailure,
  userauthRequest,
} from "../support/packet-messages.js";
import { BINDING, FakeLink } from "./fake-link.js";
import { NOT_SUCCESSFUL } from "./hook-results.js";

const timers = vi.hoisted(() => {
  const now = performance.now.bind(performance);
  const timers = { waits: [] as number[], skipped: 0 };
  performance.now = () => now() + timers.skipped;
  return timers;
});
vi.mock("node:timers/promises", () => ({
  setTimeout: async (milliseconds: number, _: unknown, { signal }: { signal: AbortSignal }) => {
    signal.throwIfAborted();
    timers.waits.push(Math.ceil(milliseconds));
    timers.skipped += milliseconds;
  },
}));
beforeEach(() => {
  timers.waits.length = 0;
});

const key = PKey.generate({ keyType: "ed25519" });
const keyRequest = (username: string, hostKey?: Buffer) => ({
  username,
  algorithm: "ssh-ed25519",
  publicBlob: key.publicBlob,
  ...(hostKey && { hostKey }),
});
const keyQuery = (username: string) => publickeyQuery(keyRequest(username));
const keyProof = (username: string, hostKey?: Buffer) => {
  const request = keyRequest(username, hostKey);
  return publickeyProof(request, key.sign(publickeySignedData(BINDING.sessionId, request)));
};

const ALL = ["publickey", "password", "keyboard-interactive"];
const success = () => AUTH_SUCCESSFUL;
const disconnect = (reason: number) => expect.objectContaining({ name: "ProtocolError", reason });
const failuresOf = (payloads: readonly Buffer[]) => payloads.map(readUserauthFailure);

/** A hook whose answer the test gives. */
function pendingHook() {
  const answers: ((result: unknown) => void)[] = [];
  return { answers, hook: () => new Promise((resolve) => answers.push(resolve)) };
}

describe("Authentication: success", () => {
  it("lets the client in with a frozen identity", async () => {
    const link = new FakeLink({ password: success });
    await link.send(passwordRequest("alice", "secret"));
    expect(link.identities).toEqual([
      { username: "alice", methods: ["password"], publicKeys: [], securityKeys: [], permissions: ALL_PERMISSIONS },
    ]);
    const [identity] = link.identities;
    for (const part of [identity, identity?.methods, identity?.publicKeys]) expect(Object.isFrozen(part)).toBe(true);
    expect(link.authenticator.provenMethods.at(-1)).toEqual(["password"]);
    expect([link.failures, link.refusals]).toEqual([[], []]);
  });

  it.each([
    ["none", noneRequest("alice"), "none"],
    ["password", passwordRequest("alice", "x"), "password"],
    ["password change", passwordChangeRequest("alice", "x", "y"), "password"],
    ["publickey", keyProof("alice"), "publickey"],
    ["host-bound publickey", keyProof("alice", BINDING.hostKeyBlob), "publickey"],
  ])("comes by %s", async (_, request, method) => {
    const link = new FakeLink({ none: success, password: success, passwordChange: success, publicKey: success });
    await link.send(request);
    expect(link.identities).toMatchObject([{ username: "alice", methods: [method] }]);
  });

  it("holds the proven key, and not one that was only offered", async () => {
    const link = new FakeLink({ publicKey: success, password: success });
    const [answer] = await link.send(keyQuery("alice"));
    expect(answer?.[0]).toBe(MessageNumber.USERAUTH_PK_OK);
    expect(link.authenticator.provenMethods).toEqual([[]]);
    await link.send(passwordRequest("alice", "secret"));
    expect(link.identities).toEqual([
      { username: "alice", methods: ["password"], publicKeys: [], securityKeys: [], permissions: ALL_PERMISSIONS },
    ]);

    const proven = new FakeLink({ publicKey: success });
    await proven.send(keyProof("alice"));
    expect(proven.identities[0]?.publicKeys.map((proof) => proof.fingerprint())).toEqual([key.fingerprint()]);
  });

  it("waits for the hook that is told of it, which may still refuse", async () => {
    const { answers, hook } = pendingHook();
    const link = new FakeLink({ password: success, succeeded: hook });
    await link.send(passwordRequest("alice", "secret"));
    expect(link.identities).toEqual([]);
    answers[0]?.(undefined);
    await link.next();
    expect(link.identities.length).toBe(1);

    const refusing = new FakeLink({ password: success, succeeded: () => Promise.reject(new Error("banned")) });
    await refusing.send(passwordRequest("alice", "secret"));
    expect(refusing.identities).toEqual([]);
    expect(refusing.failures).toEqual([new Error("banned")]);
  });

  it("comes once: what follows is ignored", async () => {
    const link = new FakeLink({ password: success });
    await link.send(passwordRequest("alice", "1"), passwordRequest("root", "2"), noneRequest("root"));
    expect(link.identities.length).toBe(1);
    expect(link.authenticator.calls).toEqual([["password", "alice", "1"]]);
    expect(await link.send(passwordRequest("root", "3"))).toEqual([]);
  });
});

describe("Authentication: results of hooks", () => {
  const requests: Readonly<Record<string, Buffer>> = {
    none: noneRequest("alice"),
    password: passwordRequest("alice", "x"),
    passwordChange: passwordChangeRequest("alice", "x", "y"),
    publicKey: keyProof("alice"),
  };
  const cases = Object.keys(requests).flatMap((hook) =>
    NOT_SUCCESSFUL.map(([name, result]) => ({ hook, name, result })),
  );

  it.each(cases)("$hook: $name lets nobody in", async ({ hook, result }) => {
    for (const call of [() => result, async () => result]) {
      const link = new FakeLink({ [hook]: call });
      const answers = await link.send(requests[hook] ?? Buffer.alloc(0));
      expect(failuresOf(answers)).toEqual([{ methods: ALL, partialSuccess: false }]);
      expect([link.identities, link.authenticator.provenMethods]).toEqual([[], [[]]]);
    }
  });

  it.each(Object.keys(requests))("%s: a throw or a rejection refuses, and is logged", async (hook) => {
    const error = new Error("no database");
    const calls = [
      () => {
        throw error;
      },
      () => Promise.reject(error),
    ];
    for (const call of calls) {
      const link = new FakeLink({ [hook]: call });
      const answers = await link.send(requests[hook] ?? Buffer.alloc(0));
      expect(failuresOf(answers)).toEqual([{ methods: ALL, partialSuccess: false }]);
      expect(link.hookFailures[0]).toMatchObject({ error });
      expect(link.failures).toEqual([]);
    }
  });
});

describe("Authentication: order", () => {
  it("handles one request at a time, and none before the banner", async () => {
    const banner = pendingHook();
    const { answers, hook } = pendingHook();
    const link = new FakeLink({ banner: banner.hook, password: hook });
    await link.send(passwordRequest("alice", "1"), passwordRequest("alice", "2"), passwordRequest("alice", "3"));
    expect([link.authenticator.calls.length, link.waiting]).toEqual([0, 2]);
    banner.answers[0]?.("welcome");
    await link.next();
    for (const count of [1, 2, 3]) {
      expect(link.authenticator.calls.length).toBe(count);
      expect(link.waiting).toBe(3 - count);
      answers[count - 1]?.(count === 3 ? AUTH_SUCCESSFUL : AUTH_FAILED);
      const sent = await link.next();
      expect(sent.length).toBe(count === 3 ? 0 : 1);
    }
    expect(link.identities.length).toBe(1);
  });

  it("handles requests that come to it all at once one at a time too", async () => {
    const { answers, hook } = pendingHook();
    const link = new FakeLink({ password: hook });
    for (const password of ["1", "2"]) link.authentication.receive(passwordRequest("alice", password));
    await link.next();
    expect(link.authenticator.calls).toEqual([["password", "alice", "1"]]);
    answers[0]?.(AUTH_SUCCESSFUL);
    await link.next();
    expect(link.authenticator.calls).toEqual([["password", "alice", "1"]]);
    expect(link.identities.length).toBe(1);
  });

  it("ends with the connection: no hook is asked, nothing is sent", async () => {
    const { answers, hook } = pendingHook();
    const link = new FakeLink({ password: hook });
    await link.send(passwordRequest("alice", "1"), passwordRequest("alice", "2"));
    link.abort();
    answers[0]?.(AUTH_SUCCESSFUL);
    expect(await link.next()).toEqual([]);
    expect([link.authenticator.calls.length, link.identities, link.failures]).toEqual([1, [], []]);
  });

  it("ends with the connection also while the banner or a hook about failures is awaited", async () => {
    const { answers, hook } = pendingHook();
    const [atBanner, atFailure] = [new FakeLink({ banner: hook }), new FakeLink({ failed: hook, allowedMethods })];
    const asked: string[] = [];
    function allowedMethods(username: string) {
      asked.push(username);
      return ALL;
    }
    await atBanner.send(noneRequest("alice"));
    await atFailure.send(passwordRequest("alice", "wrong"));
    expect([answers.length, asked]).toEqual([2, ["alice"]]);
    for (const link of [atBanner, atFailure]) link.abort();
    for (const answer of answers) answer(undefined);
    expect([await atBanner.next(), await atFailure.next()]).toEqual([[], []]);
    expect([atBanner.authenticator.calls, asked]).toEqual([[], ["alice"]]);
  });
});

describe("Authentication: several factors", () => {
  it("asks for the rest after a partial success", async () => {
    const link = new FakeLink({ publicKey: () => AUTH_PARTIAL, password: success });
    expect(failuresOf(await link.send(keyProof("alice")))).toEqual([
      { methods: ["password", "keyboard-interactive"], partialSuccess: true },
    ]);
    expect(link.identities).toEqual([]);
    await link.send(passwordRequest("alice", "secret"));
    expect(link.identities).toMatchObject([{ username: "alice", methods: ["publickey", "password"] }]);
    expect(link.identities[0]?.publicKeys.length).toBe(1);
    expect(link.authenticator.provenMethods).toEqual([[], ["publickey"], ["publickey", "password"]]);
    expect([link.refusals, link.authenticator.failedWith]).toEqual([[], []]);
  });

  it("does not take the same method twice while another is left", async () => {
    const link = new FakeLink({ password: () => AUTH_PARTIAL });
    await link.send(passwordRequest("alice", "1"));
    expect(failuresOf(await link.send(passwordRequest("alice", "2")))).toEqual([
      { methods: ["publickey", "keyboard-interactive"], partialSuccess: false },
    ]);
    expect(link.authenticator.calls.length).toBe(1);
  });

  it("takes the same method again when it is the only one", async () => {
    const link = new FakeLink({ allowedMethods: () => ["password"], password: () => AUTH_PARTIAL });
    for (let round = 1; round <= 2; round++) {
      expect(failuresOf(await link.send(passwordRequest("alice", "x")))).toEqual([
        { methods: ["password"], partialSuccess: true },
      ]);
    }
  });

  it("takes two keys for two factors, and one key twice for one", async () => {
    const second = PKey.generate({ keyType: "ecdsa" });
    let proofs = 0;
    const link = new FakeLink({
      allowedMethods: () => ["publickey"],
      publicKey: () => (++proofs < 2 ? AUTH_PARTIAL : AUTH_SUCCESSFUL),
    });
    await link.send(keyProof("alice"));
    expect(failuresOf(await link.send(keyProof("alice")))).toEqual([{ methods: ["publickey"], partialSuccess: false }]);
    expect([proofs, link.identities]).toEqual([1, []]);
    const request = { username: "alice", algorithm: "ecdsa-sha2-nistp256", publicBlob: second.publicBlob };
    await link.send(publickeyProof(request, second.sign(publickeySignedData(BINDING.sessionId, request))));
    expect(link.identities[0]?.publicKeys.map((proof) => proof.fingerprint())).toEqual([
      key.fingerprint(),
      second.fingerprint(),
    ]);
  });

  it("forgets what was proven when the user name changes", async () => {
    const link = new FakeLink({ publicKey: () => AUTH_PARTIAL, password: success });
    await link.send(keyProof("alice"));
    await link.send(passwordRequest("root", "x"));
    expect(link.identities).toEqual([
      { username: "root", methods: ["password"], publicKeys: [], securityKeys: [], permissions: ALL_PERMISSIONS },
    ]);
    expect(link.authenticator.provenMethods).toEqual([[], ["publickey"], [], ["password"]]);
  });

  it("forgets it even when the name changes back", async () => {
    const link = new FakeLink({ publicKey: () => AUTH_PARTIAL, password: success });
    await link.send(keyProof("alice"), noneRequest("bob"), passwordRequest("alice", "x"));
    expect(link.identities).toMatchObject([{ username: "alice", methods: ["password"] }]);
  });
});

describe("Authentication: methods", () => {
  it("asks no hook for a method that is not allowed", async () => {
    const link = new FakeLink({ allowedMethods: () => ["publickey"], password: success, passwordChange: success });
    for (const request of [passwordRequest("alice", "x"), passwordChangeRequest("alice", "x", "y")]) {
      expect(failuresOf(await link.send(request))).toEqual([{ methods: ["publickey"], partialSuccess: false }]);
    }
    expect([link.authenticator.calls, link.identities]).toEqual([[], []]);
  });

  it("counts the host-bound method as publickey", async () => {
    const link = new FakeLink({ allowedMethods: () => ["password"], publicKey: success });
    expect(failuresOf(await link.send(keyProof("alice", BINDING.hostKeyBlob)))).toMatchObject([
      { methods: ["password"] },
    ]);
    expect(link.authenticator.calls).toEqual([]);
  });

  it("may allow each user other methods, asynchronously", async () => {
    const allowedMethods = async (username: string) => (username === "root" ? ["publickey"] : ["password"]);
    const link = new FakeLink({ allowedMethods, password: success });
    expect(failuresOf(await link.send(passwordRequest("root", "x")))).toMatchObject([{ methods: ["publickey"] }]);
    await link.send(passwordRequest("alice", "x"));
    expect(link.identities.length).toBe(1);
  });

  it("advertises no method that is not there", async () => {
    const link = new FakeLink({ allowedMethods: () => ["hostbased", "password", "gssapi-with-mic", "none", ""] });
    expect(failuresOf(await link.send(noneRequest("alice")))).toMatchObject([{ methods: ["password"] }]);
  });

  it("ends the connection in place of an empty list", async () => {
    const link = new FakeLink({ allowedMethods: () => [] });
    expect(await link.send(noneRequest("alice"))).toEqual([]);
    expect(link.failures).toEqual([disconnect(DisconnectReason.NO_MORE_AUTH_METHODS_AVAILABLE)]);
  });

  it.each([[undefined], [null], [true], ["password"]])("allows nothing for a hook that returns %j", async (result) => {
    const link = new FakeLink({ allowedMethods: () => result, password: success });
    await link.send(passwordRequest("alice", "x"));
    expect([link.identities, link.authenticator.calls, link.failures.length]).toEqual([[], [], 1]);
  });
});

describe("Authentication: limits", () => {
  it("ends the connection with the last failure", async () => {
    const link = new FakeLink({}, { maxAuthTries: 3 });
    for (let count = 1; count <= 2; count++) expect((await link.send(passwordRequest("alice", "x"))).length).toBe(1);
    expect(await link.send(passwordRequest("alice", "x"))).toEqual([]);
    expect(link.failures).toEqual([disconnect(DisconnectReason.NO_MORE_AUTH_METHODS_AVAILABLE)]);
    expect(link.authenticator.failedWith).toEqual(Array(3).fill(["alice", "password"]));
  });

  it("counts the failures of all users and all methods together", async () => {
    const link = new FakeLink({}, { maxAuthTries: 4 });
    await link.send(
      passwordRequest("alice", "x"),
      keyProof("bob"),
      keyQuery("carol"),
      userauthRequest("dave", "unknown").toBuffer(),
    );
    expect(link.failures.length).toBe(1);
    expect(link.authenticator.failedWith.map(([username]) => username)).toEqual(["alice", "bob", "carol", "dave"]);
  });

  it("lets the first request ask for the methods by none, and only that one", async () => {
    const link = new FakeLink({}, { maxAuthTries: 2 });
    expect((await link.send(noneRequest("alice"))).length).toBe(1);
    expect([link.refusals, link.authenticator.failedWith]).toEqual([[], []]);
    await link.send(noneRequest("alice"), noneRequest("alice"));
    expect(link.failures.length).toBe(1);
  });

  it("does not count keys that would do and partial successes, but has an end of them", async () => {
    const link = new FakeLink({ publicKey: success }, { maxAuthTries: 1 });
    let answers = 0;
    for (let count = 0; count < 120 && link.failures.length === 0; count++) {
      answers += (await link.send(keyQuery("alice"))).length;
    }
    expect(answers).toBe(100);
    expect(link.failures).toEqual([disconnect(DisconnectReason.NO_MORE_AUTH_METHODS_AVAILABLE)]);
  });

  it("takes user names up to 1024 bytes", async () => {
    const link = new FakeLink({ password: success });
    await link.send(passwordRequest("ä".repeat(512), "x"));
    expect(link.identities.length).toBe(1);
    const long = new FakeLink({ password: success });
    await long.send(passwordRequest(`${"ä".repeat(512)}x`, "x"));
    expect(long.failures).toEqual([disconnect(DisconnectReason.ILLEGAL_USER_NAME)]);
    expect([long.identities, long.authenticator.calls]).toEqual([[], []]);
  });

  it("refuses a user name that is not UTF-8, counts the attempt, and takes the next one", async () => {
    const nobody = userauthRequest(Buffer.of(0xff), "password").writeBoolean(false).writeString("x").toBuffer();
    const link = new FakeLink({ password: success }, { maxAuthTries: 2 });
    expect((await link.send(nobody)).map(([number]) => number)).toEqual([MessageNumber.USERAUTH_FAILURE]);
    await link.send(passwordRequest("alice", "x"));
    expect(link.identities).toMatchObject([{ username: "alice" }]);
    const other = new FakeLink();
    await other.send(passwordRequest("alice", "x"), nobody);
    expect(other.refusals.map(({ username }) => username)).toEqual(["alice", ""]);
    const guesser = new FakeLink({ password: success }, { maxAuthTries: 2 });
    await guesser.send(nobody, nobody);
    expect(guesser.failures).toEqual([disconnect(DisconnectReason.NO_MORE_AUTH_METHODS_AVAILABLE)]);
  });

  it("refuses methods and algorithms that are not US-ASCII like others that it does not know", async () => {
    const link = new FakeLink({ publicKey: success });
    const method = userauthRequest("alice", Buffer.of(0xff)).toBuffer();
    const algorithm = userauthRequest("alice", "publickey").writeBoolean(false).writeString(Buffer.of(0xff));
    const answers = await link.send(method, algorithm.writeString("blob").toBuffer());
    expect(answers.map(([number]) => number)).toEqual(Array(2).fill(MessageNumber.USERAUTH_FAILURE));
    expect(link.failures).toEqual([]);
  });

  it.each([
    ["a request that is cut short", Buffer.of(MessageNumber.USERAUTH_REQUEST, 0, 0)],
    ["a password request without a password", userauthRequest("alice", "password").toBuffer()],
    ["a key request with bytes behind it", Buffer.concat([keyProof("alice"), Buffer.of(0)])],
  ])("ends the connection for %s", async (_, payload) => {
    const link = new FakeLink({ password: success, publicKey: success });
    expect(await link.send(payload)).toEqual([]);
    expect(link.failures).toEqual([disconnect(DisconnectReason.PROTOCOL_ERROR)]);
    expect([link.identities, link.authenticator.calls]).toEqual([[], []]);
  });
});

describe("Authentication: delay of failures", () => {
  const options = { failureDelay: 1000 };

  it("is the floor for passwords and unknown methods, and little for keys", async () => {
    const link = new FakeLink({}, options);
    await link.send(passwordRequest("alice", "x"));
    await link.send(userauthRequest("alice", "unknown").toBuffer());
    await link.send(keyQuery("alice"));
    await link.send(keyProof("alice", BINDING.hostKeyBlob));
    const [password = 0, unknown = 0, query = 0, proof = 0] = timers.waits;
    expect(timers.waits.length).toBe(4);
    for (const wait of [password, unknown]) expect(wait).toBeGreaterThan(900);
    for (const wait of [query, proof]) expect(wait).toBeLessThanOrEqual(1000 / 10);
  });

  it("is the same whether the user is known or not, and whether a hook was asked", async () => {
    const link = new FakeLink(
      { allowedMethods: (username) => (username === "nobody" ? ["publickey"] : ["password"]) },
      options,
    );
    await link.send(passwordRequest("nobody", "x"));
    await link.send(passwordRequest("alice", "x"));
    const [first = 0, second = 0] = timers.waits;
    expect(Math.abs(first - second)).toBeLessThan(50);
  });

  it("does not slow down success, the first none or a good key", async () => {
    const link = new FakeLink({ password: success, publicKey: success }, options);
    await link.send(noneRequest("alice"), keyQuery("alice"), passwordRequest("alice", "x"));
    expect([timers.waits, link.identities.length]).toEqual([[], 1]);
  });

  it("is over before the answer and before the connection ends", async () => {
    const link = new FakeLink({}, { ...options, maxAuthTries: 1 });
    await link.send(passwordRequest("alice", "x"));
    expect(timers.waits.length).toBe(1);
    expect(link.failures.length).toBe(1);
  });

  it("is never longer for keys than the floor that was asked for", async () => {
    const link = new FakeLink({}, { failureDelay: 0 });
    await link.send(passwordRequest("alice", "x"), keyProof("alice"));
    expect(timers.waits).toEqual([]);
  });
});

describe("Authentication: banner", () => {
  it.each([
    ["at once", () => "welcome\n"],
    ["later", async () => "welcome\n"],
  ])("comes %s, before the first answer and once", async (_, banner) => {
    const link = new FakeLink({ banner });
    const sent = await link.send(noneRequest("alice"), passwordRequest("bob", "x"));
    expect(sent.map(([number]) => number)).toEqual([53, 51, 51]);
    expect(new Reader(sent[0] ?? Buffer.alloc(0), 1).readText()).toBe("welcome\n");
  });

  it("is asked for with the name in the first request, which is empty where it is not UTF-8", async () => {
    const banner = vi.fn();
    await new FakeLink({ banner }).send(noneRequest("alice"), noneRequest("bob"));
    await new FakeLink({ banner }).send(userauthRequest(Buffer.of(0xff), "none").toBuffer());
    expect(banner.mock.calls).toEqual([["alice"], [""]]);
  });

  it.each([[undefined], [""]])("is left out when it is %j", async (text) => {
    const link = new FakeLink({ banner: () => text });
    expect((await link.send(noneRequest("alice"))).map(([number]) => number)).toEqual([51]);
  });

  it("comes before a success too", async () => {
    const link = new FakeLink({ banner: () => "welcome", none: success });
    expect((await link.send(noneRequest("alice"))).map(([number]) => number)).toEqual([53]);
    expect(link.identities.length).toBe(1);
  });

  it("that cannot be had is logged and left out", async () => {
    const link = new FakeLink({ banner: () => Promise.reject(new Error("no file")), password: success });
    await link.send(passwordRequest("alice", "x"));
    expect(link.hookFailures).toEqual([{ hook: "getBanner", error: new Error("no file") }]);
    expect(link.identities.length).toBe(1);
  });
});

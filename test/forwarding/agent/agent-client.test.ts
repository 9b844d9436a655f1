import { once } from "node:events";
import { Duplex, PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import type { PKey } from "../../../src/crypto/pkey/pkey.js";
import { AgentClient } from "../../../src/forwarding/agent/agent-client.js";
import { AgentError } from "../../../src/forwarding/agent/agent-error.js";
import { ConfigurationError } from "../../../src/index.js";
import { Writer } from "../../../src/protocol/writer.js";
import { Deferred } from "../../attack/deferred.js";
import { privateKeys } from "../../fuzz/support/keys.js";
import { framed, identitiesAnswer, signResponse } from "./agent-answers.js";
import { type Answerer, answerWith, readSignRequest, TestAgent } from "./test-agent.js";

const DATA = Buffer.from("what is to be signed");
const keyOf = (keyType: string): PKey => {
  const key = privateKeys.find((candidate) => candidate.keyType === keyType);
  if (key === undefined) throw new Error(`no key of type ${keyType}`);
  return key;
};
const ed25519 = keyOf("ssh-ed25519");
const rsa = keyOf("ssh-rsa");
const certified = rsa.withCertificate(
  ed25519.signCertificate({ publicKey: rsa.publicKey, type: "user", keyId: "id", principals: ["ann"] }),
);

const agent = TestAgent.start();
const client = new AgentClient(agent.open);

/** The code of the error that an operation ends with. */
async function codeOf(operation: Promise<unknown>): Promise<string> {
  const error = await operation.then(
    () => new Error("it has succeeded"),
    (reason: unknown) => reason,
  );
  if (error instanceof AgentError) return error.code;
  throw error;
}

const answered =
  (message: Uint8Array): Answerer =>
  (_request, socket) =>
    void socket.write(framed(message));

describe("the keys of an agent", () => {
  it("are listed with comments and public halves, certificates too", async () => {
    const keys = [ed25519, certified];
    agent.answer = answered(identitiesAnswer(keys.map((key) => ({ publicBlob: key.publicBlob, comment: "ann" }))));
    const listed = await client.list();
    expect(listed.map(({ keyType }) => keyType)).toEqual(["ssh-ed25519", "ssh-rsa-cert-v01@openssh.com"]);
    expect(listed.map(({ comment }) => comment)).toEqual(["ann", "ann"]);
    expect(listed.map(({ publicBlob }) => publicBlob)).toEqual(keys.map(({ publicBlob }) => publicBlob));
    expect(listed.map((key) => key.publicKey?.fingerprint())).toEqual(keys.map((key) => key.fingerprint()));
    expect(listed[1]?.publicKey?.certificate?.keyId).toBe("id");
    expect(listed.map((key) => key.signatureAlgorithms)).toEqual(keys.map((key) => key.signatureAlgorithms));
  });

  it("may be of types that nobody here knows, or damaged: those sign nothing", async () => {
    const unknown = new Writer().writeString("ssh-new@example.com").writeString("key").toBuffer();
    const weak = new Writer().writeString("ssh-rsa").writeMpint(Buffer.of(3)).writeMpint(Buffer.alloc(128, 0xff));
    const blobs = [unknown, weak.toBuffer(), ed25519.publicBlob.subarray(0, -1)];
    agent.answer = answered(identitiesAnswer(blobs.map((publicBlob) => ({ publicBlob, comment: "" }))));
    const listed = await client.list();
    expect(listed.map(({ keyType }) => keyType)).toEqual(["ssh-new@example.com", "ssh-rsa", "ssh-ed25519"]);
    expect(listed.map(({ publicBlob }) => publicBlob)).toEqual(blobs);
    const asked = agent.requests.length;
    for (const key of listed) {
      expect(key.publicKey).toBeUndefined();
      expect(key.signatureAlgorithms).toEqual([]);
      expect(await codeOf(key.sign(DATA))).toBe("unsupported");
    }
    expect(agent.requests).toHaveLength(asked);
  });

  it("may be none", async () => {
    agent.answer = answered(identitiesAnswer([]));
    expect(await client.list()).toEqual([]);
  });

  it("let others work while they are read", async () => {
    const authority = keyOf("ecdsa-sha2-nistp521");
    const { publicBlob } = authority.signCertificate({
      publicKey: authority.publicKey,
      type: "user",
      keyId: "id",
      principals: ["ann"],
    });
    const keys = Array(45).fill({ publicBlob, comment: "" });
    agent.answer = answered(identitiesAnswer(keys));
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    expect(await client.list()).toHaveLength(45);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(2);
  });
});

describe("a signature by an agent", () => {
  it.each([
    [ed25519, undefined, 0],
    [keyOf("ecdsa-sha2-nistp521"), undefined, 0],
    [rsa, undefined, 4],
    [rsa, "rsa-sha2-256", 2],
    [certified, "rsa-sha2-256-cert-v01@openssh.com", 2],
    [certified, "rsa-sha2-512-cert-v01@openssh.com", 4],
  ])("is the one that was asked for: %#", async (key, algorithm, flags) => {
    agent.answer = answerWith(key, algorithm);
    const [listed] = await client.list();
    const signature = await listed?.sign(DATA, algorithm);
    expect(key.publicKey.verify(DATA, signature ?? Buffer.alloc(0), algorithm)).toBe(true);
    const request = agent.requests.at(-1) ?? Buffer.alloc(0);
    expect(readSignRequest(request)).toEqual({ data: DATA, flags });
    expect(request.includes(key.publicBlob)).toBe(true);
  });

  it("is of the bytes at the time of the call", async () => {
    const data = Buffer.from(DATA);
    agent.answer = answerWith(ed25519);
    const signing = client.sign(ed25519.publicKey, data);
    data.fill(0);
    expect(ed25519.verify(DATA, await signing)).toBe(true);
  });

  it.each([
    ["SHA-1 in place of SHA-2", rsa, () => rsaWith("ssh-rsa", rsa.sign(DATA))],
    ["another hash", rsa, () => rsa.sign(DATA, "rsa-sha2-256")],
    ["other data", ed25519, () => ed25519.sign(Buffer.from("other data"))],
    ["another key", keyOf("ecdsa-sha2-nistp256"), () => ed25519.sign(DATA)],
    ["nonsense", ed25519, () => Buffer.from("nonsense")],
    ["nothing", ed25519, () => Buffer.alloc(0)],
    ["a signature and more", ed25519, () => Buffer.concat([ed25519.sign(DATA), Buffer.of(0)])],
  ])("is refused where it is %s", async (_, key, signature) => {
    agent.answer = answered(signResponse(signature()));
    expect(await codeOf(client.sign(key.publicKey, DATA))).toBe("malformed");
  });

  it("names the algorithm of an agent that ignores the flags", async () => {
    agent.answer = answered(signResponse(rsaWith("ssh-rsa\n", rsa.sign(DATA))));
    await expect(client.sign(rsa.publicKey, DATA)).rejects.toThrow(
      String.raw`by rsa-sha2-512, but with one by ssh-rsa\x0a`,
    );
  });

  it.each(["ssh-rsa", "ssh-ed25519", "rsa-sha2-256-cert-v01@openssh.com", ""])(
    "is not asked for by an algorithm that the key does not have: %j",
    async (algorithm) => {
      const asked = agent.requests.length;
      expect(await codeOf(client.sign(rsa.publicKey, DATA, { algorithm }))).toBe("unsupported");
      expect(agent.requests).toHaveLength(asked);
    },
  );

  it("is not asked for of more than agents take", async () => {
    await expect(client.sign(rsa.publicKey, Buffer.alloc(256 * 1024))).rejects.toThrow(RangeError);
    agent.answer = answerWith(ed25519);
    const data = Buffer.alloc(192 * 1024);
    expect(ed25519.verify(data, await client.sign(ed25519.publicKey, data))).toBe(true);
  });
});

/** The same signature under another name. */
function rsaWith(name: string, signature: Buffer): Buffer {
  const bytes = signature.subarray(4 + signature.readUInt32BE(0) + 4);
  return new Writer().writeString(name).writeString(bytes).toBuffer();
}

describe("an agent of bad will", () => {
  it.each<[string, string, Answerer]>([
    ["says no", "failed", answered(Buffer.of(5))],
    ["answers with nonsense", "malformed", (_, socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n")],
    ["answers with another message", "malformed", answered(Buffer.of(6))],
    ["announces 4 GiB", "malformed", (_, socket) => socket.write(Buffer.alloc(4, 0xff))],
    ["announces nothing", "malformed", (_, socket) => socket.write(Buffer.alloc(4))],
    ["closes without an answer", "closed", (_, socket) => socket.end()],
    ["closes in its answer", "closed", (_, socket) => socket.end(Buffer.of(0, 0, 0, 100, 12))],
  ])("%s", async (_, code, answer) => {
    agent.answer = answer;
    expect(await codeOf(client.list())).toBe(code);
    await agent.lastGone();
  });

  it("sends megabytes, of which no more is read than was announced", async () => {
    const sent = Buffer.alloc(8 * 1024 * 1024, 1);
    agent.answer = (_, socket) => socket.write(sent);
    const socket = await agent.open();
    expect(await codeOf(new AgentClient(async () => socket).list())).toBe("malformed");
    await agent.lastGone();
    expect(socket.bytesRead).toBeLessThan(1024 * 1024);
  });

  it("does not answer in time", async () => {
    agent.answer = (_, socket) => socket.write(Buffer.of(0, 0, 0, 100, 12));
    const impatient = new AgentClient(agent.open, { timeout: 0.02 });
    expect(await codeOf(impatient.list())).toBe("timeout");
    await agent.lastGone();
  });

  it("is waited for until the caller gives up", async () => {
    agent.answer = () => {};
    const abort = new AbortController();
    const reason = new Error("no longer wanted");
    const listing = client.list({ signal: abort.signal });
    agent.answer = () => abort.abort(reason);
    await expect(listing).rejects.toBe(reason);
    await agent.lastGone();
    await expect(client.list({ signal: abort.signal })).rejects.toBe(reason);
  });
});

describe("the way to an agent", () => {
  it("leaves no timers", async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    agent.answer = answered(identitiesAnswer([]));
    const before = timers();
    for (let round = 0; round < 5; round++) await client.list();
    expect(timers()).toBeLessThan(before + 5);
  });

  it("may not be there", async () => {
    const cause = new Error("no such socket");
    const failing = new AgentClient(() => Promise.reject(cause));
    await expect(failing.list()).rejects.toMatchObject({ name: "AgentError", code: "refused", cause });
  });

  it("may be gone when it is used", async () => {
    const gone = new AgentClient(async () => new PassThrough().destroy());
    expect(await codeOf(gone.list())).toBe("closed");
  });

  it("may fail in the middle", async () => {
    const cause = new Error("cut");
    const read = function (this: Duplex) {
      this.destroy(cause);
    };
    const failing = new AgentClient(async () => new Duplex({ read, write() {} }));
    await expect(failing.list()).rejects.toMatchObject({ name: "AgentError", code: "closed", cause });
  });

  it("is not waited for any longer than an answer, and closed when it comes too late", async () => {
    const opened = new Deferred<PassThrough>();
    const late = new AgentClient(() => opened.promise, { timeout: 0.01 });
    expect(await codeOf(late.list())).toBe("timeout");
    const stream = new PassThrough();
    opened.resolve(stream);
    await once(stream, "close");
  });

  it.each<object>([{ timeout: 0 }, { timeout: "1" }, { timeOut: 1 }])("has options that are checked: %j", (options) => {
    expect(() => new AgentClient(agent.open, options)).toThrow(ConfigurationError);
  });

  it("has options of each call that are checked", async () => {
    await expect(client.list({ signl: 1 } as object)).rejects.toThrow(ConfigurationError);
    await expect(client.sign(ed25519, DATA, { algoritm: "x" } as object)).rejects.toThrow(ConfigurationError);
  });
});

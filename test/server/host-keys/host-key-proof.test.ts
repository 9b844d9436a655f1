import { describe, expect, it, vi } from "vitest";
import { type HostKey, PKey } from "../../../src/crypto/index.js";
import { decodeGlobalRequest, encodeGlobalRequest } from "../../../src/protocol/messages/requests.js";
import { Reader } from "../../../src/protocol/reader.js";
import { Writer } from "../../../src/protocol/writer.js";
import {
  HOST_KEYS_PROVE,
  HostKeyProof,
  type HostKeyProofOptions,
} from "../../../src/server/host-keys/host-key-proof.js";
import { Deferred } from "../../attack/deferred.js";
import { RSA_KEY } from "../../support/rsa-key.js";

const sessionId = Buffer.from("session identifier");
const ed25519 = PKey.generate({ keyType: "ed25519" });
const ecdsa = PKey.generate({ keyType: "ecdsa", bits: 256 });
const rsa = RSA_KEY;
const foreign = PKey.generate({ keyType: "ed25519" });
const algorithms = ["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256"];

function proof(options: Partial<HostKeyProofOptions> = {}): HostKeyProof {
  return new HostKeyProof({
    hostKeys: [ed25519, ecdsa, rsa],
    sessionId,
    algorithms,
    signingTime: 10_000,
    ...options,
  });
}

function ask(
  blobs: readonly Uint8Array[],
  reply: "wanted" | "unwanted" = "wanted",
  rest: Uint8Array = Buffer.alloc(0),
) {
  const fields = new Writer();
  for (const blob of blobs) fields.writeString(blob);
  return decodeGlobalRequest(encodeGlobalRequest(HOST_KEYS_PROVE, reply, fields.writeBytes(rest).toBuffer()));
}

/** What is signed, as OpenSSH PROTOCOL §2.5 has it. */
const signedData = (key: HostKey): Buffer =>
  new Writer()
    .writeString("hostkeys-prove-00@openssh.com")
    .writeString(sessionId)
    .writeString(key.publicBlob)
    .toBuffer();

function signatures(reply: Buffer | false): { readonly bytes: Buffer; readonly algorithm: string }[] {
  const reader = new Reader(reply || Buffer.alloc(0));
  const found: { bytes: Buffer; algorithm: string }[] = [];
  while (reader.remaining > 0) {
    const bytes = reader.readString();
    found.push({ bytes, algorithm: new Reader(bytes).readText() });
  }
  return found;
}

/** A key elsewhere, which signs when it is told to. */
function remoteKey(sign: HostKey["sign"]): HostKey & { readonly sign: ReturnType<typeof vi.fn<HostKey["sign"]>> } {
  const { keyType, publicBlob, signatureAlgorithms } = ed25519;
  return { keyType, publicBlob, signatureAlgorithms, sign: vi.fn(sign) };
}

describe("the proof of host keys", () => {
  it("is a signature by each key asked for, in that order", async () => {
    const keys = [rsa, ed25519, ecdsa];
    const proven = signatures(await proof().answer(ask(keys.map(({ publicBlob }) => publicBlob))));
    expect(proven.map(({ algorithm }) => algorithm)).toEqual(["rsa-sha2-512", "ssh-ed25519", "ecdsa-sha2-nistp256"]);
    for (const [index, key] of keys.entries()) {
      const { bytes, algorithm } = proven[index] ?? { bytes: Buffer.alloc(0), algorithm: "" };
      expect(key.verify(signedData(key), bytes, algorithm)).toBe(true);
    }
  });

  it("is made by the first algorithm that the key has", async () => {
    const prover = proof({ algorithms: ["ssh-ed25519", "rsa-sha2-256", "rsa-sha2-512"] });
    expect(signatures(await prover.answer(ask([rsa.publicBlob])))[0]?.algorithm).toBe("rsa-sha2-256");
  });

  it("is given once for each key", async () => {
    const prover = proof();
    expect(await prover.answer(ask([rsa.publicBlob]))).not.toBe(false);
    expect(await prover.answer(ask([rsa.publicBlob]))).toBe(false);
    expect(await prover.answer(ask([ed25519.publicBlob, rsa.publicBlob]))).toBe(false);
    expect(await prover.answer(ask([ed25519.publicBlob]))).not.toBe(false);
  });

  it.each<[what: string, ...Parameters<typeof ask>]>([
    ["no key", []],
    ["a foreign key", [foreign.publicBlob]],
    ["a foreign key behind its own", [ed25519.publicBlob, foreign.publicBlob]],
    ["the same key twice", [ed25519.publicBlob, ed25519.publicBlob]],
    ["an empty key", [Buffer.alloc(0)]],
    ["a key and its beginning", [ed25519.publicBlob, ed25519.publicBlob.subarray(0, -1)]],
    ["a key and a byte", [Buffer.concat([ed25519.publicBlob, Buffer.alloc(1)])]],
    ["a byte behind a key", [ed25519.publicBlob], "wanted", Buffer.alloc(1)],
    ["the greatest length behind a key", [ed25519.publicBlob], "wanted", Buffer.alloc(4, 0xff)],
    ["nobody who wants a reply", [ed25519.publicBlob], "unwanted"],
  ])("is refused for %s, and nothing is signed", async (_, ...request) => {
    const key = remoteKey((data, algorithm) => ed25519.sign(data, algorithm));
    const prover = proof({ hostKeys: [key, rsa] });
    expect(await prover.answer(ask(...request))).toBe(false);
    expect(key.sign).not.toHaveBeenCalled();
    // Nor does the key count as asked for.
    expect(await prover.answer(ask([key.publicBlob]))).not.toBe(false);
  });

  it.each<[what: string, sign: () => Buffer | Promise<Buffer>]>([
    [
      "throws",
      () => {
        throw new Error("the device is gone");
      },
    ],
    ["rejects", () => Promise.reject(new Error("the device is gone"))],
  ])("fails with the reason when a key %s, and that key is not asked again", async (_, sign) => {
    const key = remoteKey(sign);
    const prover = proof({ hostKeys: [key] });
    await expect(prover.answer(ask([key.publicBlob]))).rejects.toMatchObject({
      message: "the ssh-ed25519 key could not sign",
      cause: { message: "the device is gone" },
    });
    expect(await prover.answer(ask([key.publicBlob]))).toBe(false);
    expect(key.sign).toHaveBeenCalledTimes(1);
  });

  it("does not wait for a key without end, and asks no further key", async () => {
    const late = new Deferred<Buffer>();
    const slow = remoteKey(() => late.promise);
    const next = { ...remoteKey(() => Buffer.alloc(0)), publicBlob: ecdsa.publicBlob };
    const prover = proof({ hostKeys: [slow, next], signingTime: 20 });
    await expect(prover.answer(ask([slow.publicBlob, next.publicBlob]))).rejects.toThrow("in time");
    late.resolve(Buffer.alloc(0));
    await new Promise(setImmediate);
    expect(next.sign).not.toHaveBeenCalled();
  });

  it("ends with the connection, without a word", async () => {
    const slow = remoteKey(() => new Promise(() => {}));
    const prover = proof({ hostKeys: [slow] });
    const answer = prover.answer(ask([slow.publicBlob]));
    prover.close();
    expect(await answer).toBe(false);
  });

  it("takes no notice of a key that fails when it is too late", async () => {
    let fail = (_: Error) => {};
    const late = new Promise<Buffer>((_, reject) => {
      fail = reject;
    });
    const slow = remoteKey(() => late);
    const prover = proof({ hostKeys: [slow] });
    const answer = prover.answer(ask([slow.publicBlob]));
    prover.close();
    await answer;
    const unhandled = vi.fn();
    process.once("unhandledRejection", unhandled);
    fail(new Error("too late"));
    await new Promise(setImmediate);
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});

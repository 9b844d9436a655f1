import { describe, expect, it, onTestFinished, vi } from "vitest";
import { AnswersAboutKey, KeyAnswers, KeyDecision } from "../../src/auth/key-answers.js";
import { PKey } from "../../src/crypto/pkey/pkey.js";
import { AUTH_FAILED, AUTH_PARTIAL, AUTH_SUCCESSFUL } from "../../src/protocol/constants.js";

const blob = (number: number) => Buffer.from(`key ${number}`);

/** A clock that stands until it is told otherwise. */
function clockAt(time: number): { set(time: number): void } {
  const clock = vi.spyOn(performance, "now").mockReturnValue(time);
  onTestFinished(() => clock.mockRestore());
  return { set: (later) => void clock.mockReturnValue(later) };
}

describe("KeyAnswers", () => {
  it("are those about the same bytes and the same algorithm", () => {
    const answers = new KeyAnswers(6);
    const first = answers.about("rsa-sha2-512", blob(1));
    expect(answers.about("rsa-sha2-512", Buffer.from(blob(1)))).toBe(first);
    expect(answers.about("rsa-sha2-256", blob(1))).not.toBe(first);
    expect(answers.about("rsa-sha2-512", blob(2))).not.toBe(first);
  });

  it("are kept for so many keys as may be tried: of a thousand, for the last", () => {
    const answers = new KeyAnswers(6);
    const given = Array.from({ length: 1000 }, (_, number) => answers.about("ssh-ed25519", blob(number)));
    const kept = given.flatMap((about, number) => (number < 994 ? [] : about));
    expect(given.slice(-6).map((_, index) => answers.about("ssh-ed25519", blob(994 + index)))).toEqual(kept);
    expect(kept.every((about, index) => answers.about("ssh-ed25519", blob(994 + index)) === about)).toBe(true);
    expect(answers.about("ssh-ed25519", blob(993))).not.toBe(given[993]);
  });
});

it("a key that was accepted is not read again, and no other stands for it", () => {
  const answers = new KeyAnswers(6);
  const keys = [PKey.generate({ keyType: "ed25519" }), PKey.generate({ keyType: "ed25519" })].map(
    (key) => key.publicKey,
  );
  const [first = expect.fail(), second = expect.fail()] = keys;
  expect(answers.acceptedKey(first.publicBlob)).toBeUndefined();
  answers.accept(first);
  expect(answers.acceptedKey(Buffer.from(first.publicBlob))).toBe(first);
  for (const other of [second.publicBlob, first.publicBlob.subarray(1), Buffer.alloc(0)])
    expect(answers.acceptedKey(other)).toBeUndefined();
  answers.accept(second);
  expect(answers.acceptedKey(first.publicBlob)).toBeUndefined();
});

describe("an answer", () => {
  it("counts for five seconds from the question, and then is asked for again", async () => {
    const clock = clockAt(1000);
    const { revoked } = new AnswersAboutKey();
    const ask = vi.fn(async () => {
      clock.set(3000);
      return false;
    });
    expect(await revoked.askedBy(ask)).toBe(false);
    clock.set(6000);
    expect(await revoked.askedBy(() => true)).toBe(false);
    clock.set(6001);
    expect(await revoked.askedBy(() => true)).toBe(true);
    clock.set(11_001);
    expect(await revoked.askedBy(ask)).toBe(true);
    expect(ask).toHaveBeenCalledOnce();
  });

  it("is not an error, nor one from before it", async () => {
    const clock = clockAt(0);
    const { revoked } = new AnswersAboutKey();
    await revoked.askedBy(() => false);
    clock.set(5001);
    await expect(revoked.askedBy(() => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    clock.set(5002);
    expect(await revoked.askedBy(() => true)).toBe(true);
  });
});

it("KeyDecision is made of what lets a user in, and of nothing else", () => {
  expect(KeyDecision.from(AUTH_SUCCESSFUL)).toBeInstanceOf(KeyDecision);
  expect(KeyDecision.from(AUTH_PARTIAL)).toBeInstanceOf(KeyDecision);
  for (const decision of [AUTH_FAILED, undefined, true, {}, KeyDecision.from(AUTH_SUCCESSFUL)]) {
    expect(KeyDecision.from(decision)).toBeUndefined();
  }
});

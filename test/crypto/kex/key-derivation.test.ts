import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { deriveKey, exchangeHash } from "../../../src/crypto/kex/key-derivation.js";
import { Writer } from "../../../src/protocol/writer.js";
import { needs } from "../../support/clients.js";

const LETTERS = ["A", "B", "C", "D", "E", "F"] as const;

describe.each([
  { hash: "sha256", openssl: "SHA2-256", size: 32 },
  { hash: "sha384", openssl: "SHA2-384", size: 48 },
  { hash: "sha512", openssl: "SHA2-512", size: 64 },
] as const)("deriveKey with $hash", ({ hash, openssl, size }) => {
  const sharedSecret = new Writer().writeMpint(randomBytes(32)).toBuffer();
  const exchange = randomBytes(size);
  const sessionId = randomBytes(size);

  it("derives what OpenSSL's SSHKDF derives", needs("openssl"), () => {
    for (const letter of LETTERS) {
      const longer = [size, size + 1, 3 * size];
      for (const length of letter === "A" ? [1, 12, ...longer] : [3 * size]) {
        const arguments_ = [
          ["digest", openssl],
          ["hexkey", sharedSecret.toString("hex")],
          ["hexxcghash", exchange.toString("hex")],
          ["hexsession_id", sessionId.toString("hex")],
          ["type", letter],
        ].flatMap(([name, value]) => ["-kdfopt", `${name}:${value}`]);
        const command = ["kdf", "-keylen", String(length), ...arguments_, "-binary", "SSHKDF"];
        const expected = execFileSync("openssl", command);
        const key = deriveKey(hash, sharedSecret, exchange, letter, sessionId, length);
        expect(key, `${letter} of ${length} bytes`).toEqual(expected);
      }
    }
  });

  it("derives nothing when nothing is asked for", () => {
    expect(deriveKey(hash, sharedSecret, exchange, "A", sessionId, 0)).toEqual(Buffer.alloc(0));
  });
});

describe("exchangeHash", () => {
  it("hashes the strings of RFC 4253 §8 in their order, then transcript and K as they are", () => {
    const sharedSecret = new Writer().writeMpint(randomBytes(32)).toBuffer();
    const transcript = randomBytes(72);
    const strings = ["SSH-2.0-client", "SSH-2.0-server", "\x14client", "\x14server", "host key"].map((s) =>
      Buffer.from(s),
    );
    const [clientVersion, serverVersion, clientKexInit, serverKexInit, hostKey] = strings;
    if (!clientVersion || !serverVersion || !clientKexInit || !serverKexInit || !hostKey)
      throw new Error("five strings");
    const writer = new Writer();
    for (const string of strings) writer.writeString(string);
    const whole = writer.writeBytes(transcript).writeBytes(sharedSecret).toBuffer();
    for (const hash of ["sha256", "sha384", "sha512"] as const) {
      expect(
        exchangeHash(
          hash,
          clientVersion,
          serverVersion,
          clientKexInit,
          serverKexInit,
          hostKey,
          transcript,
          sharedSecret,
        ),
      ).toEqual(createHash(hash).update(whole).digest());
    }
  });
});

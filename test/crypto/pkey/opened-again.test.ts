import { afterEach, expect, it, vi } from "vitest";
import { PKey } from "../../../src/crypto/index.js";
import { RSA_KEY } from "../../support/rsa-key.js";

afterEach(() => {
  vi.restoreAllMocks();
});

const ed25519 = PKey.generate({ keyType: "ed25519" });
const ecdsa = PKey.generate({ keyType: "ecdsa", bits: 256 });
const certified = ed25519.signCertificate({
  publicKey: ecdsa.publicKey,
  type: "user",
  keyId: "user",
  principals: ["user"],
});

it.each([
  ["an Ed25519 key", ed25519, ed25519.publicKey],
  ["an ECDSA key", ecdsa, ecdsa.publicKey],
  ["an RSA key", RSA_KEY, RSA_KEY.publicKey],
  ["a certificate", ecdsa.withCertificate(certified), certified],
])("%s verifies when what OpenSSL had of it is collected", (_, signer, key) => {
  const data = Buffer.from("data");
  const signature = signer.sign(data);
  const { bits } = key;
  vi.spyOn(WeakRef.prototype, "deref").mockReturnValue(undefined);
  expect(key.verify(data, signature)).toBe(true);
  expect(key.verify(Buffer.from("other data"), signature)).toBe(false);
  expect(key.bits).toBe(bits);
});

import { KeyError } from "../../../src/crypto/keys/key-error.js";
import { PKey } from "../../../src/crypto/pkey/pkey.js";
import type { ReadOptions } from "../../../src/crypto/pkey/read-options.js";
import { assertEqual, assertTrue, refusable } from "../engine/harness.js";

const DATA = Buffer.from("data to sign");

/** Larger keys take too long to sign with for a fuzzer. */
const MAXIMUM_SIGNING_BITS = 4096;

/** Reads a key and, if it is one, checks all that has to hold for every key. */
export function checkKey(read: () => PKey): void {
  const key = refusable(read, KeyError);
  if (key === undefined) return;
  assertEqual(PKey.fromBlob(key.publicBlob).publicBlob, key.publicBlob, "the blob of a key is read as another");
  assertTrue(PKey.fromString(key.toPublicString()).equals(key), "the line of a key is read as another");
  assertTrue(key.fingerprint().length === 50, "a fingerprint is not one");
  assertTrue(!/\p{Cc}/u.test(key.comment), "a comment holds control characters");
  assertTrue(key.bits >= 256, "a key has no size");
  if (key.hasPrivateKey) checkPrivateKey(key);
}

function checkPrivateKey(key: PKey): void {
  const again = PKey.fromString(key.toOpenSSH());
  assertTrue(again.hasPrivateKey && again.equals(key), "a private key is written as another");
  assertTrue(again.comment === key.comment, "a comment changes");
  if (key.bits > MAXIMUM_SIGNING_BITS) return;
  assertTrue(key.publicKey.verify(DATA, again.sign(DATA)), "a private key does not belong to its public half");
}

/** As `PKey.fromString`, for text that may be no UTF-8. */
export function checkKeyText(text: Uint8Array | string, options: ReadOptions = {}): void {
  checkKey(() => PKey.fromString(text, options));
}

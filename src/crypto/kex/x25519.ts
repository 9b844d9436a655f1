import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";
import { keyExchangeFailed } from "./messages.js";

/** Length of a public value and of the shared secret, bytes. */
export const X25519_LENGTH = 32;

const ZERO = Buffer.alloc(X25519_LENGTH);

export interface X25519Agreement {
  readonly publicValue: Buffer;
  /** The raw result; the caller erases it. */
  readonly sharedSecret: Buffer;
}

/**
 * Agrees with a client's public value (RFC 7748 §6.1) under a fresh private key that is dropped on return.
 *
 * Keys pass as JWK because that costs a tenth of DER in `node:crypto`. The private one is random bytes (RFC 7748 §5), not
 * made by `generateKeyPairSync`: what that makes must not be exported (`generated-key.ts` says why).
 *
 * @throws {ProtocolError} with reason KEY_EXCHANGE_FAILED when the value has another length or the shared secret is all
 * zero, as points of small order make it (RFC 8731 §3)
 */
export function agreeX25519(clientValue: Buffer): X25519Agreement {
  if (clientValue.length !== X25519_LENGTH) {
    throw keyExchangeFailed(`an X25519 public value has ${clientValue.length} bytes`);
  }
  const clientKey = createPublicKey({
    key: { kty: "OKP", crv: "X25519", x: clientValue.toString("base64url") },
    format: "jwk",
  });
  const d = randomBytes(X25519_LENGTH).toString("base64url");
  const privateKey = createPrivateKey({ key: { kty: "OKP", crv: "X25519", x: "", d }, format: "jwk" });
  const publicValue = Buffer.from(createPublicKey(privateKey).export({ format: "jwk" }).x ?? "", "base64url");
  return { publicValue, sharedSecret: agree(privateKey, clientKey) };
}

function agree(privateKey: KeyObject, publicKey: KeyObject): Buffer {
  let sharedSecret: Buffer;
  try {
    sharedSecret = diffieHellman({ privateKey, publicKey });
  } catch (cause) {
    throw keyExchangeFailed("the X25519 public value is a point of small order", { cause });
  }
  // OpenSSL has thrown already; other builds of Node.js may return the zeros instead.
  if (timingSafeEqual(sharedSecret, ZERO)) throw keyExchangeFailed("the X25519 shared secret is zero");
  return sharedSecret;
}

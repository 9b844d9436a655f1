import {
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
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

export interface X25519Offer {
  readonly publicValue: Buffer;
  /**
   * The raw secret that the peer's public value leads to; the caller erases it.
   *
   * @throws {ProtocolError} as `agreeX25519`
   */
  agree(peerValue: Buffer): Buffer;
}

/** A public value to begin with (RFC 7748 §6.1), whose private key lasts as long as the offer. */
export function offerX25519(): X25519Offer {
  const { publicValue, privateKey } = generateKeyPair();
  return { publicValue, agree: (peerValue) => agree(privateKey, readPublicValue(peerValue)) };
}

/**
 * Agrees with a peer's public value (RFC 7748 §6.1) under a fresh private key that is dropped on return.
 *
 * Public values pass as JWK, which costs less than DER in every version of Node.js, and a tenth of it in Node.js 20. The
 * private key never leaves OpenSSL: no copy of it remains in memory that cannot be erased.
 *
 * @throws {ProtocolError} with reason KEY_EXCHANGE_FAILED when the value has another length or the shared secret is all
 * zero, as points of small order make it (RFC 8731 §3)
 */
export function agreeX25519(peerValue: Buffer): X25519Agreement {
  const peerKey = readPublicValue(peerValue);
  const { publicValue, privateKey } = generateKeyPair();
  return { publicValue, sharedSecret: agree(privateKey, peerKey) };
}

function readPublicValue(value: Buffer): KeyObject {
  if (value.length !== X25519_LENGTH) throw keyExchangeFailed(`an X25519 public value has ${value.length} bytes`);
  return createPublicKey({ key: { kty: "OKP", crv: "X25519", x: value.toString("base64url") }, format: "jwk" });
}

/**
 * The public half is written while the pair is made. To export either half later could stop the process
 * (`generated-key.ts` says why).
 */
function generateKeyPair(): { publicValue: Buffer; privateKey: KeyObject } {
  // The type definitions allow neither JWK here nor an encoding for one half only.
  const options: object = { publicKeyEncoding: { format: "jwk" } };
  const pair: { publicKey: object; privateKey: KeyObject } = generateKeyPairSync("x25519", options);
  const { x } = pair.publicKey as JsonWebKey;
  if (x === undefined) throw new Error("an X25519 key was made without its public value");
  return { publicValue: Buffer.from(x, "base64url"), privateKey: pair.privateKey };
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

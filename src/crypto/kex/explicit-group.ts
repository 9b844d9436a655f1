import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject, randomBytes } from "node:crypto";
import { keyExchangeFailed } from "./messages.js";
import { isInRange } from "./modp-group.js";
import type { ClientShare } from "./one-round.js";
import { encodeSecretMpint } from "./shared-secret.js";

/** Twice what the largest groups are worth against the best attacks on them (RFC 4419 §6.2), bytes. */
const EXPONENT_LENGTH = 64;

/** DER: dhKeyAgreement of PKCS #3, 1.2.840.113549.1.3.1. */
const DH_KEY_AGREEMENT = Buffer.from("06092a864886f70d010301", "hex");
const Tag = { INTEGER: 0x02, BIT_STRING: 0x03, OCTET_STRING: 0x04, SEQUENCE: 0x30 } as const;

/**
 * A client's share in a group of any odd modulus, with a fresh exponent that lasts as long as the share.
 *
 * Keys in DER, because `createDiffieHellman` tests whether the modulus is a prime in Node.js 24 and later, which takes
 * minutes where it is large. g^x is computed as what x and a peer with the value g agree on.
 *
 * @param prime odd, without leading zero bytes; both are copied
 * @throws {ProtocolError} with reason KEY_EXCHANGE_FAILED when the powers of the generator are 1 or p-1
 */
export function offerInGroup(prime: Buffer, generator: Buffer): ClientShare {
  const modulus = Buffer.from(prime);
  const algorithm = der(Tag.SEQUENCE, DH_KEY_AGREEMENT, der(Tag.SEQUENCE, integer(prime), integer(generator)));
  const exponent = createExponent(algorithm);
  const power = (base: Buffer): Buffer => {
    const key = der(Tag.SEQUENCE, algorithm, der(Tag.BIT_STRING, Buffer.of(0), integer(base)));
    try {
      const publicKey = createPublicKey({ key, format: "der", type: "spki" });
      return diffieHellman({ privateKey: exponent, publicKey });
    } catch (cause) {
      throw keyExchangeFailed("a value of the server's is not in its group", { cause });
    }
  };
  return {
    clientValue: power(generator),
    agree(serverValue) {
      if (!isInRange(serverValue, modulus)) {
        throw keyExchangeFailed("the server's public value is out of the range of its group");
      }
      return encodeSecretMpint(power(serverValue));
    },
  };
}

function createExponent(algorithm: Buffer): KeyObject {
  const exponent = randomBytes(EXPONENT_LENGTH);
  exponent[0] = (exponent[0] ?? 0) | 0x80;
  const encoded = integer(exponent);
  const key = der(Tag.SEQUENCE, integer(Buffer.alloc(1)), algorithm, der(Tag.OCTET_STRING, encoded));
  try {
    return createPrivateKey({ key, format: "der", type: "pkcs8" });
  } catch (cause) {
    throw keyExchangeFailed("the server's group cannot be used", { cause });
  } finally {
    for (const sensitive of [exponent, encoded, key]) sensitive.fill(0);
  }
}

/** A positive number. */
function integer(magnitude: Buffer): Buffer {
  return (magnitude[0] ?? 0) & 0x80 ? der(Tag.INTEGER, Buffer.of(0), magnitude) : der(Tag.INTEGER, magnitude);
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.of(tag, ...derLength(length)), ...parts]);
}

function derLength(length: number): readonly number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
}

import { type DiffieHellmanGroup, getDiffieHellman } from "node:crypto";
import { keyExchangeFailed } from "./messages.js";
import type { ClientShare, ServerShare } from "./one-round.js";
import { encodeSecretMpint } from "./shared-secret.js";

/** A group of RFC 3526, by its `node:crypto` name. */
export type ModpGroup = "modp14" | "modp15" | "modp16" | "modp17" | "modp18";

/**
 * Agrees with a client's public value e under a fresh exponent that is dropped on return (RFC 4253 §8).
 *
 * @param clientValue e, a magnitude without leading zero bytes
 * @throws {ProtocolError} with reason KEY_EXCHANGE_FAILED unless 2 <= e <= p-2 (RFC 8268 §4)
 */
export function agreeModp(group: ModpGroup, clientValue: Buffer): ServerShare {
  const ephemeral = getDiffieHellman(group);
  checkRange(clientValue, ephemeral.getPrime());
  const serverValue = ephemeral.generateKeys();
  return { serverValue, sharedSecret: computeSecret(ephemeral, clientValue) };
}

/** The client's part in the same, with a fresh exponent that lasts as long as the share. */
export function offerModp(group: ModpGroup): ClientShare {
  const ephemeral = getDiffieHellman(group);
  return {
    clientValue: ephemeral.generateKeys(),
    agree(serverValue) {
      checkRange(serverValue, ephemeral.getPrime());
      return computeSecret(ephemeral, serverValue);
    },
  };
}

function computeSecret(ephemeral: DiffieHellmanGroup, peerValue: Buffer): Buffer {
  let secret: Buffer;
  try {
    secret = ephemeral.computeSecret(peerValue);
  } catch (cause) {
    throw keyExchangeFailed("the peer's public value is not in the group", { cause });
  }
  return encodeSecretMpint(secret);
}

function checkRange(value: Buffer, prime: Buffer): void {
  if (!isInRange(value, prime)) throw keyExchangeFailed("the peer's public value is out of the range of the group");
}

/** 2 <= value <= prime-2. Public numbers, so the comparison need not take constant time. */
export function isInRange(value: Buffer, prime: Buffer): boolean {
  if (value.length > prime.length) return false;
  if (value.length < prime.length) return value.length > 1 || (value[0] ?? 0) >= 2;
  const primeMinusOne = Buffer.from(prime);
  primeMinusOne.writeUInt8(primeMinusOne.readUInt8(prime.length - 1) - 1, prime.length - 1);
  return value.compare(primeMinusOne) < 0;
}

import { type DiffieHellmanGroup, getDiffieHellman } from "node:crypto";
import { keyExchangeFailed } from "./messages.js";
import type { ServerShare } from "./one-round.js";
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
  const ephemeral: DiffieHellmanGroup = getDiffieHellman(group);
  if (!isInRange(clientValue, ephemeral.getPrime())) {
    throw keyExchangeFailed(`the client's public value is out of the range of ${group}`);
  }
  const serverValue = ephemeral.generateKeys();
  let secret: Buffer;
  try {
    secret = ephemeral.computeSecret(clientValue);
  } catch (cause) {
    throw keyExchangeFailed(`the client's public value is not in ${group}`, { cause });
  }
  return { serverValue, sharedSecret: encodeSecretMpint(secret) };
}

/** 2 <= value <= prime-2. Public numbers, so the comparison need not take constant time. */
function isInRange(value: Buffer, prime: Buffer): boolean {
  if (value.length > prime.length) return false;
  if (value.length < prime.length) return value.length > 1 || (value[0] ?? 0) >= 2;
  const primeMinusOne = Buffer.from(prime);
  primeMinusOne.writeUInt8(primeMinusOne.readUInt8(prime.length - 1) - 1, prime.length - 1);
  return value.compare(primeMinusOne) < 0;
}

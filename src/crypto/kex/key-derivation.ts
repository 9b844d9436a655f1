import { createHash, type Hash } from "node:crypto";
import type { ExchangeHash } from "./key-exchange.js";

/**
 * Which key is derived (RFC 4253 §7.2): IVs "A" and "B", cipher keys "C" and "D", MAC keys "E" and "F"; the first of
 * each pair is for client to server.
 */
export type KeyLetter = "A" | "B" | "C" | "D" | "E" | "F";

/**
 * H, the hash that the host key signs (RFC 4253 §8). That of the first exchange is the session identifier.
 *
 * @param clientVersion V_C, the identification line without CR LF
 * @param serverVersion V_S, likewise
 * @param clientKexInit I_C, the KEXINIT payload with its message number
 * @param serverKexInit I_S, likewise
 * @param hostKey K_S, the public host key blob
 * @param transcript the step's `transcript`
 * @param sharedSecret the step's `sharedSecret`, encoded
 */
export function exchangeHash(
  hash: ExchangeHash,
  clientVersion: Uint8Array,
  serverVersion: Uint8Array,
  clientKexInit: Uint8Array,
  serverKexInit: Uint8Array,
  hostKey: Uint8Array,
  transcript: Uint8Array,
  sharedSecret: Uint8Array,
): Buffer {
  const digest = createHash(hash);
  for (const bytes of [clientVersion, serverVersion, clientKexInit, serverKexInit, hostKey])
    updateString(digest, bytes);
  return digest.update(transcript).update(sharedSecret).digest();
}

/**
 * One key of an exchange (RFC 4253 §7.2).
 *
 * @param sharedSecret K, encoded
 * @param exchangeHash H of this exchange
 * @param sessionId H of the connection's first exchange
 * @param length bytes wanted
 */
export function deriveKey(
  hash: ExchangeHash,
  sharedSecret: Uint8Array,
  exchangeHash: Uint8Array,
  letter: KeyLetter,
  sessionId: Uint8Array,
  length: number,
): Buffer {
  const key = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const digest = createHash(hash).update(sharedSecret).update(exchangeHash);
    if (filled === 0) digest.update(letter).update(sessionId);
    else digest.update(key.subarray(0, filled));
    const block = digest.digest();
    filled += block.copy(key, filled);
    block.fill(0);
  }
  return key;
}

function updateString(digest: Hash, bytes: Uint8Array): void {
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32BE(bytes.length);
  digest.update(length).update(bytes);
}

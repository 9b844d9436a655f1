import { hash as digestOf } from "node:crypto";
import { Writer } from "../../protocol/writer.js";
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
  const strings = [clientVersion, serverVersion, clientKexInit, serverKexInit, hostKey];
  const length = strings.reduce((sum, { length }) => sum + 4 + length, transcript.length + sharedSecret.length);
  const covered = new Writer(length);
  for (const bytes of strings) covered.writeString(bytes);
  return digestAndErase(hash, covered.writeBytes(transcript).writeBytes(sharedSecret));
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
    const hashed = new Writer(sharedSecret.length + exchangeHash.length + 1 + sessionId.length + filled)
      .writeBytes(sharedSecret)
      .writeBytes(exchangeHash);
    if (filled === 0) hashed.writeByte(letter.charCodeAt(0)).writeBytes(sessionId);
    else hashed.writeBytes(key.subarray(0, filled));
    const block = digestAndErase(hash, hashed);
    filled += block.copy(key, filled);
    block.fill(0);
  }
  return key;
}

/** In one call: an object for it costs several times what it hashes. No copy of the secret remains. */
function digestAndErase(hash: ExchangeHash, hashed: Writer): Buffer {
  const bytes = hashed.toBuffer();
  const digest = digestOf(hash, bytes, "buffer");
  bytes.fill(0);
  return digest;
}

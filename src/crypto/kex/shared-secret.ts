/**
 * K in its two encodings. Each erases the raw secret it was given and writes into memory of its own (not the pool that
 * other buffers share), so that the only copy left is the one that goes into the key derivation.
 */

/** K as an mpint (RFC 4253 §8, RFC 8731 §3.1: big-endian, leading zero bytes removed). */
export function encodeSecretMpint(secret: Uint8Array): Buffer {
  let start = 0;
  while (start < secret.length && secret[start] === 0) start++;
  const sign = (secret[start] ?? 0) & 0x80 ? 1 : 0;
  const length = sign + secret.length - start;
  const encoded = Buffer.alloc(4 + length);
  encoded.writeUInt32BE(length);
  encoded.set(secret.subarray(start), 4 + sign);
  secret.fill(0);
  return encoded;
}

/** K as a string, as the KEM hybrids do. */
export function encodeSecretString(secret: Uint8Array): Buffer {
  const encoded = Buffer.alloc(4 + secret.length);
  encoded.writeUInt32BE(secret.length);
  encoded.set(secret, 4);
  secret.fill(0);
  return encoded;
}

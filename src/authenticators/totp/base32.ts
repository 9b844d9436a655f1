const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** Base32 (RFC 4648 §6) without padding, as authenticator apps read secrets. */
export function encodeBase32(bytes: Uint8Array): string {
  let text = "";
  let pending = 0;
  let bits = 0;
  for (const byte of bytes) {
    pending = ((pending << 8) | byte) & 0xfff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += DIGITS.charAt((pending >> (bits - 5)) & 31);
  }
  return bits === 0 ? text : text + DIGITS.charAt((pending << (5 - bits)) & 31);
}

/**
 * Reads base32 as people write it down: in small letters too, in groups with spaces between, with padding or without.
 *
 * @throws {Error} when it is something else
 */
export function decodeBase32(text: string): Buffer {
  const digits = text.replaceAll(" ", "").replace(/=+$/, "").toUpperCase();
  const bytes: number[] = [];
  let pending = 0;
  let bits = 0;
  for (const digit of digits) {
    const value = DIGITS.indexOf(digit);
    if (value < 0) throw new Error("the secret is not in base32");
    pending = ((pending << 5) | value) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((pending >> bits) & 0xff);
  }
  const decoded = Buffer.from(bytes);
  if (encodeBase32(decoded) !== digits) throw new Error("the secret is not in base32");
  return decoded;
}

/** Base64 without padding, as hashes in PHC strings have it. */
export function encodeBase64(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}

/** @throws {Error} when `encodeBase64` does not make such a text */
export function decodeBase64(text = ""): Buffer {
  const bytes = Buffer.from(text, "base64");
  if (encodeBase64(bytes) !== text) throw new Error("the hash is not in base64");
  return bytes;
}

/**
 * @param minimum bytes, likewise `maximum`
 * @throws {Error} that names the part that is too short or too long
 */
export function requireLength(part: string, bytes: Buffer, minimum: number, maximum: number): Buffer {
  if (bytes.length >= minimum && bytes.length <= maximum) return bytes;
  throw new Error(`the ${part} has ${bytes.length} bytes, not ${minimum} to ${maximum}`);
}

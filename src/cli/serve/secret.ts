import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** 128 random bits as text that can be typed and pasted. */
export function randomPassword(): string {
  return randomBytes(16).toString("base64url");
}

/** Whether two texts are the same, in a time that tells neither where they differ nor how long they are. */
export function sameSecret(one: string, other: string): boolean {
  return timingSafeEqual(sha256(one), sha256(other));
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text, "utf8").digest();
}

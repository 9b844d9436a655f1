/** A password as it is kept. */
export interface PasswordHash {
  /** The cost of computing it: hashes with the same text here take the same time. */
  readonly cost: string;
  /** Bytes that the algorithm looks at. */
  readonly maxPasswordLength: number;
  /** @param signal fires when nobody waits for the answer any more, which is then of no meaning */
  matches(password: Buffer, signal?: AbortSignal): Promise<boolean>;
}

/**
 * Whether a password is the one that was hashed. It is not when it has more bytes than the algorithm looks at, or a
 * NUL, which some programs take for the end: another password would do as well then. All that takes the same time.
 *
 * @param signal fires when nobody waits for the answer any more
 */
export async function matchesHash(password: string, known: PasswordHash, signal?: AbortSignal): Promise<boolean> {
  const bytes = Buffer.from(password, "utf8");
  const isLookedAtWhole = bytes.length <= known.maxPasswordLength && !bytes.includes(0);
  const isRight = await known.matches(bytes.subarray(0, known.maxPasswordLength), signal);
  return isRight && isLookedAtWhole;
}

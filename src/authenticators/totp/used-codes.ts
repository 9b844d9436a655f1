/**
 * The time step of each user's last code. A code is good once (RFC 6238 §5.2), and no code from before it is good. A
 * note is forgotten when the code is too old to be accepted anyway.
 */
export class UsedCodes {
  /** By user name, the oldest first. */
  readonly #steps = new Map<string, number>();

  isUsed(username: string, step: number): boolean {
    return step <= (this.#steps.get(username) ?? -1);
  }

  /** @param oldest that would still be accepted */
  use(username: string, step: number, oldest: number): void {
    this.#steps.delete(username);
    this.#steps.set(username, step);
    for (const [other, last] of this.#steps) {
      if (last >= oldest) return;
      this.#steps.delete(other);
    }
  }
}

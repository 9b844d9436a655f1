import { hash } from "node:crypto";
import type { MaybePromise } from "../base/maybe-promise.js";
import type { Certificate, PKey } from "../crypto/pkey/pkey.js";
import { Grant } from "./grant.js";
import type { ProvenKey } from "./proven-key.js";

/**
 * The time that an answer of a hook about a key counts, milliseconds. A client asks about a key and then signs with it, and
 * the hooks need not be asked twice for that. But it may sign whenever it likes before the deadline of the login: a key
 * that was revoked meanwhile, whose line has expired or was taken out of the file must not get in by an answer from
 * before. So this holds for the decision as it does for the revocation.
 */
const ANSWER_LIFETIME = 5_000;

/**
 * The decision of a hook about a key. It tells for every key whether it would do, and the grant only for a key that was
 * proven.
 */
export class KeyDecision {
  readonly #grant: Grant;

  private constructor(grant: Grant) {
    this.#grant = grant;
  }

  /** @returns `undefined` where the hook has refused the key */
  static from(decision: unknown): KeyDecision | undefined {
    const grant = Grant.from(decision);
    return grant && new KeyDecision(grant);
  }

  /** Whether the hook trusts the authority that has signed this certificate. */
  namesAuthorityOf({ signatureKey }: Certificate): boolean {
    return this.#grant.authority?.equals(signatureKey) === true;
  }

  grantTo(_key: ProvenKey): Grant {
    return this.#grant;
  }
}

/** The last answer to one question. */
class RecentAnswer<T> {
  #known: { readonly answer: T; readonly askedAt: number } | undefined;

  /** Asks unless the answer is known. An error is passed on, and is not an answer. */
  async askedBy(ask: () => MaybePromise<T>): Promise<T> {
    const now = performance.now();
    if (this.#known !== undefined && now - this.#known.askedAt <= ANSWER_LIFETIME) return this.#known.answer;
    this.#known = undefined;
    const answer = await ask();
    // Counted from the question: nobody knows when the answer was true during a long wait.
    this.#known = { answer, askedAt: now };
    return answer;
  }
}

/** The answers of the hooks about one key with one algorithm. */
export class AnswersAboutKey {
  readonly revoked = new RecentAnswer<boolean>();
  readonly decision = new RecentAnswer<KeyDecision | undefined>();
}

/**
 * The answers of the hooks about the keys of one user with the factors proven so far. The hooks may answer otherwise
 * for another user and after another factor, so both need a new object.
 */
export class KeyAnswers {
  readonly #capacity: number;
  /** By algorithm and digest of the key; the oldest first. */
  readonly #keys = new Map<string, AnswersAboutKey>();
  #accepted: PKey | undefined;

  /** @param capacity for how many keys answers are kept; the oldest are forgotten */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The client is told that it may sign with this key. It need not be read again when it does. */
  accept(key: PKey): void {
    this.#accepted = key;
  }

  /** The key of these bytes, if it is the one that was accepted last. */
  acceptedKey(blob: Buffer): PKey | undefined {
    return this.#accepted?.publicBlob.equals(blob) ? this.#accepted : undefined;
  }

  /**
   * @param algorithm as the request names it
   * @param blob of the key, or of the whole certificate
   */
  about(algorithm: string, blob: Buffer): AnswersAboutKey {
    // A digest, since blobs may be as long as packets.
    const name = `${algorithm} ${hash("sha256", blob, "base64")}`;
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    const [oldest] = this.#keys.keys();
    if (oldest !== undefined && this.#keys.size >= this.#capacity) this.#keys.delete(oldest);
    const answers = new AnswersAboutKey();
    this.#keys.set(name, answers);
    return answers;
  }
}

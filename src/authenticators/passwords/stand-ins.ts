import { type AgreedTexts, sharedLedgers } from "../../base/shared-ledgers.js";
import { parsePasswordHash } from "./parse-password-hash.js";
import type { PasswordEntry } from "./password-entry.js";
import type { PasswordHash } from "./password-hash.js";
import { newSecret, Substitutes } from "./substitutes.js";

/** Sources that are functions, in the order in which they were given: it is the same in all processes of one server. */
let functions = 0;

/**
 * The hashes that are computed for names without one, the same in all processes of a server: how long an answer takes must not
 * tell which names they are, so it takes as long in each process.
 */
export class StandIns {
  readonly #ownSecret = newSecret();
  readonly #substitutes = new Substitutes();
  readonly #exampleName = `example of a password hash, function ${++functions}`;
  #secret: Buffer | undefined;
  #users: ReadonlyMap<string, PasswordEntry> | undefined;
  #hashes: readonly PasswordHash[];

  /** @param example for a source that has no list of its users */
  constructor(example: PasswordHash | undefined) {
    this.#hashes = example === undefined ? [] : [example];
  }

  /**
   * @param users all of them, where the source has a list
   * @param found of the user who logs in
   * @returns rejects where the other processes cannot be asked
   */
  async for(
    username: string,
    users: ReadonlyMap<string, PasswordEntry> | undefined,
    found: PasswordEntry | undefined,
  ): Promise<PasswordHash> {
    const texts = sharedLedgers()?.texts;
    this.#secret ??= texts === undefined ? this.#ownSecret : await agreedSecret(texts, this.#ownSecret);
    if (users === undefined) {
      if (this.#hashes.length === 0) this.#hashes = await this.#example(found, texts);
    } else if (users !== this.#users) {
      this.#users = users;
      this.#hashes = [...users.values()].flatMap(({ hash }) => hash ?? []);
    }
    return this.#substitutes.for(username, this.#hashes, this.#secret);
  }

  /** That of the first user who was found in any process. */
  async #example(found: PasswordEntry | undefined, texts: AgreedTexts | undefined): Promise<readonly PasswordHash[]> {
    if (texts === undefined) return found?.hash === undefined ? [] : [found.hash];
    const text = await texts.agree(this.#exampleName, found?.hash && found.hashText);
    return text === undefined ? [] : [parsePasswordHash(text)];
  }
}

async function agreedSecret(texts: AgreedTexts, proposal: Buffer): Promise<Buffer> {
  return Buffer.from(await texts.agree("secret of password stand-ins", proposal.toString("base64")), "base64");
}

/** Names of texts: a program has a few. */
const MAX_TEXTS = 1000;

/** Texts, each set by the first process that has proposed one. */
export class TextRegister {
  readonly #texts = new Map<string, string>();

  /** @throws {Error} when there are too many */
  agree(name: string, proposal: string | undefined): string | undefined {
    const known = this.#texts.get(name);
    if (known !== undefined || proposal === undefined) return known;
    if (this.#texts.size >= MAX_TEXTS) throw new Error("too many texts are agreed upon");
    this.#texts.set(name, proposal);
    return proposal;
  }
}

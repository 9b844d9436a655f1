/** Texts up to which a set is made larger in place: to double one, JavaScript moves all that it has at once. */
const PART_SIZE = 16_384;

/** A set of any number of texts, none of which takes long to add. */
export class PartedSet {
  #latest = new Set<string>();
  readonly #parts = [this.#latest];

  get isEmpty(): boolean {
    return this.#latest.size === 0;
  }

  add(text: string): void {
    if (this.#latest.size === PART_SIZE) {
      this.#latest = new Set();
      this.#parts.push(this.#latest);
    }
    this.#latest.add(text);
  }

  has(text: string): boolean {
    return this.#parts.some((part) => part.has(text));
  }
}

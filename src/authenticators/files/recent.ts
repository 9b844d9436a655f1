/** The last value for each of some names. The value that was used longest ago is forgotten. */
export class Recent<T> {
  readonly #capacity: number;
  readonly #weigh: (value: T) => number;
  readonly #values = new Map<string, T>();
  #weight = 0;

  /**
   * @param capacity the weight that all values may have together
   * @param weigh by default each weighs 1
   */
  constructor(capacity: number, weigh: (value: T) => number = () => 1) {
    this.#capacity = capacity;
    this.#weigh = weigh;
  }

  get(name: string): T | undefined {
    const value = this.#values.get(name);
    if (value !== undefined) this.set(name, value);
    return value;
  }

  set(name: string, value: T): void {
    this.delete(name);
    this.#values.set(name, value);
    this.#weight += this.#weigh(value);
    for (const oldest of this.#values.keys()) {
      if (this.#weight <= this.#capacity) return;
      this.delete(oldest);
    }
  }

  delete(name: string): void {
    const value = this.#values.get(name);
    if (value === undefined) return;
    this.#values.delete(name);
    this.#weight -= this.#weigh(value);
  }
}

/** The number of something that one client may have, or all clients together. */
export class Places {
  #limit: number;
  readonly #all: Places | undefined;
  #taken = 0;

  /** @param all the places of all clients, of which each that a client takes is one */
  constructor(limit: number, all?: Places) {
    this.#limit = limit;
    this.#all = all;
  }

  /** Those that are taken stay so, also where they are more. */
  set limit(limit: number) {
    this.#limit = limit;
  }

  get taken(): number {
    return this.#taken;
  }

  /** @returns gives the place back, once; `undefined` where none is free */
  take(): (() => void) | undefined {
    if (this.#taken >= this.#limit) return undefined;
    const releaseOfAll = this.#all?.take();
    if (this.#all !== undefined && releaseOfAll === undefined) return undefined;
    this.#taken++;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#taken--;
      releaseOfAll?.();
    };
  }
}

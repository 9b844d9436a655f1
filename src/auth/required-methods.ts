/** Lists of methods. A user has to prove one list whole and in its order (AuthenticationMethods in sshd_config(5)). */
export type MethodLists = readonly (readonly string[])[];

/** The part of such lists that one user has still to prove. */
export class RequiredMethods {
  #lists: MethodLists;

  /** @param lists without any, nobody gets in */
  constructor(lists: MethodLists) {
    this.#lists = lists.filter((list) => list.length > 0);
  }

  /** The methods that may be tried now; `undefined` once a list was proven whole: then any. */
  get next(): readonly string[] | undefined {
    if (this.#lists.some((list) => list.length === 0)) return undefined;
    return [...new Set(this.#lists.flatMap(([first]) => first ?? []))];
  }

  /** Takes note of a method that was proven. Returns whether a list is whole. */
  prove(method: string): boolean {
    if (this.next === undefined) return true;
    this.#lists = this.#lists.map((list) => (list[0] === method ? list.slice(1) : list));
    return this.next === undefined;
  }
}

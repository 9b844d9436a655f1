/** What is said of an object whose class comes from another copy of this library, as npm lays two versions into one tree. */
export const OF_ANOTHER_COPY = "is of another copy of spindlex: `npm ls spindlex` tells where they are";

/** A class, be its constructor private or not. */
interface NamedClass {
  readonly name: string;
  [Symbol.hasInstance](value: unknown): boolean;
}

/**
 * Whether an object belongs to another class of the same name, or to one that extends such a class.
 *
 * @param expected a class of this library
 */
export function isOfAnotherCopy(value: unknown, expected: NamedClass): boolean {
  if (value instanceof expected) return false;
  for (let at = value; typeof at === "object" && at !== null; at = Object.getPrototypeOf(at)) {
    if (at.constructor?.name === expected.name) return true;
  }
  return false;
}

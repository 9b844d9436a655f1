import { checkInteger } from "../base/option-checks.js";
import { FileError } from "./errors.js";

/** Counts bytes against a limit; what is to be stored is reserved before it is. */
export class ByteBudget {
  readonly limit: number;
  readonly #failure: "ENOSPC" | "EDQUOT";
  readonly #changed: ((budget: ByteBudget) => void) | undefined;
  #used = 0;

  /**
   * @param option the name of the option that holds the limit
   * @param limit bytes
   * @param failure the error that the operating system would report when the limit is reached
   * @param changed called whenever more or fewer bytes are used
   * @throws {ConfigurationError} when the limit is not a whole number, 0 or more
   */
  constructor(
    option: string,
    limit: number,
    failure: "ENOSPC" | "EDQUOT",
    changed: ((budget: ByteBudget) => void) | undefined = undefined,
  ) {
    this.limit = checkInteger(option, limit, 0, Number.MAX_SAFE_INTEGER);
    this.#failure = failure;
    this.#changed = changed;
  }

  /** Bytes. */
  get used(): number {
    return this.#used;
  }

  /** Bytes that can still be reserved. */
  get free(): number {
    return Math.max(0, this.limit - this.#used);
  }

  /**
   * @param bytes less than 0 to give some back
   * @throws {FileError} when fewer bytes are left; nothing is reserved then
   */
  reserve(bytes: number): void {
    if (!(bytes <= this.free)) throw new FileError(this.#failure);
    this.#set(this.#used + bytes);
  }

  /** Counts bytes that are there already, even beyond the limit. */
  charge(bytes: number): void {
    this.#set(this.#used + bytes);
  }

  release(bytes: number): void {
    this.#set(Math.max(0, this.#used - bytes));
  }

  #set(used: number): void {
    this.#used = used;
    this.#changed?.(this);
  }
}

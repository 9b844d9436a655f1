import type { Check } from "./message-checks.js";

/** Something that one process asks another: both sides import the same object. */
export interface Operation<Request, Answer> {
  readonly name: string;
  readonly request: Check<Request>;
  readonly answer: Check<Answer>;
}

/** Something that one process tells another, which does not answer. */
export interface Notice<Value> {
  readonly name: string;
  readonly value: Check<Value>;
}

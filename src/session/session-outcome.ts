import { types } from "node:util";
import { kindOf, shown } from "../base/option-checks.js";
import { checkExitStatus } from "./exit-error.js";
import type { ProgramEnd } from "./program-end.js";

/**
 * The outcome that a handler's result stands for.
 *
 * @throws {TypeError} and {RangeError} for a result that is not a status
 */
export function outcomeOf(result: unknown): ProgramEnd {
  if (result === undefined) return { status: 0 };
  if (typeof result === "number") return { status: checkExitStatus(result) };
  if (typeof result === "object" && result !== null && !types.isProxy(result)) {
    if ("status" in result && typeof result.status === "number") return { status: checkExitStatus(result.status) };
    if ("signal" in result && typeof result.signal === "string") {
      const coreDumped = "coreDumped" in result && result.coreDumped === true;
      return { signal: checkSignalName(result.signal), ...(coreDumped && { coreDumped }) };
    }
  }
  throw new TypeError(`a session returns an exit status or nothing, not ${kindOf(result)}`);
}

/**
 * @returns the name without SIG
 * @throws {TypeError} when it cannot be the name of a signal (RFC 4254 §6.10)
 */
export function checkSignalName(name: string): string {
  if (typeof name === "string" && /^[\w.+-]{1,64}(@[\w.-]{1,64})?$/.test(name)) return name.replace(/^SIG/, "");
  throw new TypeError(`a signal has a name such as TERM, not ${shown(name)}`);
}

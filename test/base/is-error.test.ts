import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { isError, messageOf } from "../../src/base/is-error.js";
import { systemErrorCode } from "../../src/base/system-error-code.js";

const foreign = runInNewContext(`Object.assign(new Error("no such file"), { code: "ENOENT" })`);

describe("an error", () => {
  it("of another context is one", () => {
    expect(foreign).not.toBeInstanceOf(Error);
    expect(isError(foreign)).toBe(true);
    expect(messageOf(foreign)).toBe("no such file");
    expect(systemErrorCode(foreign)).toBe("ENOENT");
  });

  it.each([
    new (class extends TypeError {})(),
    Object.create(new Error("inherited")),
    AbortSignal.abort().reason,
    runInNewContext("new (class Own extends RangeError {})()"),
  ])("is one: %#", (error) => {
    expect(isError(error)).toBe(true);
  });

  it.each([
    undefined,
    null,
    "Error",
    {},
    { name: "Error", message: "no stack" },
    new Proxy(new Error(), {}),
    new Proxy(
      {},
      {
        getPrototypeOf() {
          throw new Error("trap");
        },
      },
    ),
    Object.defineProperty({}, "name", {
      get() {
        throw new Error("getter");
      },
    }),
  ])("is none: %#", (other) => {
    expect(isError(other)).toBe(false);
  });
});

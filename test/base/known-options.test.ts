import { describe, expect, it } from "vitest";
import { checkKnownOptions } from "../../src/base/known-options.js";

describe("checkKnownOptions", () => {
  const check = (options: object) => () => checkKnownOptions<{ a?: 1; b?: 2 }>(options, ["a", "b"]);

  it("takes some, all or none", () => {
    for (const options of [{}, { a: 1 }, { b: 2, a: undefined }]) expect(check(options)).not.toThrow();
  });

  it.each(["A", "aa", "", "__proto__", "constructor"])("refuses %j", (name) => {
    expect(
      check(
        Object.fromEntries([
          ["a", 1],
          [name, 1],
        ]),
      ),
    ).toThrow(expect.objectContaining({ name: "ConfigurationError", option: name }));
  });
});

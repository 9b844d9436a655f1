import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../../src/base/configuration-error.js";
import {
  checkChoice,
  checkFlag,
  checkFunction,
  checkInteger,
  checkMethods,
  checkNumber,
  checkOptions,
  checkText,
} from "../../src/base/option-checks.js";

describe("options", () => {
  const check = (options: unknown, option?: string) => () =>
    checkOptions<{ access?: 1; rootPath?: 2 }>(options as object, ["access", "rootPath"], option);

  it("may be some, all or none, and come from a class", () => {
    class Options {
      get access() {
        return 1 as const;
      }
      helper() {}
    }
    for (const options of [{}, { access: 1 }, { rootPath: 2, access: undefined }, new Options(), Object.create(null)]) {
      expect(check(options)).not.toThrow();
    }
  });

  it.each([
    ["acess", "acess: is not an option (did you mean access?); there are access, rootPath"],
    ["root_path", "root_path: is not an option (did you mean rootPath?); there are access, rootPath"],
    ["Access", "Access: is not an option (did you mean access?); there are access, rootPath"],
    ["policy", "policy: is not an option; there are access, rootPath"],
    ["", ": is not an option; there are access, rootPath"],
    ["__proto__", "__proto__: is not an option; there are access, rootPath"],
    ["constructor", "constructor: is not an option; there are access, rootPath"],
  ])("have no other name: %j", (name, message) => {
    const options = Object.fromEntries([
      ["access", 1],
      [name, undefined],
    ]);
    const error = expect.objectContaining({ name: "ConfigurationError", option: name, message });
    expect(check(options)).toThrow(error);
    expect(check(options, "files")).toThrow(expect.objectContaining({ option: `files.${name}` }));
  });

  it("have no other name by way of a prototype", () => {
    expect(check(Object.create({ acess: 1 }))).toThrow("acess: is not an option");
  });

  it("are not null, which could be taken for a default", () => {
    expect(check({ access: null })).toThrow("access: must not be null: leave it out instead");
    expect(check({ access: null }, "files")).toThrow("files.access: must not be null: leave it out instead");
  });

  it.each([
    [undefined, "undefined"],
    [null, "null"],
    ["secret", "a text"],
    [5, "a number"],
    [[], "a list"],
    [() => {}, "a function"],
  ])("are an object, and what is not is not shown: %j", (odd, kind) => {
    expect(check(odd)).toThrow(
      new ConfigurationError("options", `must be an object with access, rootPath, not ${kind}`),
    );
    expect(check(odd, "files")).toThrow(
      new ConfigurationError("files", `must be an object with access, rootPath, not ${kind}`),
    );
  });
});

describe("values of options", () => {
  it.each([checkNumber, checkInteger])(
    "of which a number is wanted may be no text that looks like one: %o",
    (check) => {
      expect(check("port", 22, 0, 65_535)).toBe(22);
      for (const [odd, text] of [
        ["22", '"22"'],
        [65_536, "65536"],
        [22n, "22"],
        [Number.NaN, "NaN"],
        [undefined, "undefined"],
        [Object.create(null), "an object"],
      ]) {
        expect(() => Reflect.apply(check, undefined, ["port", odd, 0, 65_535])).toThrow(
          `port: must be a number from 0 to 65535, not ${text}`,
        );
      }
    },
  );

  it.each<[check: (...parameters: never[]) => unknown, good: unknown, message: string, more?: unknown]>([
    [checkFlag, false, "must be true or false, not 1"],
    [checkFunction, () => 1, "must be a function, not a number"],
    [checkText, "", "must be a text, not a number"],
    [checkChoice, "a", "must be one of a, b, not 1", ["a", "b"]],
    [checkMethods, { a: () => 1, b: () => 1 }, "must be an object with the methods a, b, not a number", ["a", "b"]],
  ])("are of the kind that is wanted: %o", (check, good, message, more) => {
    const call = (value: unknown) => () => Reflect.apply(check, undefined, ["name", value, more]);
    expect(call(good)()).toBe(good);
    expect(call(1)).toThrow(new ConfigurationError("name", message));
  });

  it("are named as they were given", () => {
    expect(() => checkInteger("port", 1.5, 0, 2)).toThrow("port: must be an integer, not 1.5");
    expect(() => Reflect.apply(checkChoice, undefined, ["overflow", "deny", ["a", "b"]])).toThrow(
      'overflow: must be one of a, b, not "deny"',
    );
  });

  it("may have their methods from anywhere, and all of them", () => {
    class Base {
      a() {}
    }
    class Derived extends Base {
      b = () => {};
    }
    expect(() => checkMethods("name", new Derived(), ["a", "b"])).not.toThrow();
    expect(() => checkMethods<{ a(): void; b?(): void }>("name", new Base(), ["a", "b"])).toThrow(
      "name: has no method b",
    );
  });
});

import { describe, expect, it } from "vitest";
import { requireMethods } from "../../src/authenticators/require-methods.js";
import { ConfigurationError } from "../../src/base/configuration-error.js";
import { fakeConnection } from "../connection/fake-connection.js";

const lists = [
  ["publickey", "password"],
  ["publickey", "keyboard-interactive"],
];

describe("requireMethods", () => {
  it("requires the same of everybody, and what the lists are later does not matter", async () => {
    const given = structuredClone(lists);
    const required = requireMethods(given);
    given.push(["password"]);
    given[0]?.pop();
    expect(await required("ann", fakeConnection())).toEqual(lists);
  });

  it("asks a function for each user", async () => {
    const required = requireMethods(async (username) => (username === "ann" ? lists : undefined));
    expect(await required("ann", fakeConnection())).toEqual(lists);
    expect(await required("bob", fakeConnection())).toBeUndefined();
  });

  it.each([[[]], [[[]]], [[["publickey", "pasword"]]], [["publickey"]], [["publickey,password"]], [null], ["any"]])(
    "refuses %j",
    async (unusable) => {
      expect(() => Reflect.apply(requireMethods, undefined, [unusable])).toThrow(ConfigurationError);
      const asked: unknown = Reflect.apply(requireMethods, undefined, [() => unusable]);
      if (typeof asked !== "function") throw new Error("unreachable");
      await expect(asked("ann", fakeConnection())).rejects.toThrow(ConfigurationError);
    },
  );

  it("says what lists of methods look like", () => {
    for (const flat of [["publickey", "password"], "publickey,password", []]) {
      expect(() => Reflect.apply(requireMethods, undefined, [flat])).toThrow('such as [["publickey", "password"]]');
    }
  });
});

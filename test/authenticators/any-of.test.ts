import { describe, expect, it } from "vitest";
import { anyOf } from "../../src/authenticators/any-of.js";
import { ConfigurationError } from "../../src/base/configuration-error.js";
import { Grant } from "../../src/index.js";
import { AUTH_FAILED, AUTH_PARTIAL, AUTH_SUCCESSFUL } from "../../src/protocol/constants.js";

describe("anyOf", () => {
  const refuse = () => AUTH_FAILED;
  const fail = () => {
    throw new Error("no database");
  };

  it.each([AUTH_SUCCESSFUL, AUTH_PARTIAL, new Grant()])(
    "takes the first decision that lets in: %o",
    async (decision) => {
      expect(await anyOf(refuse, async () => decision, fail)()).toBe(decision);
    },
  );

  it("refuses when nobody lets in, and takes nothing else for a decision", async () => {
    expect(await anyOf()()).toBe(AUTH_FAILED);
    expect(await anyOf(refuse, async () => AUTH_FAILED)()).toBe(AUTH_FAILED);
    for (const odd of [true, undefined, "yes", { result: AUTH_SUCCESSFUL }]) {
      await expect(anyOf(() => odd as unknown as Grant, refuse)()).rejects.toThrow(
        new TypeError("1 of 2 hooks gave something that is not a decision"),
      );
      expect(
        await anyOf(
          () => odd as unknown as Grant,
          () => AUTH_SUCCESSFUL,
        )(),
      ).toBe(AUTH_SUCCESSFUL);
    }
  });

  it("loads what can be loaded, one after the other", async () => {
    const loaded: number[] = [];
    const loadable = (number: number) =>
      Object.assign(() => AUTH_FAILED, { load: async () => void loaded.push(number) });
    await anyOf(loadable(1), refuse, anyOf(loadable(2))).load();
    expect(loaded).toEqual([1, 2]);
    const broken = Object.assign(() => AUTH_FAILED, { load: () => Promise.reject(new Error("no file")) });
    await expect(anyOf(loadable(3), broken).load()).rejects.toThrow("no file");
  });

  it("takes functions only", () => {
    for (const odd of [undefined, null, {}, "authorizedKeys"]) {
      expect(() => Reflect.apply(anyOf, undefined, [refuse, odd])).toThrow(ConfigurationError);
    }
  });

  it("lets nobody in when one throws", async () => {
    await expect(anyOf(fail, () => AUTH_SUCCESSFUL)()).rejects.toThrow("no database");
  });

  it("gives each what it was given", async () => {
    const seen: unknown[] = [];
    const hook = anyOf((username: string, key: number) => {
      seen.push(username, key);
      return AUTH_FAILED;
    });
    await hook("ann", 1);
    expect(seen).toEqual(["ann", 1]);
  });
});

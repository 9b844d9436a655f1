import { describe, expect, it } from "vitest";
import { checkHookNames } from "../../src/base/hook-names.js";

class Base {
  checkAuthPassword() {}
  checkAuthPublickey() {}
  getBanner() {}
}

/** The lines that are logged about an object of a class. */
function warnings(object: object): unknown[] {
  const lines: unknown[] = [];
  checkHookNames("serverInterface", object, Base, { warn: (fields) => lines.push(fields) });
  return lines;
}

const own = (name: string, value: unknown) => Object.assign(new Base(), { [name]: value });
const inherited = (name: string) => {
  class Derived extends Base {}
  Object.defineProperty(Derived.prototype, name, { value: () => {}, configurable: true });
  class Further extends Derived {}
  return new Further();
};

describe("names of methods in a subclass", () => {
  it.each([
    ["checkAuthPublicKey", "checkAuthPublickey"],
    ["check_auth_password", "checkAuthPassword"],
    ["CHECKAUTHPASSWORD", "checkAuthPassword"],
    ["getbanner", "getBanner"],
    ["_getBanner", "getBanner"],
  ])("that are another form of a hook's are refused: %s", (method, hook) => {
    for (const object of [own(method, () => {}), inherited(method)]) {
      expect(() => warnings(object)).toThrow(
        expect.objectContaining({
          name: "ConfigurationError",
          option: "serverInterface",
          message: `serverInterface: has a method ${method}, which nothing calls; the hook is named ${hook}`,
        }),
      );
    }
  });

  it.each([
    ["checkAuthPasswrd", "checkAuthPassword"],
    ["checkAuthPasswd", "checkAuthPassword"],
    ["check_auth_pasword", "checkAuthPassword"],
    ["getBaner", "getBanner"],
    ["getBanners", "getBanner"],
  ])("that are up to two letters from a hook's are logged: %s", (method, hook) => {
    for (const object of [own(method, () => {}), inherited(method)]) {
      expect(warnings(object)).toEqual([{ method, hook }]);
    }
  });

  it.each([
    ["checkPassword", { hook: "checkAuthPassword" }],
    ["check_public_key", { hook: "checkAuthPublickey" }],
    ["getRequiredBanners", { hook: "getBanner" }],
    ["checkPortForwardingRequest", {}],
    ["checkQuota", {}],
    ["onAuthenticationSuccess", { hook: "checkAuthPassword" }],
  ])("that are formed as a hook's are logged, with the hook that is like them: %s", (method, hook) => {
    for (const object of [own(method, () => {}), inherited(method)]) {
      expect(warnings(object)).toEqual([{ method, ...hook }]);
    }
  });

  it("must not hide a hook behind anything but a method", () => {
    expect(() => warnings(own("checkAuthPassword", true))).toThrow("checkAuthPassword must be a method");
  });

  it("count where they are accessors", () => {
    class Derived extends Base {
      get getbanner() {
        return () => {};
      }
    }
    expect(() => warnings(new Derived())).toThrow("the hook is named getBanner");
  });

  it("are free otherwise", () => {
    class Derived extends Base {
      readonly getBaner = "no method";
      override checkAuthPassword() {
        this.#getBaner();
        this._getBaner();
      }
      // The hook is there: these are not it.
      checkAuthPasswords() {}
      _checkAuthPassword() {}
      checkAuthPasswordInDatabase() {}
      checkedIn() {}
      close() {}
      _getBaner() {}
      #getBaner() {}
      override getBanner = () => {};
    }
    expect(warnings(new Derived())).toEqual([]);
    expect(warnings(new Base())).toEqual([]);
  });

  it("are refused even where the hook is there, but for a private one", () => {
    class Derived extends Base {
      override checkAuthPassword() {}
      check_auth_password() {}
    }
    expect(() => warnings(new Derived())).toThrow("has a method check_auth_password");
  });
});

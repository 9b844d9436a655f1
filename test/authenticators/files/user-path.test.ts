import { resolve } from "node:path/posix";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { userPath } from "../../../src/authenticators/files/user-path.js";
import { ConfigurationError } from "../../../src/index.js";

describe("userPath", () => {
  it("puts the name of the user in", () => {
    expect(userPath("file", "/keys/%u")("ann")).toBe("/keys/ann");
    expect(userPath("file", "/%u/keys/%u.pub")("ann")).toBe("/ann/keys/ann.pub");
    expect(userPath("file", "/50%%/%u/%%u")("ann")).toBe("/50%/ann/%u");
    expect(userPath("file", "/keys")("../ann")).toBe("/keys");
    expect(userPath("file", "/%%u")("../ann")).toBe("/%u");
  });

  it("takes a name for what it is, whatever it holds", () => {
    for (const name of ["$&", "$1", "%u", "%%", "a b", "josé", "a.b", "a-b", "用户"]) {
      expect(userPath("file", "/keys/%u")(name)).toBe(`/keys/${name}`);
    }
  });

  it.each([
    "",
    ".",
    "..",
    "/",
    "a/b",
    "../a",
    "a/..",
    "/etc/passwd",
    "-a",
    ".a",
    "a\0",
    "a\nb",
    "a\\b",
    "C:a",
    "\ud800",
    "é".repeat(128),
  ])("has no path for the name %j", (name) => expect(userPath("file", "/keys/%u")(name)).toBeUndefined());

  it("never leads out of the folder", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(".", "/", "-", "a", "%", "u", "\\", " ", "\0") }), (name) => {
        const path = userPath("file", "/keys/%u")(name);
        if (path !== undefined) expect(resolve(path)).toBe(`/keys/${name}`);
      }),
    );
  });

  it.each(["", "/keys/%h", "/keys/%", "/keys/%%%", "/keys/%d/%u", "a\0b"])("refuses the path %j", (pattern) => {
    expect(() => userPath("file", pattern)).toThrow(ConfigurationError);
  });
});

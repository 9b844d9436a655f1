import { describe, expect, it } from "vitest";
import { resolveTotpParameters } from "../../../src/authenticators/totp/totp-options.js";
import { ConfigurationError } from "../../../src/base/configuration-error.js";

describe("resolveTotpParameters", () => {
  it("has what apps expect", () => {
    expect(resolveTotpParameters({})).toEqual({ algorithm: "sha1", digits: 6, period: 30 });
    const others = { algorithm: "sha512", digits: 8, period: 60 } as const;
    expect(resolveTotpParameters(others)).toEqual(others);
  });

  it.each([
    [{ algorithm: "md5" }, 'algorithm: must be one of sha1, sha256, sha512, not "md5"'],
    [{ digits: 5 }, "digits: must be a number from 6 to 8, not 5"],
    [{ digits: 9 }, "digits"],
    [{ digits: 6.5 }, "digits"],
    [{ digits: "6" }, "digits"],
    [{ period: 14 }, "period: must be a number from 15 to 120, not 14"],
    [{ period: 121 }, "period"],
    [{ period: Number.NaN }, "period"],
  ])("refuses %j", (options, message) => {
    expect(() => resolveTotpParameters(options as never)).toThrow(ConfigurationError);
    expect(() => resolveTotpParameters(options as never)).toThrow(message);
  });
});

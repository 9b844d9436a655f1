import { describe, expect, it } from "vitest";
import { type FileOptions, resolveFileOptions } from "../../../src/authenticators/files/file-options.js";
import { ConfigurationError } from "../../../src/index.js";

describe("resolveFileOptions", () => {
  it("is strict, and takes the size that fits the kind of file", () => {
    expect(resolveFileOptions({}, 1000)).toMatchObject({ maxFileSize: 1000, strictModes: true });
    expect(resolveFileOptions({ maxFileSize: 1, strictModes: false }, 1000)).toMatchObject({
      maxFileSize: 1,
      strictModes: false,
    });
  });

  it.each([
    ["maxFileSize", [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "1", 2 ** 53]],
    ["strictModes", ["on", "off", "", 0, 1]],
    ["logger", [null, console.log, "console", { warn: console.warn, error: console.error }]],
  ])("refuses another %s", (name, values) => {
    for (const value of values) {
      const options = { [name]: value } as FileOptions;
      expect(() => resolveFileOptions(options, 1000)).toThrow(ConfigurationError);
      expect(() => resolveFileOptions(options, 1000)).toThrow(name);
    }
  });
});

import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it, vi } from "vitest";
import type { Logger } from "../../src/index.js";
import { temporaryFolder } from "../support/tools.js";

const folder = temporaryFolder();

/** The logger of the page, as its readers have it. */
async function documentedLogger(): Promise<Logger> {
  const page = readFileSync(resolve(import.meta.dirname, "../../docs/errors-and-logging.md"), "utf8");
  const [, code = ""] = /^```ts\n([^`]*JSON\.stringify[^`]*)^```$/m.exec(page) ?? [];
  const file = join(folder, "json-logger.ts");
  writeFileSync(file, code);
  return ((await import(file)) as { readonly logger: Logger }).logger;
}

describe("the JSON logger of the page on logging", () => {
  it("shows an error with its stack and its causes", async () => {
    const logger = await documentedLogger();
    const written = vi.spyOn(console, "error").mockImplementation(() => {});
    try {
      const cause = new TypeError("no database");
      logger.error({ hook: "checkAuthPassword", err: new Error("broken", { cause }) }, "a hook has failed");
      logger.debug({}, "not written");
      expect(written).toHaveBeenCalledOnce();
      const [line] = written.mock.calls[0] ?? [];
      expect(JSON.parse(line)).toEqual({
        time: expect.any(String),
        level: "error",
        message: "a hook has failed",
        hook: "checkAuthPassword",
        err: {
          name: "Error",
          message: "broken",
          stack: expect.stringContaining("json-logger.test"),
          cause: { name: "TypeError", message: "no database", stack: expect.stringMatching(/\n +at /) },
        },
      });
    } finally {
      written.mockRestore();
    }
  });
});

import { resolveLogger, writingInfo } from "../../src/base/logger.js";

// Says some lines and then, when its standard error is closed, more of them; its exit status tells whether it has lived on.

const logger = resolveLogger(undefined);
logger.debug({}, "a debug line");
logger.info({}, "an info line");
logger.warn({ hook: "checkOne" }, "a warning");
logger.error({ err: new Error("broken") }, "an error");
for (let line = 0; line < 100; line++) logger.error({ hook: "checkTwo" }, "again and again");
for (let line = 0; line < 100; line++) writingInfo(logger).info({}, "asked for");
for (const level of ["debug", "info", "warn", "error"] as const) {
  const asked = resolveLogger(level);
  for (const name of ["debug", "info", "warn", "error"] as const) asked[name]({}, `from ${level} on`);
}
for (let line = 0; line < 100; line++) resolveLogger("info").info({}, "all of them");
process.stdout.write("said\n");
process.stdin.once("data", () => {
  for (let line = 0; line < 10; line++) logger.error({ line }, "nobody reads this");
  // Not `exit`, which would not wait for lines that the pipe had no room for.
  process.exitCode = 7;
});

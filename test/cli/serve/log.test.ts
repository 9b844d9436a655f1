import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { builtFile } from "../../support/build.js";

const MODULE = builtFile("src/cli/serve/log.ts");

/** What is on the terminal of somebody who runs `script`, which has `logger`. */
async function logged(format: "json" | "text", script: string): Promise<string> {
  const program = `import { createLog } from ${JSON.stringify(MODULE)};
    const logger = createLog({ level: "info", format: ${JSON.stringify(format)} });
    ${script}`;
  const { stderr } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
  return stderr;
}

const HOSTILE = String.raw`a\u001b[2J\u009b1m\r\b\u0000\u0007\u202e\u2028b`;
const CONTROLS = /[^\P{Cc}\n]|[\u2028-\u202e\u2066-\u2069]/u;

describe("createLog", () => {
  it("leaves nothing in a text that moves a cursor or turns a line round, wherever it stands", async () => {
    const text = await logged(
      "text",
      `logger.info({ username: "${HOSTILE}", key: { keyId: "${HOSTILE}" } }, "one ${HOSTILE}");
       logger.error({ err: new Error("two ${HOSTILE}", { cause: new Error("three ${HOSTILE}") }) }, "x");`,
    );
    for (const word of ["one", "two", "three"]) expect(text).toContain(word);
    expect(text).not.toMatch(CONTROLS);
  });

  it("keeps what is not a control, backslashes and the lines of a stack", async () => {
    const text = await logged("text", String.raw`logger.error({ err: new Error("C:\\bin\\run\\u001b ü") }, "x");`);
    expect(text).toContain(String.raw`"Error: C:\\bin\\run\\u001b ü"`);
    expect(text).toMatch(/\n +at /);
  });

  it("writes what is at its level or above, with the fields that all lines have", async () => {
    const script = `logger.debug({}, "no"); logger.child({ a: 1 }).child({ b: 2n }).warn({ c: 3 }, "yes")`;
    const line = JSON.parse(await logged("json", script));
    expect(line).toEqual({ level: 40, time: expect.any(Number), a: 1, b: "2", c: 3, msg: "yes" });
    expect(await logged("text", script)).toMatch(/^\S+Z warn yes a=1 b=2 c=3\n$/);
  });

  it("writes errors as JSON with their code, stack and cause", async () => {
    const script = `const cause = new Error("inner");
      logger.error({ err: Object.assign(new TypeError("outer", { cause }), { code: "EX" }) }, "x");`;
    const { err } = JSON.parse(await logged("json", script));
    expect(err).toMatchObject({ type: "TypeError", message: "outer", code: "EX", cause: { message: "inner" } });
    expect(err.stack).toMatch(/\n +at /);
  });

  it("writes JSON as it is", async () => {
    const line = await logged("json", `logger.info({ username: "${HOSTILE}" }, "x");`);
    expect(JSON.parse(line)).toMatchObject({ username: JSON.parse(`"${HOSTILE}"`), msg: "x" });
  });
});

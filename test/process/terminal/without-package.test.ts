import Module from "node:module";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { sessionFixture } from "../../session/session-fixture.js";

const loading = Module as unknown as { _load(request: string, ...rest: unknown[]): unknown };

describe("a server without the package for terminals", () => {
  const { handle, exec, logged } = sessionFixture();
  let failure: Error;

  beforeAll(() => {
    const load = loading._load;
    vi.spyOn(loading, "_load").mockImplementation(function (this: unknown, request, ...rest) {
      if (request.startsWith("@lydell/node-pty")) throw failure;
      return load.call(this, request, ...rest);
    });
  });

  afterAll(() => {
    vi.restoreAllMocks();
  });

  it.each([
    ["in one line", "reason", Object.assign(new Error("Cannot find module in /secret"), { code: "MODULE_NOT_FOUND" })],
    ["and why what is there does not help", "err", new Error("the binary in /secret is for another system")],
  ])("tells the client that there are no terminals, and its operator what to run, %s", async (_, field, error) => {
    failure = error;
    handle((session) => session.run(["tty"]));
    expect(await exec("any", { pty: true })).toMatchObject({
      status: 126,
      stdout: "this server cannot give programs a terminal\r\n",
    });
    const { fields } = await logged("warn", "a program could not be started");
    expect(String(fields[field])).toContain("npm install @lydell/node-pty");
  });
});

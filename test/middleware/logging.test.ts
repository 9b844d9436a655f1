import { describe, expect, it } from "vitest";
import { logging } from "../../src/index.js";
import { sessionFixture } from "../session/session-fixture.js";

describe("logging", () => {
  const fixture = sessionFixture({ middleware: [logging()] });
  const { handle, exec, log } = fixture;
  const lines = () => log.filter(({ message }) => message.startsWith("a session"));

  it("writes a line at the start and at the end of a session", async () => {
    handle(async ({ stdin, stdout, stderr }) => {
      for await (const chunk of stdin) stdout.write(chunk);
      stderr.write("errors");
      return 4;
    });
    await fixture.run("put \u001b[2J thing", { input: Buffer.alloc(100_000) });
    await fixture.logged("info", "a session has ended");
    const whose = { connection: expect.any(Number), username: "ann", remoteAddress: "127.0.0.1", channel: 0 };
    const asked = { ...whose, kind: "exec", command: "put \\u{1b}[2J thing" };
    expect(lines()).toMatchObject([
      { level: "info", message: "a session has begun", fields: asked },
      {
        level: "info",
        message: "a session has ended",
        fields: { ...asked, status: 4, seconds: expect.any(Number), bytesReceived: 100_000, bytesSent: 100_006 },
      },
    ]);
  });

  it("has the outcome of a handler that throws, and does not write what it throws", async () => {
    handle(() => Promise.reject(new Error("broken")));
    await exec("any");
    expect(lines().map(({ level, fields }) => [level, fields.status])).toEqual([
      ["info", undefined],
      ["info", 1],
      ["error", undefined],
    ]);
  });

  it("has the signal of a program that one has ended, and cuts long commands", async () => {
    handle(() => ({ signal: "KILL" }));
    await exec("x".repeat(10_000));
    const [, end] = lines();
    expect(end?.fields).toMatchObject({ signal: "KILL" });
    expect(String(end?.fields.command).length).toBeLessThan(5_000);
  });
});

import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import { finished } from "node:stream/promises";
import { describe, expect, it } from "vitest";
import type { Session } from "../../../src/index.js";
import { commandEnd, openCommand, sessionFixture } from "../session-fixture.js";

const PTY = { term: "xterm", cols: 80, rows: 24 };

/** The terminal of a session, which has one. */
function terminalOf({ terminal }: Session) {
  if (terminal === undefined) throw new Error("there is a terminal");
  return terminal;
}

describe("the terminal of a session", () => {
  const fixture = sessionFixture();
  const { handle, connect } = fixture;

  it("is not there where the client has asked for none", async () => {
    handle(({ terminal, stdout }) => void stdout.write(`${terminal}\n`));
    expect(await fixture.exec("any")).toMatchObject({ stdout: "undefined\n" });
  });

  it("has the latest of 10,000 sizes, and few of the others", async () => {
    let resizes = 0;
    handle(async (session) => {
      const { input, output } = terminalOf(session);
      output.on("resize", () => resizes++);
      await once(input, "data");
      return output.columns === 10_000 && output.rows === 24 ? 0 : 1;
    });
    using client = await connect();
    const channel = await openCommand(client, "any", { pty: PTY });
    for (let count = 0; count < 10_000; count++) channel.setWindow(0, 2 ** 32 - 1 - count, 0, 0);
    channel.write("\r");
    expect(await commandEnd(channel)).toMatchObject({ status: 0 });
    expect(resizes).toBeLessThan(1000);
  });

  it("bears a client that types without end and without newlines", async () => {
    handle(async (session) => {
      const { input } = terminalOf(session);
      let read = 0;
      for await (const line of input) read += line.length;
      return read === 4096 ? 0 : 1;
    });
    using client = await connect();
    const channel = await openCommand(client, "any", { pty: PTY });
    const ended = commandEnd(channel);
    const piece = Buffer.alloc(64 * 1024, "x");
    for (let count = 0; count < 160; count++) if (!channel.write(piece)) await once(channel, "drain");
    channel.write("\r\u0004");
    const { status, stdout } = await ended;
    expect(status).toBe(0);
    expect(stdout.replaceAll("\u0007", "")).toBe(`${"x".repeat(4095)}\r\n`);
  });

  it("ends questions and output when the client goes", async () => {
    let outcome: unknown;
    handle(async (session) => {
      const { input, output } = terminalOf(session);
      const questions = createInterface({ input, output });
      const question = questions.question("name? ", { signal: session.signal });
      outcome = await question.catch((error: Error) => error.name);
      await finished(output).catch(() => {});
      output.write("too late");
      terminalOf(session).restore();
    });
    const client = await connect();
    const channel = await openCommand(client, "any", { pty: PTY });
    await once(channel, "data");
    client[Symbol.dispose]();
    await once(client, "close");
    await fixture.server.close({ grace: 5 });
    expect(outcome).toBe("AbortError");
    expect(fixture.log.filter(({ level }) => level === "error" || level === "warn")).toEqual([]);
  });
});

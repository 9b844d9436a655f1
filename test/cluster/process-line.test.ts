import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { nothing } from "../../src/cluster/calls/message-checks.js";
import type { Operation } from "../../src/cluster/calls/operation.js";
import { MAX_CALLS, ProcessLine } from "../../src/cluster/calls/process-line.js";
import { builtFile } from "../support/build.js";
import { ABANDONED, COUNT, COUNTED, DOUBLE, FAIL, GO, GREET, LATER, LIE, MISBEHAVE, WAIT } from "./line-process.js";

const NEVER: Operation<undefined, undefined> = { name: "never", request: nothing, answer: nothing };

function start(): { child: ChildProcess; line: ProcessLine; warnings: object[] } {
  const child = fork(builtFile("test/cluster/line-process.ts"));
  onTestFinished(() => void child.kill("SIGKILL"));
  const warnings: object[] = [];
  const line = new ProcessLine(child, { peer: "the child", logger: { warn: (fields) => void warnings.push(fields) } });
  return { child, line, warnings };
}

describe("a line between two processes", () => {
  it("answers calls, many at a time, and hears notices in order with them", async () => {
    const { line } = start();
    expect(await line.call(DOUBLE, 21)).toBe(42);
    const many = Array.from({ length: MAX_CALLS }, (_, value) => line.call(DOUBLE, value));
    expect(await Promise.all(many)).toEqual(many.map((_, value) => 2 * value));
    for (let count = 0; count < 100; count++) expect(line.notify(COUNT, count)).toBe(true);
    expect(await line.call(COUNTED, undefined)).toBe(100);
  });

  it("tells how a call fails", async () => {
    const { line, warnings } = start();
    const failure = (call: Promise<unknown>) =>
      call.then(() => "none").catch((error) => error.failure ?? error.message);
    expect(await failure(line.call(FAIL, undefined))).toBe("failed");
    expect(await failure(line.call(NEVER, undefined))).toBe("failed");
    expect(await failure(line.call(LIE, undefined))).toBe("malformed");
    expect(await failure(line.call(WAIT, 60_000, { seconds: 0.05 }))).toBe("late");
    expect(await failure(line.call(WAIT, 60_000, { signal: AbortSignal.abort(new Error("left")) }))).toBe("left");
    const abort = new AbortController();
    const call = failure(line.call(WAIT, 60_000, { signal: abort.signal }));
    abort.abort(new Error("has left"));
    expect(await call).toBe("has left");
    expect(await line.call(ABANDONED, undefined)).toBe(2);
    expect(warnings).toEqual([]);
  });

  it("gives a late answer to the function that takes it back", async () => {
    const { line } = start();
    const late = new Promise((resolve) => {
      line.call(WAIT, 100, { seconds: 0.01, late: resolve }).catch(() => {});
    });
    expect(await late).toBe("waited");
  });

  it("lets only so many calls wait, those that nobody waits for among them", async () => {
    const { line } = start();
    const call = () => line.call(LATER, undefined, { seconds: 0.02 }).catch(() => {});
    const waiting = Array.from({ length: MAX_CALLS }, call);
    await expect(line.call(DOUBLE, 1)).rejects.toMatchObject({ failure: "busy" });
    await Promise.all(waiting);
    await expect(line.call(DOUBLE, 1)).rejects.toMatchObject({ failure: "busy" });
    line.notify(GO, undefined);
    await vi.waitFor(async () => expect(await line.call(DOUBLE, 1)).toBe(2), 10_000);
  });

  it("fails all calls, and those to come, when the channel is gone", async () => {
    for (const end of [({ child }) => child.kill("SIGKILL"), ({ line }) => line.notify(MISBEHAVE, "leave")] as ((
      started: ReturnType<typeof start>,
    ) => void)[]) {
      const started = start();
      const { line, warnings } = started;
      await line.call(DOUBLE, 1);
      const call = line.call(WAIT, 60_000);
      end(started);
      await expect(call).rejects.toMatchObject({ failure: "gone" });
      expect(line.signal.aborted).toBe(true);
      await expect(line.call(DOUBLE, 1)).rejects.toMatchObject({ failure: "gone" });
      expect(line.notify(COUNT, 1)).toBe(false);
      expect(warnings).toEqual([]);
    }
  });

  it("hands a socket over", async () => {
    const { line } = start();
    const server = createServer();
    onTestFinished(() => void server.close());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const client = connect(port, "127.0.0.1");
    const [socket] = (await once(server, "connection")) as [Socket];
    const outcome = new Promise((resolve) => expect(line.hand(GREET, { word: "you" }, socket, resolve)).toBe(true));
    expect(await outcome).toBe("arrived");
    socket.destroy();
    expect(await text(client)).toBe("hello you");
  });

  it("goes on where a socket is closed before it could be handed over", async () => {
    const { child, line, warnings } = start();
    const server = createServer();
    onTestFinished(() => void server.close());
    const sockets: Socket[] = [];
    server.on("connection", (socket) => sockets.push(socket)).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const clients = [1, 2, 3].map(() => connect(port, "127.0.0.1"));
    onTestFinished(() => clients.forEach((client) => void client.destroy()));
    while (sockets.length < clients.length) await once(server, "connection");
    await line.call(DOUBLE, 1);
    child.kill("SIGSTOP");
    const outcomes: string[] = [];
    for (const socket of sockets) expect(line.hand(COUNT, 1, socket, (outcome) => outcomes.push(outcome))).toBe(true);
    for (const socket of sockets) await once(socket.destroy(), "close");
    child.kill("SIGCONT");
    expect(await line.call(COUNTED, undefined)).toBe(3);
    // The others have come without their sockets, which nobody says.
    expect(outcomes.length).toBeLessThan(2);
    expect(line.signal.aborted).toBe(false);
    expect(warnings).toEqual([]);
  });

  it.each([
    ["answer nothing asked", "it has answered what it was not asked"],
    ["kind", "it has sent what cannot be read"],
    ["id", "it has sent what cannot be read"],
    ["request", "it has sent what cannot be read"],
    ["value of a notice", "it has sent what cannot be read"],
    ["ask without end", "it asks too much"],
    ["flood", "it sends too many messages"],
  ])("ends when the other process breaks the rules: %s", async (how, reason) => {
    const { line, warnings } = start();
    // A busy machine may be too slow for a flood in the time that counts.
    const clock = vi.spyOn(performance, "now").mockReturnValue(performance.now());
    onTestFinished(() => clock.mockRestore());
    line.answer(DOUBLE, (value) => value);
    line.answer(NEVER, () => new Promise(() => {}));
    line.hear(COUNT, () => {});
    const over = once(line.signal, "abort");
    const call = line.call(WAIT, 60_000, { seconds: 60 });
    line.notify(MISBEHAVE, how);
    await over;
    await expect(call).rejects.toMatchObject({ failure: "gone", message: `the child cannot be asked: ${reason}` });
    expect(warnings).toEqual([{ peer: "the child", reason }]);
  });

  it("ends when the other process does not read, with little memory", async () => {
    const { child, line, warnings } = start();
    await line.call(DOUBLE, 1);
    child.kill("SIGSTOP");
    for (let count = 0; count < 1e6 && line.notify(COUNT, count); count++) if (count % 1000 === 0) await undefined;
    expect(warnings).toEqual([{ peer: "the child", reason: "it does not read" }]);
  });

  it("leaves alone what other parts of the program send", async () => {
    const { child, line, warnings } = start();
    for (const message of ["text", 1, null, [], { type: "theirs" }]) child.emit("message", message);
    expect(await line.call(DOUBLE, 2)).toBe(4);
    expect(warnings).toEqual([]);
  });
});

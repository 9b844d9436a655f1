import { once } from "node:events";
import { pipeline } from "node:stream/promises";
import { setTimeout as passed } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { AUTH_SUCCESSFUL, type Session, SessionEndedError, type SessionEndReason } from "../../src/index.js";
import { Deferred } from "../attack/deferred.js";
import { extent } from "../support/extent.js";
import { PacketClient } from "../support/packet-client.js";
import { execRequest } from "../support/packet-messages.js";
import { shortenTimers } from "../support/short-timers.js";
import { aborted, commandEnd, openCommand, type SessionFixture, sessionFixture } from "./session-fixture.js";

const GOES_ON = "a session's handler goes on although its session has ended";
const ENDED_BY_SIGNAL = "a session's handler was ended by the end of its session";

function waitForEnd(fixture: SessionFixture) {
  const started = new Deferred<Session>();
  const ended = new Deferred<SessionEndReason | undefined>();
  fixture.handle(async (session) => {
    started.resolve(session);
    session.stdout.write("started\n");
    await aborted(session.signal);
    const { reason } = session.signal;
    ended.resolve(reason instanceof SessionEndedError ? reason.reason : undefined);
  });
  return { started: started.promise, ended: ended.promise };
}

describe("output behind the end of a session", () => {
  const { handle, connect, exec, logged, log } = sessionFixture();
  const dropped = "output came behind the end of its session, and was dropped";

  it.each([
    ["without a terminal", {}],
    ["on a terminal", { pty: true }],
  ])("is a line in the log with its bytes: %s", async (_, options) => {
    const over = new Deferred<void>();
    handle(({ stdout, stderr }) => {
      stdout.write("in time\n");
      void over.promise.then(() => {
        stdout.write("late");
        stdout.write("l\u00e4te");
        stderr.write(Buffer.alloc(3));
      });
    });
    expect((await exec("any", options)).stdout).toMatch(/^in time\r?\n$/);
    over.resolve();
    expect(await logged("info", dropped)).toMatchObject({ fields: { kind: "exec", bytes: 12 } });
    expect(log.filter(({ message }) => message === dropped)).toHaveLength(1);
  });

  it("is not told where the client went before it", async () => {
    const ended = new Deferred<void>();
    handle(async ({ stdout, signal }) => {
      stdout.write("started\n");
      await aborted(signal);
      stdout.write("nobody is there");
      ended.resolve();
    });
    using client = await connect();
    (await openCommand(client, "any")).close();
    await ended.promise;
    await passed(0);
    expect(log.filter(({ message }) => message === dropped)).toEqual([]);
  });
});

describe("a session's signal", () => {
  const fixture = sessionFixture();
  const { handle, connect, exec, logged, log } = fixture;

  it("says that the client has closed its channel", async () => {
    const { started, ended } = waitForEnd(fixture);
    using client = await connect();
    const channel = await openCommand(client, "any");
    await started;
    channel.close();
    expect(await ended).toBe("client closed");
  });

  it("says that the client has said goodbye", async () => {
    const { started, ended } = waitForEnd(fixture);
    const client = await connect();
    await openCommand(client, "any");
    await started;
    client.end();
    expect(await ended).toBe("client closed");
  });

  it("says that the connection is lost", async () => {
    const { started, ended } = waitForEnd(fixture);
    const client = await connect();
    await openCommand(client, "any");
    await started;
    client.destroy();
    expect(await ended).toBe("connection lost");
  });

  it("says that the program has ended the connection", async () => {
    const { started, ended } = waitForEnd(fixture);
    using client = await connect();
    await openCommand(client, "any");
    (await started).connection.disconnect();
    expect(await ended).toBe("disconnected");
  });

  it("fires when ssh is killed", async () => {
    const { started, ended } = waitForEnd(fixture);
    using ssh = fixture.ssh([], "any");
    await ssh.untilOutput("started");
    await started;
    ssh.kill();
    expect(await ended).toBe("connection lost");
  });

  it("fires when the handler has returned, for what it has left", async () => {
    const ended = new Deferred<unknown>();
    handle(({ signal }) => {
      signal.addEventListener("abort", () => ended.resolve(signal.reason));
    });
    await exec("any");
    expect(await ended.promise).toMatchObject({ reason: "exit" });
  });

  it("ends what waits with it, which is not an error", async () => {
    for (const wait of [
      (signal: AbortSignal) => passed(60_000, undefined, { signal }),
      (signal: AbortSignal) => once(new EventTarget() as never, "never", { signal }),
      async (signal: AbortSignal) => {
        await aborted(signal);
        signal.throwIfAborted();
      },
    ]) {
      const started = new Deferred<void>();
      handle(async ({ signal }) => {
        started.resolve();
        await wait(signal);
      });
      using client = await connect();
      const channel = await openCommand(client, "any");
      await started.promise;
      channel.close();
      await logged("debug", ENDED_BY_SIGNAL);
    }
    expect(log.filter(({ level }) => level === "error")).toEqual([]);
  });

  it("is not an error for what begins behind it", async () => {
    const started = new Deferred<void>();
    handle(async ({ signal, stdin, stdout }) => {
      started.resolve();
      await aborted(signal);
      if (!stdout.destroyed) await once(stdout, "close");
      await pipeline(stdin, stdout);
    });
    using client = await connect();
    const channel = await openCommand(client, "any");
    await started.promise;
    channel.close();
    await logged("debug", ENDED_BY_SIGNAL);
    expect(log.filter(({ level }) => level === "error")).toEqual([]);
  });

  it("does not hide an error that has nothing to do with the end", async () => {
    const error = new Error("broken");
    const started = new Deferred<void>();
    handle(async ({ signal }) => {
      started.resolve();
      await aborted(signal);
      throw error;
    });
    using client = await connect();
    const channel = await openCommand(client, "any");
    await started.promise;
    channel.close();
    expect(await logged("error", "a session's handler has failed")).toMatchObject({ fields: { err: error } });
  });

  it("has fired where the client is gone before the handler begins", async () => {
    const began = new Deferred<boolean>();
    handle(({ signal }) => began.resolve(signal.aborted));
    using client = await connect();
    client.exec("any", () => {});
    client.destroy();
    // Or the request was never handled: then another one shows that the server goes on.
    handle(({ signal }) => began.resolve(signal.aborted));
    await exec("another");
    expect(typeof (await began.promise)).toBe("boolean");
  });
});

describe("a session on a connection with time limits", () => {
  const idle = sessionFixture({ idleTimeout: 0.2 });
  it("hears that nothing has happened for too long", async () => {
    const { ended } = waitForEnd(idle);
    using client = await idle.connect();
    await openCommand(client, "any");
    expect(await ended).toBe("idle");
  });

  const short = sessionFixture({ sessionTimeout: 0.2 });
  it("hears that it has lasted too long", async () => {
    const { ended } = waitForEnd(short);
    using client = await short.connect();
    await openCommand(client, "any");
    expect(await ended).toBe("timeout");
  });
});

describe("session.exit", () => {
  const letIn = () => AUTH_SUCCESSFUL;
  const fixture = sessionFixture({ authentication: { none: letIn, password: letIn } });
  const { handle, exec, log, connect, logged } = fixture;

  it("ends the session at once, behind all output, and the result of the handler does not count", async () => {
    const left = new Deferred<unknown>();
    handle(async (session) => {
      session.stdout.write("x".repeat(3_000_000));
      session.exit(3);
      session.exit(4);
      session.exitSignal("TERM");
      await aborted(session.signal);
      left.resolve(session.signal.reason);
      return 5;
    });
    const { status, stdout } = await exec("any");
    expect({ status, length: stdout.length }).toEqual({ status: 3, length: 3_000_000 });
    expect(await left.promise).toMatchObject({ reason: "exit" });
  });

  it("lets the handler be ended by the signal without an error", async () => {
    handle(async (session) => {
      setImmediate(() => session.exit(3));
      await passed(60_000, undefined, { signal: session.signal });
    });
    expect(await exec("any")).toMatchObject({ status: 3, stderr: "" });
    await logged("debug", ENDED_BY_SIGNAL);
  });

  it("harms nothing where the handler still writes, or throws", async () => {
    const error = new Error("late");
    handle(async (session) => {
      session.exit(3);
      session.stdout.write("too late");
      session.stderr.write("too late");
      throw error;
    });
    expect(await exec("any")).toMatchObject({ status: 3, stdout: "", stderr: "" });
    expect(await logged("error", "a session's handler has failed")).toMatchObject({ fields: { err: error } });
  });

  it("ends the session's programs, also where the client neither reads nor closes its channel, and lets none begin", async () => {
    const pid = new Deferred<number>();
    const late = new Deferred<unknown>();
    handle(async (session) => {
      const end = await session.run(["yes"], {
        started: (number) => {
          pid.resolve(number);
          session.exit(3);
        },
      });
      session.run(["sleep", "1000"]).catch((error: unknown) => late.resolve(error));
      return end;
    });
    const client = await PacketClient.login(fixture.server.port, "ann", "any");
    onTestFinished(() => client.close());
    const { id } = await client.openSession({ window: 10 });
    client.sendPacket(execRequest(id, "any"));
    const program = await pid.promise;
    expect(await late.promise).toMatchObject({ name: "SessionEndedError", reason: "exit" });
    expect(() => process.kill(program, 0)).toThrow("ESRCH");
  });

  it("may come with a signal", async () => {
    handle((session) => session.exitSignal("SIGKILL"));
    expect(await exec("any")).toMatchObject({ signal: "SIGKILL" });
  });

  it("takes a status from 0 to 255 and the name of a signal", async () => {
    const thrown: unknown[] = [];
    handle((session) => {
      for (const wrong of [256, -1, 1.5, "1", undefined]) {
        try {
          session.exit(wrong as number);
        } catch (error) {
          thrown.push(error);
        }
      }
      for (const wrong of ["", "TERM KILL", "T\n", 9]) {
        try {
          session.exitSignal(wrong as string);
        } catch (error) {
          thrown.push(error);
        }
      }
    });
    expect(await exec("any")).toMatchObject({ status: 0 });
    expect(thrown.map((error) => (error as Error).constructor.name)).toEqual([
      ...Array(5).fill("RangeError"),
      ...Array(4).fill("TypeError"),
    ]);
    expect(log.filter(({ level }) => level === "error")).toEqual([]);
  });

  it("races with a client that goes, and one of them counts", async () => {
    const count = 20;
    const done: Promise<unknown>[] = [];
    handle(async (session) => {
      const end = aborted(session.signal);
      await passed(Math.random() * 4);
      session.exit(3);
      await end;
    });
    using client = await connect();
    for (let index = 0; index < count; index++) {
      const channel = await openCommand(client, "any");
      done.push(commandEnd(channel));
      void passed(Math.random() * 4).then(() => channel.close());
    }
    await Promise.all(done);
    expect(await exec("any")).toMatchObject({ status: 3 });
    expect(log.filter(({ level }) => level === "error" || level === "warn")).toEqual([]);
  });
});

describe("a handler that goes on when nobody needs it", () => {
  const fixture = sessionFixture();
  const { handle, connect, exec, logged } = fixture;

  it("has ten seconds, and is reported by name; its client's place is free then", { timeout: 20_000 }, async () => {
    shortenTimers(10_000, extent(300, 10_000));
    const started = new Deferred<void>();
    const goOn = new Deferred<void>();
    handle(async () => {
      started.resolve();
      await goOn.promise;
    });
    using client = await connect();
    const channel = await openCommand(client, "any");
    await started.promise;
    channel.close();
    const begun = performance.now();
    const line = await logged("error", GOES_ON);
    expect(line).toMatchObject({
      fields: { handler: "session", kind: "exec", reason: "client closed", username: "ann" },
    });
    expect(performance.now() - begun).toBeGreaterThan(extent(250, 9_000));
    goOn.resolve();
  });

  it("has as much time as it wants while its client is there", async () => {
    handle(async ({ stdout }) => {
      stdout.end("early");
      await passed(50);
      return 3;
    });
    expect(await exec("any")).toMatchObject({ status: 3, stdout: "early" });
  });
});

describe("work that is left to a session", () => {
  const fixture = sessionFixture();
  const { handle, exec, log, logged } = fixture;

  it("is done at once where it comes too late, and an error in it is a line in the log", async () => {
    const done = new Deferred<void>();
    let ended: Session | undefined;
    handle((session) => {
      ended = session;
    });
    await exec("any");
    ended?.defer(() => done.resolve());
    await done.promise;
    const error = new Error("late");
    ended?.defer(() => {
      throw error;
    });
    expect(await logged("error", "a session's handler has failed")).toMatchObject({
      fields: { handler: "deferred work", err: error },
    });
  });

  it("is done at its end, the last first, before the client hears of the end", async () => {
    handle((session) => {
      session.defer(() => session.stdout.write("first deferred\n"));
      session.defer(async () => {
        await passed(10);
        session.stdout.write("second deferred\n");
        session.defer(() => session.stdout.write("deferred by deferred work\n"));
      });
      session.defer(passed(200).then(() => session.stdout.write("a promise\n")));
      session.stdout.write("handler\n");
      return 2;
    });
    const { status, stdout } = await exec("any");
    expect(status).toBe(2);
    expect(stdout.split("\n")).toEqual([
      "handler",
      "second deferred",
      "deferred by deferred work",
      "first deferred",
      "a promise",
      "",
    ]);
  });

  it("is done where the handler throws, and changes no outcome where it throws itself", async () => {
    const done: string[] = [];
    handle((session) => {
      session.defer(() => done.push("done"));
      session.defer(() => Promise.reject(new Error("deferred")));
      session.defer(Promise.reject(new Error("left alone")));
      session.defer(() => {
        throw undefined;
      });
      return 6;
    });
    expect(await exec("any")).toMatchObject({ status: 6, stderr: "" });
    expect(done).toEqual(["done"]);
    expect(log.filter(({ level }) => level === "error").map(({ fields }) => (fields.err as Error).message)).toEqual([
      "left alone",
      expect.stringContaining("undefined"),
      "deferred",
    ]);
  });
});

import { setTimeout as passed } from "node:timers/promises";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { PKey } from "../../src/crypto/index.js";
import { AUTH_SUCCESSFUL, createServer, ExitError, type SessionHandler, type SessionResult } from "../../src/index.js";
import { commandEnd, connectTo, openCommand, sessionFixture } from "./session-fixture.js";

const FAILED = "a session's handler has failed";

describe("the end of a session's program", () => {
  const { handle, exec, logged, log } = sessionFixture();
  const lost = "a program has failed, and nobody has asked for its end";
  const lines = () => log.filter(({ level }) => level === "warn" || level === "error");

  it.each<[what: string, command: [string, ...string[]], fields: object]>([
    ["a status", ["sh", "-c", "exit 3"], { status: 3 }],
    ["a signal", ["sh", "-c", "kill $$"], { signal: "TERM" }],
  ])("is a warning where it is lost: %s", async (_, command, fields) => {
    handle((session) => {
      void session.run(command);
    });
    expect(await exec("any")).toMatchObject({ status: 0 });
    expect(await logged("warn", lost)).toMatchObject({
      fields: { ...fields, remedy: "return session.run(…), or await it" },
    });
    expect(lines()).toHaveLength(1);
  });

  it("is an error in any case where the program could not be asked for", async () => {
    handle((session) => {
      void session.run(["true"], { cwd: "\0" });
      return 0;
    });
    expect(await exec("any")).toMatchObject({ status: 0 });
    expect(lines()).toMatchObject([
      { level: "error", message: FAILED, fields: { err: { name: "ConfigurationError" } } },
    ]);
  });

  it("is kept for no more programs than anybody would read of", async () => {
    handle(async (session) => {
      const starts = Array.from({ length: 20 }, () => session.run(["true"], { cwd: "\0" }));
      // Behind their ends, and without asking for them.
      await session.run(["true"]);
      expect(starts).toHaveLength(20);
    });
    await exec("any");
    expect(lines()).toHaveLength(16);
  });

  it("is told of one that is not there by its status", async () => {
    handle((session) => void session.run(["/no/such/program"]));
    await exec("any");
    expect(lines()).toMatchObject([
      { level: "warn", message: "a program could not be started" },
      { level: "warn", message: lost, fields: { status: 127 } },
    ]);
  });

  it.each<[what: string, handler: SessionHandler]>([
    ["returned", (session) => session.run(["false"])],
    ["returned later", async (session) => await session.run(["false"])],
    ["awaited", async (session) => void (await session.run(["false"]))],
    [
      "awaited when the program has ended",
      async (session) => {
        const end = session.run(["false"]);
        await session.run(["sleep", "0.1"]);
        await end;
      },
    ],
    ["awaited with others", async (session) => void (await Promise.all([session.run(["false"])]))],
    ["left out on purpose", (session) => void session.run(["false"]).catch(() => {})],
    [
      "not that of the session",
      (session) => {
        void session.run(["false"]);
        return 0;
      },
    ],
    ["success", (session) => void session.run(["true"])],
    ["wanted by who started it", (session) => void session.run(["sleep", "9"], { signal: AbortSignal.timeout(10) })],
  ])("is none where it is %s", async (_, handler) => {
    handle(handler);
    await exec("any");
    expect(lines()).toEqual([]);
  });
});

describe("a command line of a client", () => {
  const { handle, exec, logged, log } = sessionFixture();

  it.each<[what: string, command: string, handler: SessionHandler, text: string]>([
    ["with a NUL", "a\0b", (session) => session.run({ shell: session.command ?? "" }), "holds a NUL"],
    [
      "with a NUL in a word",
      "true a\0b",
      (session) => session.run(session.command?.split(" ") as [string]),
      "holds a NUL",
    ],
    ["that is empty", "", (session) => session.run(session.argv() as [string]), "has no command"],
    ["that names nothing", "''", (session) => session.run(session.argv() as [string]), "has no command"],
  ])("is no error of the server: %s", async (_, command, handler, text) => {
    handle(handler);
    expect(await exec(command)).toMatchObject({ status: 2, stderr: `the command line ${text}\n` });
    expect(await logged("info", "a command line could not be run")).toMatchObject({
      fields: { reason: `the command line ${text}` },
    });
    expect(log.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
  });
});

describe("the options of a session's program", () => {
  const { handle, exec, logged } = sessionFixture();

  it.each([undefined, null])("must not be %s: a user who was not found would be the server's", async (found) => {
    handle((session) => session.run(["id"], found as never));
    expect(await exec("any")).toMatchObject({ status: 1, stdout: "", stderr: "internal error\n" });
    expect(await logged("error", FAILED)).toMatchObject({ fields: { err: { name: "ConfigurationError" } } });
  });
});

describe("the result of a session's handler", () => {
  const fixture = sessionFixture();
  const { handle, exec, run, log } = fixture;
  const errors = () => log.filter(({ level }) => level === "error" || level === "warn");

  it.each<[what: string, result: SessionResult, end: object]>([
    ["nothing", undefined, { status: 0 }],
    ["0", 0, { status: 0 }],
    ["255", 255, { status: 255 }],
    ["the status of a program", { status: 7 }, { status: 7 }],
    ["the signal of a program", { signal: "TERM" }, { signal: "SIGTERM" }],
    ["a signal with a core", { signal: "SIGSEGV", coreDumped: true }, { signal: "SIGSEGV" }],
  ])("is the end of the client's program: %s", async (_, result, end) => {
    handle(async ({ stdout }) => {
      stdout.write("output\n");
      return result;
    });
    expect(await exec("any")).toMatchObject({ stdout: "output\n", stderr: "", ...end });
    expect(errors()).toEqual([]);
  });

  it("is the exit status of ssh, behind all output", async () => {
    handle(async ({ stdout, stderr }) => {
      stdout.write("x".repeat(300_000));
      stderr.end("errors");
      stdout.end("y");
      return 7;
    });
    const { code, stdout, stderr } = await run("any");
    expect({ code, length: stdout.length, end: stdout.subarray(-1).toString(), stderr }).toEqual({
      code: 7,
      length: 300_001,
      end: "y",
      stderr: "errors",
    });
  });

  it.each<[what: string, result: unknown]>([
    ["a number that is too large", 256],
    ["a negative number", -1],
    ["a fraction", 1.5],
    ["NaN", Number.NaN],
    ["a text", "0"],
    ["true", true],
    ["null", null],
    ["an object of another kind", {}],
    ["a status that is too large", { status: 256 }],
    ["a signal that cannot be one", { signal: "TERM\n" }],
    ["a proxy", new Proxy({}, { get: () => 0, has: () => true })],
  ])("is an error where it is %s", async (_, result) => {
    handle((() => result) as unknown as SessionHandler);
    expect(await exec("any")).toMatchObject({ status: 1, stdout: "", stderr: "internal error\n" });
    expect(errors()).toMatchObject([{ message: FAILED, fields: { handler: "session", kind: "exec" } }]);
  });

  it("is a status of 1 and a line in the log where the handler throws, and the client is told nothing", async () => {
    const error = new Error("the database is at /secret");
    for (const fail of [
      () => Promise.reject(error),
      () => {
        throw error;
      },
    ]) {
      handle(fail);
      expect(await exec("any")).toMatchObject({ status: 1, stdout: "", stderr: "internal error\n" });
    }
    const line = { level: "error", message: FAILED, fields: { handler: "session", err: error } };
    expect(errors()).toMatchObject([line, line]);
  });

  it("comes behind the output of a handler that throws late", async () => {
    handle(async ({ stdout }) => {
      stdout.write("before\n");
      await passed(20);
      throw new Error("late");
    });
    expect(await exec("any")).toMatchObject({ status: 1, stdout: "before\n", stderr: "internal error\n" });
  });

  it.each<[what: string, thrown: unknown, shown: string]>([
    ["undefined", undefined, "undefined"],
    ["null", null, "null"],
    ["a text", "oops", "'oops'"],
    ["a symbol", Symbol("oops"), "Symbol(oops)"],
    ["an object without a prototype", Object.create(null), "[Object: null prototype] {}"],
    ["a proxy that throws", throwingProxy(), "{}"],
    ["a proxy of an error", new Proxy(new Error("inner"), throwingTraps()), "Error: inner"],
    [
      "an object that throws where it is looked at",
      {
        get name() {
          throw new Error("never");
        },
      },
      "[Getter]",
    ],
  ])("is a line in the log whatever is thrown: %s", async (_, thrown, shown) => {
    handle(() => {
      throw thrown;
    });
    expect(await exec("any")).toMatchObject({ status: 1, stderr: "internal error\n" });
    const message = expect.stringContaining(shown);
    expect(errors()).toMatchObject([{ fields: { err: { message } } }]);
  });

  it.each<[what: string, thrown: unknown]>([
    ["an ExitError whose status was changed", Object.assign(new ExitError(3, "text"), { status: 2 ** 40 })],
    ["one whose status is not a number", Object.assign(new ExitError(3, "text"), { status: "3" })],
    ["one whose text is not a text", Object.assign(new ExitError(3), { message: Symbol("text") })],
    ["one whose text cannot be read", Object.defineProperty(new ExitError(3), "message", throwingGetter())],
    ["an error whose name cannot be read", Object.defineProperty(new Error("any"), "name", throwingGetter())],
    ["an error with a proxy behind it", Object.create(new Proxy(Error.prototype, throwingTraps()))],
  ])("is a status of 1 where it is %s, also where the session has ended", async (_, thrown) => {
    const uncaught = vi.fn();
    process.on("unhandledRejection", uncaught);
    onTestFinished(() => void process.off("unhandledRejection", uncaught));
    handle(() => {
      throw thrown;
    });
    expect(await exec("any")).toMatchObject({ status: 1, stderr: "internal error\n" });
    expect(await exec("any", { pty: true })).toMatchObject({ status: 1, stdout: "internal error\r\n" });
    handle((session) => {
      session.exit(9);
      throw thrown;
    });
    expect(await exec("any")).toMatchObject({ status: 9, stderr: "" });
    const line = { level: "error", message: FAILED };
    expect(errors()).toMatchObject([line, line, line]);
    expect(uncaught).not.toHaveBeenCalled();
  });

  it("is told under another name where that of the handler is not a text", async () => {
    const server = createServer({
      hostKey: PKey.generate({ keyType: "ed25519" }),
      authentication: { none: () => AUTH_SUCCESSFUL },
      session: Object.defineProperty(() => 256, "name", { value: 42 }),
      logger: { debug() {}, info() {}, warn() {}, error: (fields) => void failed.push(fields) },
    });
    const failed: object[] = [];
    await server.listen(0);
    onTestFinished(() => server.close({ grace: 0 }));
    using client = await connectTo(server.port);
    expect(await commandEnd(await openCommand(client, "any"))).toMatchObject({ status: 1 });
    expect(failed).toMatchObject([{ handler: "session" }]);
  });

  it("is the status and the text of an ExitError, without a line in the log", async () => {
    handle(({ stdout }) => {
      stdout.write("output\n");
      throw new ExitError(4, "there is no such repository");
    });
    expect(await exec("any")).toMatchObject({ status: 4, stdout: "output\n", stderr: "there is no such repository\n" });
    handle(() => {
      throw new ExitError(5);
    });
    expect(await exec("any")).toMatchObject({ status: 5, stderr: "" });
    expect(errors()).toEqual([]);
  });

  it("has lines that end as those of a terminal, where there is one", async () => {
    handle(() => {
      throw new ExitError(4, "one\ntwo");
    });
    expect(await exec("any", { pty: true })).toMatchObject({ status: 4, stdout: "one\r\ntwo\r\n", stderr: "" });
  });

  it("may be told to the channel itself", async () => {
    handle(async ({ channel }) => {
      channel.sendExitStatus(9);
    });
    expect(await exec("any")).toMatchObject({ status: 9 });
    handle(async ({ channel }) => {
      channel.send("bye");
      channel.sendExitStatus(8);
      channel.close();
    });
    expect(await exec("any")).toMatchObject({ status: 8, stdout: "bye" });
    expect(errors()).toEqual([]);
  });
});

describe("an ExitError", () => {
  it("has a status from 0 to 255", () => {
    for (const status of [-1, 256, 1.5, Number.NaN, "1" as never])
      expect(() => new ExitError(status)).toThrow(RangeError);
  });
});

function throwingTraps(): ProxyHandler<object> {
  const fail = () => {
    throw new Error("a trap");
  };
  return { get: fail, getPrototypeOf: fail, has: fail, ownKeys: fail, getOwnPropertyDescriptor: fail };
}

function throwingGetter(): PropertyDescriptor {
  return {
    get() {
      throw new Error("a getter");
    },
  };
}

function throwingProxy(): object {
  return new Proxy({}, throwingTraps());
}

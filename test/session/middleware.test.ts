import { setTimeout as passed } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { AUTH_SUCCESSFUL, ExitError, logging, type Middleware } from "../../src/index.js";
import { Deferred } from "../attack/deferred.js";
import { extent } from "../support/extent.js";
import { shortenTimers } from "../support/short-timers.js";
import { sessionFixture } from "./session-fixture.js";

const FAILED = "a session's handler has failed";

/** The middleware of all servers here: each test says what it does. */
let layers: Middleware[] = [];
const run =
  (index: number): Middleware =>
  async (session, next) =>
    (layers[index] ?? ((_, inner) => inner()))(session, next);

describe("middleware", () => {
  const fixture = sessionFixture({ middleware: [run(0), run(1)], authentication: { none: () => AUTH_SUCCESSFUL } });
  const { handle, exec, log, logged, connect } = fixture;
  const errors = () => log.filter(({ level }) => level === "error" || level === "warn");

  it("runs around the handler, the first outermost, and sees its outcome", async () => {
    const order: unknown[] = [];
    layers = ["first", "second"].map((name) => async (session, next) => {
      order.push(`${name} in`);
      await next();
      order.push(`${name} out`, session.outcome);
    });
    handle(() => {
      order.push("handler");
      return 4;
    });
    expect(await exec("any")).toMatchObject({ status: 4 });
    const outcome = { status: 4 };
    expect(order).toEqual(["first in", "second in", "handler", "second out", outcome, "first out", outcome]);
  });

  it("may serve the session itself, and the handler is not run", async () => {
    layers = [
      async ({ stdout }) => {
        stdout.write("served");
      },
    ];
    handle(() => expect.unreachable());
    expect(await exec("any")).toMatchObject({ status: 0, stdout: "served" });
    layers = [
      async (session) => {
        session.stderr.write("not you\n");
        session.exit(77);
      },
    ];
    expect(await exec("any")).toMatchObject({ status: 77, stderr: "not you\n" });
    expect(errors()).toEqual([]);
  });

  it("refuses by a throw, as a handler does", async () => {
    layers = [
      () => {
        throw new ExitError(3, "not today");
      },
    ];
    expect(await exec("any")).toMatchObject({ status: 3, stderr: "not today\n" });
    const error = new Error("broken");
    layers = [() => Promise.reject(error)];
    expect(await exec("any")).toMatchObject({ status: 1, stderr: "internal error\n" });
    expect(errors()).toMatchObject([{ message: FAILED, fields: { err: error } }]);
  });

  it("is told from the function that makes it", async () => {
    handle(() => 0);
    layers = [logging as unknown as Middleware];
    expect(await exec("any")).toMatchObject({ status: 1, stderr: "internal error\n" });
    const message = expect.stringContaining("has returned a function: did you mean");
    expect(errors()).toMatchObject([{ message: FAILED, fields: { err: { message } } }]);
  });

  it("gets what the handler throws, and may answer for it", async () => {
    handle(() => Promise.reject(new Error("inner")));
    layers = [
      async (session, next) => {
        await next().catch((error: Error) => session.stderr.write(`caught ${error.message}\n`));
        session.exit(9);
      },
    ];
    expect(await exec("any")).toMatchObject({ status: 9, stderr: "caught inner\n" });
    layers = [(_, next) => next().catch(() => Promise.reject(new ExitError(8, "replaced")))];
    expect(await exec("any")).toMatchObject({ status: 8, stderr: "replaced\n" });
    expect(errors()).toEqual([]);
  });

  it("cannot hide what the handler throws", async () => {
    const error = new Error("inner");
    handle(() => Promise.reject(error));
    for (const hide of [
      async (_: unknown, next: () => Promise<void>) => next().catch(() => {}),
      async (_: unknown, next: () => Promise<void>) => void next(),
    ]) {
      layers = [hide];
      expect(await exec("any")).toMatchObject({ status: 1, stderr: "internal error\n" });
    }
    expect(errors()).toMatchObject([{ fields: { err: error } }, { fields: { err: error } }]);
  });

  it("that does not wait for next does not end the session before the handler", async () => {
    layers = [async (_, next) => void next()];
    handle(async ({ stdout }) => {
      await passed(20);
      stdout.write("late");
      return 5;
    });
    expect(await exec("any")).toMatchObject({ status: 5, stdout: "late" });
  });

  it("calls next once: another call is an error, and the handler runs once", async () => {
    let runs = 0;
    handle(() => {
      runs++;
    });
    const twice: Middleware[] = [
      async (_, next) => {
        await next();
        await next();
      },
      async (_, next) => {
        await next();
        void next();
      },
      async (_, next) => {
        await Promise.allSettled([next(), next(), next()]);
      },
    ];
    for (const layer of twice) {
      Object.defineProperty(layer, "name", { value: "impatient" });
      layers = [layer];
      expect(await exec("any")).toMatchObject({ status: 1, stderr: "internal error\n" });
    }
    expect(runs).toBe(3);
    expect(errors().map(({ fields }) => (fields.err as Error).message)).toEqual(
      Array(3).fill(expect.stringContaining("has called next more than once")),
    );
  });

  it("cannot call next when it has ended", async () => {
    handle(() => expect.unreachable());
    const refused = new Deferred<unknown>();
    layers = [
      async (_, next) => {
        setTimeout(() => next().catch((error) => refused.resolve(error)), 10);
      },
    ];
    expect(await exec("any")).toMatchObject({ status: 0 });
    expect(await refused.promise).toBeInstanceOf(Error);
    expect(await logged("error", FAILED)).toMatchObject({
      fields: { err: { message: expect.stringContaining("after it had ended") } },
    });
  });

  it("that hangs is reported by name, not the handler", { timeout: 20_000 }, async () => {
    shortenTimers(10_000, extent(300, 10_000));
    const goOn = new Deferred();
    const ended = new Deferred();
    layers = [
      async (_, next) => {
        await next();
        ended.resolve();
        await goOn.promise;
      },
    ];
    handle(() => 0);
    using client = await connect();
    client.exec("any", () => {});
    await ended.promise;
    client.destroy();
    const line = await logged("error", "a session's handler goes on although its session has ended");
    expect(line).toMatchObject({ fields: { handler: "middleware", reason: "connection lost" } });
    goOn.resolve();
    layers = [];
  });

  it("may be added later, inside that which is there", async () => {
    const order: string[] = [];
    layers = [
      (_, next) => {
        order.push("option");
        return next();
      },
    ];
    fixture.server.use(async function added(_, next) {
      order.push("added");
      await next();
    });
    handle(() => {
      order.push("handler");
    });
    await exec("any");
    expect(order).toEqual(["option", "added", "handler"]);
  });
});

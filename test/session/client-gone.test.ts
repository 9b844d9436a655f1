import { once } from "node:events";
import { pipeline } from "node:stream/promises";
import { setTimeout as passed } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Session } from "../../src/index.js";
import { Deferred } from "../attack/deferred.js";
import { extent, isLong } from "../support/extent.js";
import { aborted, openCommand, sessionFixture } from "./session-fixture.js";

type Reached = () => void;

/** What a session does as its client goes: each tells when it has come so far. */
const STEPS: Readonly<Record<string, (session: Session, reached: Reached) => Promise<unknown>>> = {
  "at the start": async (_, reached) => reached(),
  "while it reads": async ({ stdin }, reached) => {
    reached();
    for await (const _ of stdin);
  },
  "while it writes more than the client takes": async ({ stdout }, reached) => {
    setTimeout(reached, 50);
    for (;;) {
      if (!stdout.write(Buffer.alloc(100_000))) await once(stdout, "drain");
    }
  },
  "while its output goes through a pipeline": async ({ stdin, stdout }, reached) => {
    reached();
    await pipeline(stdin, stdout);
  },
  "while a program runs": async (session, reached) => session.run(["sleep", "1000"], { started: reached }),
  "while a program writes": async (session, reached) => {
    const end = session.run(["cat", "/dev/zero"]);
    setTimeout(reached, 50);
    return await end;
  },
  "while it waits with its signal": async ({ signal }, reached) => {
    reached();
    await passed(60_000, undefined, { signal });
  },
  "in deferred work": async (session, reached) => {
    session.defer(async () => {
      reached();
      await aborted(session.signal);
    });
  },
  "while it waits for deferred work": async (session, reached) => {
    session.defer(aborted(session.signal));
    reached();
  },
  "while the last output is sent": async ({ stdout }, reached) => {
    stdout.write(Buffer.alloc(20_000_000));
    setTimeout(reached, 20);
  },
  "when it has exited": async (session, reached) => {
    session.stdout.write(Buffer.alloc(20_000_000));
    session.exit(3);
    setTimeout(reached, 20);
  },
};

const WAYS = ["close", "end", "destroy"] as const;

describe("a client that is gone", () => {
  const fixture = sessionFixture();
  const { handle, connect, server, log } = fixture;

  it.each(Object.keys(STEPS).map((step, index) => [step, index] as const))(
    "leaves nothing behind: %s",
    async (step, index) => {
      // In the gate each step meets one way.
      for (const way of isLong ? WAYS : WAYS.slice(index % WAYS.length).slice(0, 1)) {
        const reached = new Deferred();
        const ended = new Deferred();
        handle(async (session) => {
          session.defer(() => ended.resolve());
          return (await STEPS[step]?.(session, () => reached.resolve())) as never;
        });
        using client = await connect();
        const channel = await openCommand(client, "any");
        channel.pause();
        await reached.promise;
        if (way === "close") channel.close();
        else client[way]();
        await ended.promise;
      }
      expect(log.filter(({ level }) => level === "error" || level === "warn")).toEqual([]);
    },
  );

  it("may go at any moment", async () => {
    const steps = Object.values(STEPS);
    let begun = 0;
    let ended = 0;
    handle(async (session) => {
      begun++;
      session.defer(() => {
        ended++;
      });
      return (await steps[Math.floor(Math.random() * steps.length)]?.(session, () => {})) as never;
    });
    for (let round = 0; round < extent(20, 500); round++) {
      const client = await connect();
      const channel = openCommand(client, "any", { pty: Math.random() < 0.5 });
      channel.catch(() => {});
      await passed(Math.random() * 30);
      client[Math.random() < 0.5 ? "end" : "destroy"]();
    }
    const last = performance.now();
    await server.close({ grace: 20 });
    expect(performance.now() - last).toBeLessThan(10_000);
    expect(ended).toBe(begun);
    expect(log.filter(({ level }) => level === "error" || level === "warn")).toEqual([]);
  });
});

import { once } from "node:events";
import { createInterface } from "node:readline";
import { Readable, Transform } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { setTimeout as passed } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { SessionEndedError } from "../../src/index.js";
import { Deferred } from "../attack/deferred.js";
import { extent } from "../support/extent.js";
import { sha256, testBytes } from "../support/server.js";
import { openCommand, sessionFixture } from "./session-fixture.js";

const MB = 1_000_000;

const rotated = () =>
  new Transform({
    transform(chunk: Buffer, _, done) {
      done(null, Buffer.from(chunk.map((byte) => byte ^ 1)));
    },
  });

describe("the input of a session", () => {
  const fixture = sessionFixture();
  const { handle, run, exec, connect } = fixture;

  it("ends with the client's", async () => {
    handle(async ({ stdin, stdout }) => {
      const chunks: Buffer[] = [];
      for await (const chunk of stdin) chunks.push(chunk);
      stdout.write(sha256(Buffer.concat(chunks)));
    });
    const input = testBytes(3 * MB);
    expect((await run("any", { input })).stdout.toString()).toBe(sha256(input));
    expect((await run("any")).stdout.toString()).toBe(sha256(Buffer.alloc(0)));
  });

  it("goes through a pipeline into the output, which does not end the session", async () => {
    handle(async ({ stdin, stdout, stderr }) => {
      await pipeline(stdin, rotated(), stdout);
      await passed(1200);
      stderr.write("behind the pipeline");
      return 3;
    });
    const input = testBytes(MB);
    const { code, stdout, stderr } = await run("any", { input });
    expect({ code, stderr }).toEqual({ code: 3, stderr: "behind the pipeline" });
    expect(sha256(stdout)).toBe(sha256(Buffer.from(input.map((byte) => byte ^ 1))));
  });

  it("may be left early, which ends nothing else", async () => {
    handle(async ({ stdin, stdout }) => {
      for await (const chunk of stdin) {
        stdout.write(`got ${chunk}`);
        break;
      }
      await passed(5);
      stdout.write(" and goodbye");
      return 2;
    });
    expect(await run("any", { input: Buffer.from("one") })).toMatchObject({
      code: 2,
      stdout: Buffer.from("got one and goodbye"),
    });
  });

  it("may never be read, also where much comes", async () => {
    handle(({ stdout }) => {
      stdout.write("done");
    });
    expect(await run("any", { input: testBytes(5 * MB) })).toMatchObject({ code: 0, stdout: Buffer.from("done") });
  });

  it("may be read by lines", async () => {
    handle(async ({ stdin, stdout }) => {
      for await (const line of createInterface({ input: stdin })) stdout.write(`${line.length} `);
    });
    expect((await run("any", { input: Buffer.from("one\ntwo three\n\nend") })).stdout.toString()).toBe("3 9 0 3 ");
  });

  it("slows its client down where it is read slowly", async () => {
    const total = extent(20, 40) * MB;
    const read = new Deferred<number>();
    handle(async ({ stdin, channel }) => {
      stdin.once("readable", () => setTimeout(() => read.resolve(channel.bytesReceived), 300));
      await read.promise;
      stdin.resume();
      await finished(stdin);
    });
    const input = Readable.from(Array(total / MB).fill(Buffer.alloc(MB)));
    using ssh = fixture.ssh([], "any", { input });
    expect(await read.promise).toBeLessThan(12 * MB);
    expect(await ssh.finished).toMatchObject({ code: 0 });
  });

  it("is an error where the client is gone without an end of it", async () => {
    for (const leave of ["close", "destroy"] as const) {
      const started = new Deferred();
      const failed = new Deferred<unknown>();
      handle(async ({ stdin }) => {
        started.resolve();
        try {
          for await (const _ of stdin);
          failed.resolve(undefined);
        } catch (error) {
          failed.resolve(error);
          throw error;
        }
      });
      using client = await connect();
      const channel = await openCommand(client, "any");
      channel.write("a part");
      await started.promise;
      if (leave === "close") channel.close();
      else client.destroy();
      expect(await failed.promise).toBeInstanceOf(SessionEndedError);
    }
    expect(fixture.log.filter(({ level }) => level === "error")).toEqual([]);
  });

  it("is whole where the client has ended it and closes its channel", async () => {
    const closed = new Deferred();
    const received = new Deferred<number>();
    handle(async ({ stdin, signal }) => {
      await once(signal, "abort");
      closed.resolve();
      let length = 0;
      for await (const chunk of stdin) length += chunk.length;
      received.resolve(length);
    });
    using client = await connect();
    const channel = await openCommand(client, "any");
    channel.end(Buffer.alloc(100_000));
    await once(channel, "finish");
    channel.close();
    await closed.promise;
    expect(await received.promise).toBe(100_000);
  });

  it("is the session's where there is a terminal as well", async () => {
    handle(({ stdin, stdout, stderr, terminal }) => {
      const { input, output } = terminal ?? {};
      return stdin === input && stdout === output && stderr === output ? 0 : 1;
    });
    expect(await exec("any", { pty: true })).toMatchObject({ status: 0 });
    handle(({ terminal }) => (terminal === undefined ? 0 : 1));
    expect(await exec("any")).toMatchObject({ status: 0 });
  });
});

describe("the output of a session", () => {
  const fixture = sessionFixture();
  const { handle, exec, connect, log } = fixture;

  it("comes in order, stderr as well, however it is written", async () => {
    handle(async ({ stdout, stderr }) => {
      stdout.cork();
      stdout.write("one ");
      stdout.write(Buffer.from("two "));
      stdout.uncork();
      for (let index = 0; index < 1000; index++) stdout.write(`${index} `);
      await pipeline(Readable.from(["error ", "output"]), stderr);
      stdout.write("end");
    });
    const numbers = Array.from({ length: 1000 }, (_, index) => `${index} `).join("");
    expect(await exec("any")).toMatchObject({ stdout: `one two ${numbers}end`, stderr: "error output", status: 0 });
  });

  it("waits for a client that does not read", async () => {
    const waits = new Deferred<number>();
    const total = extent(15, 30) * MB;
    let written = 0;
    handle(async ({ stdout }) => {
      const chunk = Buffer.alloc(100_000);
      setTimeout(() => waits.resolve(written), 300);
      for (; written < total; written += chunk.length) if (!stdout.write(chunk)) await once(stdout, "drain");
    });
    using client = await connect();
    const channel = await openCommand(client, "any");
    channel.pause();
    expect(await waits.promise).toBeLessThan(8 * MB);
    let length = 0;
    channel.on("data", (chunk: Buffer) => {
      length += chunk.length;
    });
    channel.resume();
    await once(channel, "close");
    expect(length).toBe(total);
  });

  it("ends a handler that waits for room when the client is gone", async () => {
    const waits = new Deferred();
    const failed = new Deferred<unknown>();
    handle(async ({ stdout }) => {
      try {
        const chunk = Buffer.alloc(100_000);
        for (;;) {
          if (stdout.write(chunk)) continue;
          setTimeout(() => waits.resolve(), 100);
          await once(stdout, "drain");
        }
      } catch (error) {
        failed.resolve(error);
        throw error;
      }
    });
    using client = await connect();
    const channel = await openCommand(client, "any");
    channel.pause();
    await waits.promise;
    client.destroy();
    expect(await failed.promise).toBeInstanceOf(SessionEndedError);
    await fixture.logged("debug", "a session's handler was ended by the end of its session");
    expect(log.filter(({ level }) => level === "error")).toEqual([]);
  });

  it.each([false, true])(
    "ends a handler that writes when the client is gone already, with a terminal: %s",
    async (pty) => {
      const started = new Deferred();
      const failures: unknown[] = [];
      handle(async ({ stdout, stderr, signal }) => {
        started.resolve();
        await once(signal, "abort");
        for (const output of [stdout, stderr]) {
          for (let time = 0; time < 2; time++) {
            if (!output.write("into the void")) await once(output, "drain").catch((error) => failures.push(error));
          }
        }
        throw failures[3];
      });
      using client = await connect();
      await openCommand(client, "any", { pty });
      await started.promise;
      client.destroy();
      await fixture.logged("debug", "a session's handler was ended by the end of its session");
      expect(failures).toEqual(Array(4).fill(expect.any(SessionEndedError)));
    },
  );

  it("takes writes that come too late, and nothing happens", async () => {
    const wrote = new Deferred<unknown>();
    handle(({ stdout, stderr }) => {
      setTimeout(() => {
        stdout.write("late");
        stderr.write("late", (error) => wrote.resolve(error));
      }, 50);
      return 1;
    });
    expect(await exec("any")).toMatchObject({ status: 1, stdout: "", stderr: "" });
    expect(await wrote.promise).toBeInstanceOf(Error);
  });
});

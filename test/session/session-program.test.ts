import { once } from "node:events";
import { PassThrough } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { setTimeout as passed } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Channel, MaybePromise, ProgramDecision } from "../../src/index.js";
import { MessageNumber } from "../../src/protocol/constants.js";
import { Reader } from "../../src/protocol/reader.js";
import { Attacked, TargetServer } from "../attack/attacked-server.js";
import type { PacketClient } from "../support/packet-client.js";
import {
  channelClose,
  channelData,
  channelEof,
  channelRequest,
  execRequest,
  windowAdjust,
} from "../support/packet-messages.js";

const { CHANNEL_CLOSE, CHANNEL_DATA, CHANNEL_EOF, CHANNEL_EXTENDED_DATA, CHANNEL_FAILURE } = MessageNumber;
const { CHANNEL_REQUEST, CHANNEL_SUCCESS, CHANNEL_WINDOW_ADJUST } = MessageNumber;

type Program = (channel: Channel) => MaybePromise<ProgramDecision>;

class ProgramServer extends TargetServer {
  program: Program = () => false;
  readonly seen: unknown[] = [];
  /** Whether channels are written to and read before there is a program. */
  greets = false;

  override onChannelOpened(channel: Channel): void {
    if (!this.greets) return;
    channel.write("hello");
    channel.resume();
  }

  override checkChannelExecRequest(channel: Channel, command: Buffer) {
    return command.toString() === "program" ? this.program(channel) : super.checkChannelExecRequest(channel, command);
  }

  override checkChannelPtyRequest() {
    return true;
  }

  override checkUnknownChannelRequest(_channel: unknown, kind: string) {
    this.seen.push(kind);
    return true;
  }
}

interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: { readonly err?: unknown };
}

async function start(program: Program) {
  const server = new ProgramServer();
  server.program = program;
  const log: LogLine[] = [];
  const line = (level: string) => (fields: object, message: string) => void log.push({ level, message, fields });
  const logger = { debug: () => {}, info: line("info"), warn: line("warn"), error: line("error") };
  const attacked = await Attacked.start(server, { logger });
  const client = await attacked.login();
  const { id } = await client.openSession({ window: 100_000 });
  return { server, attacked, client, id, log };
}

/** The messages until the server's CLOSE, in words. */
async function untilClose(client: PacketClient): Promise<string[]> {
  const messages: string[] = [];
  for (;;) {
    const payload = await client.nextPacket();
    const text = describeMessage(payload);
    if (text !== undefined) messages.push(text);
    if (payload[0] === CHANNEL_CLOSE) return messages;
  }
}

function describeMessage(payload: Buffer): string | undefined {
  const reader = new Reader(payload, 5);
  switch (payload[0]) {
    case CHANNEL_SUCCESS:
      return "success";
    case CHANNEL_FAILURE:
      return "failure";
    case CHANNEL_DATA:
      return `data ${reader.readText()}`;
    case CHANNEL_EXTENDED_DATA:
      reader.readUint32();
      return `stderr ${reader.readText()}`;
    case CHANNEL_EOF:
      return "EOF";
    case CHANNEL_CLOSE:
      return "CLOSE";
    case CHANNEL_REQUEST: {
      const kind = reader.readText();
      reader.readBoolean();
      return kind === "exit-status" ? `status ${reader.readUint32()}` : kind;
    }
    case CHANNEL_WINDOW_ADJUST:
      return undefined;
    default:
      return `message ${payload[0]}`;
  }
}

async function run(program: Program) {
  const { client, id, log, attacked } = await start(program);
  client.sendPacket(execRequest(id, "program"));
  const messages = await untilClose(client);
  client.sendPacket(channelClose(id));
  await client.close();
  await attacked.expectUnharmed();
  return { messages, log: log.filter(({ level }) => level !== "info") };
}

describe("a program whose hook is asked", () => {
  it.each<[string, Program, readonly string[]]>([
    [
      "a write",
      async (channel) => {
        await new Promise((resolve) => channel.write("x", resolve));
        channel.sendExitStatus(3);
        channel.end();
      },
      ["data x", "status 3"],
    ],
    [
      "a write to stderr",
      async (channel) => {
        await new Promise((resolve) => channel.stderr.write("x", resolve));
        channel.sendExitStatus(3);
        channel.end();
      },
      ["stderr x", "status 3"],
    ],
    [
      "an end",
      async (channel) => {
        channel.end("x");
        await finished(channel, { readable: false });
        channel.sendExitStatus(3);
      },
      ["data x", "status 3"],
    ],
    [
      "a pipeline",
      async (channel) => {
        const source = new PassThrough();
        source.end("x");
        await pipeline(source, channel);
        channel.sendExitStatus(3);
        return true;
      },
      ["data x", "status 3"],
    ],
    [
      "a status",
      async (channel) => {
        channel.sendExitStatus(5);
        await passed(1);
        channel.end();
        return true;
      },
      ["status 5"],
    ],
  ])("has begun with %s, which may be awaited", async (_, program, output) => {
    const { messages, log } = await run(program);
    expect(messages).toEqual(["success", ...output, "EOF", "CLOSE"]);
    expect(log).toEqual([]);
  });

  it.each<[string, (channel: Channel) => Promise<unknown>]>([
    ["an iteration", async (channel) => String((await channel[Symbol.asyncIterator]().next()).value)],
    ["a listener", (channel) => new Promise((resolve) => channel.once("data", (data) => resolve(String(data))))],
    [
      "`readable`",
      (channel) => new Promise((resolve) => channel.once("readable", () => resolve(String(channel.read())))),
    ],
    [
      "a pipe",
      (channel) =>
        new Promise((resolve) => channel.pipe(new PassThrough()).once("data", (data) => resolve(String(data)))),
    ],
  ])("has begun with reading by %s: the client sends when it has its reply", async (_, read) => {
    const { client, id } = await start(async (channel) => {
      channel.write(`read ${await read(channel)}`);
      channel.sendExitStatus(3);
      channel.end();
    });
    client.sendPacket(execRequest(id, "program"));
    await client.expect(CHANNEL_SUCCESS);
    client.sendPacket(channelData(id, "input"));
    expect(await untilClose(client)).toEqual(["data read input", "status 3", "EOF", "CLOSE"]);
  });

  it("is asked before the reply where it does nothing, and may be refused", async () => {
    const { client, id } = await start(async () => {
      await passed(1);
      return false;
    });
    client.sendPacket(execRequest(id, "program"));
    await client.expect(CHANNEL_FAILURE);
    client.sendPacket(execRequest(id, "another"));
    await client.expect(CHANNEL_SUCCESS);
  });

  it("gets no early reply for what other hooks write, and what was read before", async () => {
    const { client, id, server } = await start(() => passed(20, false));
    server.greets = true;
    const { id: greeted } = await client.openSession();
    client.sendPacket(execRequest(greeted, "program"));
    client.sendPacket(channelData(greeted, "early"));
    await client.expect(CHANNEL_FAILURE, { skip: [CHANNEL_DATA, CHANNEL_WINDOW_ADJUST] });
    expect(id).not.toBe(greeted);
  });
});

describe("a program that has begun", () => {
  it("lets later requests of its channel be handled while its hook is pending; a second program is refused", async () => {
    let leave = () => {};
    const { client, id, server } = await start(async (channel) => {
      channel.write("begun");
      await new Promise<void>((resolve) => {
        leave = resolve;
      });
      channel.sendExitStatus(3);
      channel.end();
      return true;
    });
    client.sendPacket(execRequest(id, "program"));
    await client.expect(CHANNEL_SUCCESS);
    await client.expect(CHANNEL_DATA);
    client.sendPacket(channelRequest(id, "winadj@putty.projects.tartarus.org", "want-reply"));
    await client.expect(CHANNEL_SUCCESS);
    expect(server.seen).toEqual(["winadj@putty.projects.tartarus.org"]);
    client.sendPacket(execRequest(id, "another"));
    await client.expect(CHANNEL_FAILURE);
    leave();
    expect(await untilClose(client)).toEqual(["status 3", "EOF", "CLOSE"]);
  });

  it.each<[string, () => MaybePromise<ProgramDecision>]>([
    ["answers false", () => false],
    ["answers false later", () => passed(1, false)],
  ])("ends with status 1 when its hook %s", async (_, answer) => {
    const { messages } = await run((channel) => {
      channel.send("x");
      return answer();
    });
    expect(messages).toEqual(["success", "data x", "status 1", "EOF", "CLOSE"]);
  });

  it.each<[string, () => never | Promise<never>]>([
    [
      "throws",
      () => {
        throw new Error("broken");
      },
    ],
    ["rejects", () => Promise.reject(new Error("broken"))],
  ])("ends with status 1 and an error in the log when its hook %s, also behind a status", async (_, fail) => {
    const { messages, log } = await run((channel) => {
      channel.send("x");
      channel.sendExitStatus(0);
      return fail();
    });
    expect(messages).toEqual(["success", "data x", "status 1", "EOF", "CLOSE"]);
    expect(log).toMatchObject([{ level: "error", fields: { err: { message: "broken" } } }]);
  });

  it("needs an answer where it has not ended", async () => {
    const { messages, log } = await run((channel) => {
      channel.send("x");
    });
    expect(messages).toEqual(["success", "data x", "status 1", "EOF", "CLOSE"]);
    expect(log).toMatchObject([{ level: "error" }]);
  });
});

describe("the end of a program", () => {
  it("is status, EOF and CLOSE, which wait for the hook", async () => {
    const { messages } = await run(async (channel) => {
      channel.end("x");
      await passed(30);
      channel.sendExitStatus(7);
      return true;
    });
    expect(messages).toEqual(["success", "data x", "status 7", "EOF", "CLOSE"]);
  });

  it("waits for a status after the hook", async () => {
    const { messages } = await run((channel) => {
      channel.end("x");
      setTimeout(() => channel.sendExitStatus(7), 30);
      return true;
    });
    expect(messages).toEqual(["success", "data x", "status 7", "EOF", "CLOSE"]);
  });

  it("does not wait when the channel is closed; then the status is 0", async () => {
    const { messages } = await run((channel) => {
      channel.end("x");
      setTimeout(() => channel.close(), 30);
      return true;
    });
    expect(messages).toEqual(["success", "data x", "status 0", "EOF", "CLOSE"]);
  });

  it("has status 0 after a second; a later one is a warning", async () => {
    let channel: Channel | undefined;
    const { client, id, log } = await start((started) => {
      channel = started;
      started.end("x");
      return true;
    });
    client.sendPacket(execRequest(id, "program"));
    expect(await untilClose(client)).toEqual(["success", "data x", "status 0", "EOF", "CLOSE"]);
    channel?.sendExitStatus(7);
    expect(log.filter(({ level }) => level === "warn")).toMatchObject([
      { message: "an exit status after close() is not sent" },
    ]);
  });

  it("comes behind output that the client has not taken", async () => {
    const { client, id } = await start((channel) => {
      channel.end("x".repeat(100_001));
      channel.sendExitStatus(7);
      return true;
    });
    client.sendPacket(execRequest(id, "program"));
    await client.expect(CHANNEL_SUCCESS);
    for (let size = 0; size < 100_000; ) size += (await client.expect(CHANNEL_DATA)).length - 9;
    client.sendPacket(windowAdjust(id, 1));
    expect(await untilClose(client)).toEqual(["data x", "status 7", "EOF", "CLOSE"]);
  });

  it("waits for streams that are piped into stderr", async () => {
    const { messages } = await run((channel) => {
      const errors = new PassThrough();
      errors.pipe(channel.stderr);
      channel.end("x");
      channel.sendExitStatus(7);
      setTimeout(() => errors.end("late"), 30);
      return true;
    });
    expect(messages).toEqual(["success", "data x", "stderr late", "status 7", "EOF", "CLOSE"]);
  });

  it("does not wait for a stderr that was written to and left open", async () => {
    const { messages } = await run((channel) => {
      channel.stderr.write("warning");
      channel.end("x");
      channel.sendExitStatus(7);
      return true;
    });
    expect(messages).toEqual(["success", "stderr warning", "data x", "status 7", "EOF", "CLOSE"]);
  });

  it("is not EOF alone, by sendEof; end() is the end also behind it", async () => {
    const { client, id } = await start(async (channel) => {
      channel.send("x");
      channel.sendEof();
      for await (const _ of channel);
      channel.sendExitStatus(3);
      channel.end();
    });
    client.sendPacket(execRequest(id, "program"));
    await client.expect(CHANNEL_SUCCESS);
    await client.expect(CHANNEL_DATA);
    await client.expect(CHANNEL_EOF);
    client.sendPacket(channelEof(id));
    expect(await untilClose(client)).toEqual(["status 3", "CLOSE"]);
  });

  it("leaves nothing behind when the client goes first", async () => {
    const { client, id, attacked } = await start(async (channel) => {
      channel.end("x");
      await passed(20);
    });
    client.sendPacket(execRequest(id, "program"));
    await client.expect(CHANNEL_DATA, { skip: [CHANNEL_SUCCESS] });
    client.reset();
    await attacked.expectUnharmed();
  });

  it("is not an error of the hook where the client has gone in the middle of its output", async () => {
    const output = new PassThrough();
    const { client, id, attacked, log } = await start((channel) => pipeline(output, channel));
    client.sendPacket(execRequest(id, "program"));
    output.write("x");
    await client.expect(CHANNEL_DATA, { skip: [CHANNEL_SUCCESS] });
    client.reset();
    await attacked.expectUnharmed();
    expect(output.destroyed).toBe(true);
    expect(log.filter(({ level }) => level !== "info")).toEqual([]);
  });

  it("hears that its client has gone where it waits for room", async () => {
    const waiting: Promise<unknown>[] = [];
    const { client, id, attacked, log } = await start(async (channel) => {
      channel.write(Buffer.alloc(200_000));
      waiting.push(once(channel, "drain"));
      await waiting[0];
    });
    client.sendPacket(execRequest(id, "program"));
    await client.expect(CHANNEL_DATA, { skip: [CHANNEL_SUCCESS] });
    client.reset();
    await expect(waiting[0]).rejects.toMatchObject({ code: "ERR_STREAM_PREMATURE_CLOSE" });
    await attacked.expectUnharmed();
    expect(log.filter(({ level }) => level !== "info")).toEqual([]);
  });

  it("keeps the place of a channel that is closed while its hook still works", async () => {
    let leave = () => {};
    const server = new ProgramServer();
    server.program = (channel) => {
      channel.send("x");
      return new Promise((resolve) => {
        leave = () => resolve(true);
      });
    };
    const attacked = await Attacked.start(server, { maxChannels: 1 });
    const client = await attacked.login();
    const { id } = await client.openSession();
    client.sendPacket(execRequest(id, "program"));
    await client.expect(CHANNEL_DATA, { skip: [CHANNEL_SUCCESS] });
    client.sendPacket(channelClose(id));
    await client.expect(CHANNEL_CLOSE);
    await expect(client.openSession()).rejects.toThrow();
    leave();
    await passed(1);
    await client.openSession();
  });
});

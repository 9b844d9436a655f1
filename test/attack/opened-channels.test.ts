import { once } from "node:events";
import { describe, expect, it, vi } from "vitest";
import { type AnyChannel, type Channel, ChannelOpenError, type Connection } from "../../src/index.js";
import { DisconnectReason, MessageNumber as M } from "../../src/protocol/constants.js";
import { Reader } from "../../src/protocol/reader.js";
import { Writer } from "../../src/protocol/writer.js";
import { extent } from "../support/extent.js";
import type { OpenedChannel, PacketClient } from "../support/packet-client.js";
import {
  channelClose,
  channelData,
  channelEof,
  channelRequest,
  message,
  ping,
  readChannelData,
  recipientChannel,
  windowAdjust,
} from "../support/packet-messages.js";
import { Attacked, TargetServer } from "./attacked-server.js";

const KIND = "test@example.com";
const MAX_CHANNELS = 20;

/** Opens channels, and asks, when a command says so. */
class OpeningServer extends TargetServer {
  readonly outcomes: string[] = [];
  readonly opened: AnyChannel[] = [];
  abort = new AbortController();
  #session: Channel | undefined;

  /** The last session on which a command has come. */
  get session(): Channel {
    if (this.#session === undefined) throw new Error("no session");
    return this.#session;
  }

  override checkChannelExecRequest(channel: Channel, command: Buffer) {
    this.#session = channel;
    return super.checkChannelExecRequest(channel, command);
  }

  open(count: number): void {
    const { signal } = this.abort;
    for (let index = 0; index < count; index++) {
      this.#note(
        this.session.connection.openChannel(KIND, undefined, { signal }).then((channel) => {
          this.opened.push(channel);
          return "opened";
        }),
      );
    }
  }

  ask(count: number): void {
    for (let index = 0; index < count; index++) {
      this.#note(this.session.sendRequest(KIND).then(String));
      this.#note(this.session.connection.sendGlobalRequest(KIND).then(String));
    }
  }

  #note(outcome: Promise<string>): void {
    outcome.then(
      (what) => this.outcomes.push(what),
      (error) => this.outcomes.push(error instanceof ChannelOpenError ? `reason ${error.reason}` : String(error)),
    );
  }
}

interface Start {
  readonly attacked: Attacked<OpeningServer>;
  readonly server: OpeningServer;
  readonly client: PacketClient;
  readonly session: OpenedChannel;
  /** Has the server open a channel; returns its number. */
  open(): Promise<number>;
}

async function start(): Promise<Start> {
  const server = new OpeningServer();
  const attacked = await Attacked.start(server, { maxChannels: MAX_CHANNELS });
  const client = await attacked.login();
  const session = await client.openSession();
  client.sendPacket(channelRequest(session.id, "exec", "want-reply", new Writer().writeString("hold").toBuffer()));
  await client.expect(M.CHANNEL_SUCCESS);
  const open = async () => {
    server.open(1);
    const reader = new Reader(await client.expect(M.CHANNEL_OPEN), 1);
    expect(reader.readText()).toBe(KIND);
    return reader.readUint32();
  };
  return { attacked, server, client, session, open };
}

const confirmation = (recipient: number, { sender = 70, window = 1024, maxPacket = 1024 } = {}): Buffer =>
  new Writer()
    .writeByte(M.CHANNEL_OPEN_CONFIRMATION)
    .writeUint32(recipient)
    .writeUint32(sender)
    .writeUint32(window)
    .writeUint32(maxPacket)
    .toBuffer();

const failure = (recipient: number, reason = 1, description: string | Uint8Array = "no"): Buffer =>
  new Writer()
    .writeByte(M.CHANNEL_OPEN_FAILURE)
    .writeUint32(recipient)
    .writeUint32(reason)
    .writeString(description)
    .writeString("")
    .toBuffer();

/** All that was sent was handled. */
async function handled(client: PacketClient): Promise<void> {
  client.sendPacket(ping("handled"));
  await client.expect(M.PONG, { skip: [M.CHANNEL_DATA, M.CHANNEL_CLOSE] });
}

async function leave({ client, attacked }: Start): Promise<void> {
  await client.close();
  await attacked.expectUnharmed();
}

describe("an answer about a channel that the server opens", () => {
  it.each<[what: string, answers: (id: number) => readonly Buffer[]]>([
    ["two confirmations", (id) => [confirmation(id), confirmation(id)]],
    ["two failures", (id) => [failure(id), failure(id)]],
    ["a confirmation and a failure", (id) => [confirmation(id), failure(id)]],
    ["a failure and a confirmation", (id) => [failure(id), confirmation(id)]],
    ["a confirmation after CLOSE", (id) => [confirmation(id), channelClose(id), confirmation(id)]],
    ["a failure after CLOSE", (id) => [confirmation(id), channelClose(id), failure(id)]],
    ["a confirmation for the next channel", (id) => [confirmation(id + 1)]],
    ["a failure for the session", () => [failure(0)]],
    ["a confirmation for the client's own number", (id) => [confirmation(id), confirmation(70)]],
    ["a confirmation that is cut", (id) => [confirmation(id).subarray(0, -1)]],
    ["a failure without a language", (id) => [failure(id).subarray(0, -4)]],
    ["a failure with bytes behind it", (id) => [Buffer.concat([failure(id), Buffer.alloc(1)])]],
    ["data before the confirmation", (id) => [channelData(id, "x")]],
    ["EOF before the confirmation", (id) => [channelEof(id)]],
    ["CLOSE before the confirmation", (id) => [channelClose(id)]],
    ["a request before the confirmation", (id) => [channelRequest(id, "x", "want-reply")]],
    ["data behind a failure", (id) => [failure(id), channelData(id, "x")]],
    ["a window that overflows", (id) => [confirmation(id, { window: 2 ** 32 - 1 }), windowAdjust(id, 1)]],
  ])("ends the connection where it is against the rules: %s", async (_, answers) => {
    const started = await start();
    const id = await started.open();
    for (const answer of answers(id)) started.client.sendPacket(answer);
    expect((await started.client.waitDisconnect()).reason).toBe(DisconnectReason.PROTOCOL_ERROR);
    await vi.waitFor(() => expect(started.server.outcomes).toHaveLength(1));
    await started.attacked.expectUnharmed();
  });

  it.each([0, 1, 2, 3, 4, 5, 2 ** 31, 0xfe000000, 2 ** 32 - 1])("may refuse it for any reason: %i", async (reason) => {
    const started = await start();
    started.client.sendPacket(failure(await started.open(), reason));
    await handled(started.client);
    expect(started.server.outcomes).toEqual([`reason ${reason}`]);
    await leave(started);
  });

  it.each<[what: string, description: Uint8Array, text: string]>([
    ["is not UTF-8", Buffer.of(0x61, 0xff, 0x62), "a\ufffdb"],
    ["commands a terminal", Buffer.from("\x1b[2Jx\r\ny"), "\\u{1b}[2Jx\\u{d}\\u{a}y"],
    ["is long", Buffer.alloc(30_000, "x"), `${"x".repeat(256)}…`],
  ])("may give a text that %s", async (_, description, text) => {
    const started = await start();
    const id = await started.open();
    const refused = started.server.session.connection.openChannel(KIND);
    started.client.sendPacket(failure(id));
    const other = new Reader(await started.client.expect(M.CHANNEL_OPEN), 1);
    other.readText();
    started.client.sendPacket(failure(other.readUint32(), 2, description));
    await expect(refused).rejects.toMatchObject({ reason: 2, description: text });
    await leave(started);
  });

  it("may leave no room for packets: the channel is closed, and nobody gets it", async () => {
    const started = await start();
    started.client.sendPacket(confirmation(await started.open(), { maxPacket: 0, window: 2 ** 32 - 1 }));
    expect(recipientChannel(await started.client.expect(M.CHANNEL_CLOSE))).toBe(70);
    expect([started.server.outcomes, started.server.opened]).toEqual([["reason 1"], []]);
    await leave(started);
  });

  it("opens a channel that has the window and the packets of the client", async () => {
    const started = await start();
    const { client, server } = started;
    const id = await started.open();
    client.sendPacket(confirmation(id, { window: 3, maxPacket: 2 }));
    client.sendPacket(channelData(id, "from the client"));
    await handled(client);
    const [channel] = server.opened;
    expect(channel?.read()?.toString()).toBe("from the client");
    channel?.send("12345");
    expect(readChannelData(await client.expect(M.CHANNEL_DATA)).toString()).toBe("12");
    expect(readChannelData(await client.expect(M.CHANNEL_DATA)).toString()).toBe("3");
    client.sendPacket(windowAdjust(id, 10));
    expect(readChannelData(await client.expect(M.CHANNEL_DATA)).toString()).toBe("45");
    await leave(started);
  });

  it("may be followed at once by data and CLOSE: the program gets the data, and hears of the end", async () => {
    const started = await start();
    const { client, server } = started;
    const { connection } = server.session;
    const heard: string[] = [];
    const gone = connection.openChannel(KIND).then(async (channel) => {
      const closed = once(channel, "close");
      for await (const chunk of channel) heard.push(String(chunk));
      await closed;
    });
    const reader = new Reader(await client.expect(M.CHANNEL_OPEN), 1);
    reader.readText();
    const id = reader.readUint32();
    // In one chunk.
    client.stream.socket.cork();
    for (const message of [confirmation(id), channelData(id, "a last word"), channelEof(id), channelClose(id)]) {
      client.sendPacket(message);
    }
    client.stream.socket.uncork();
    await gone;
    expect(heard).toEqual(["a last word"]);
    await leave(started);
  });

  it("that comes when nobody waits any more closes the channel at once, and what comes on it is dropped", async () => {
    const started = await start();
    const { client, server } = started;
    const id = await started.open();
    server.abort.abort();
    started.attacked.forgetCalls();
    client.sendPacket(confirmation(id));
    client.sendPacket(channelData(id, "data"));
    client.sendPacket(channelRequest(id, "x", "want-reply"));
    client.sendPacket(channelEof(id));
    expect(recipientChannel(await client.expect(M.CHANNEL_CLOSE))).toBe(70);
    client.sendPacket(channelClose(id));
    await handled(client);
    expect(server.outcomes).toEqual([expect.stringContaining("AbortError")]);
    expect(started.attacked.calls).toEqual([]);
    await leave(started);
  });
});

describe("channels that the client never confirms", () => {
  it("are bounded, count as its channels, and fail with the connection", async () => {
    const started = await start();
    const { server, client } = started;
    const asked = extent(10_000, 100_000);
    server.open(asked);
    await vi.waitFor(() => expect(server.outcomes).toHaveLength(asked - MAX_CHANNELS + 1));
    expect(new Set(server.outcomes)).toEqual(new Set(["reason 4"]));
    server.outcomes.length = 0;
    for (let index = 1; index < MAX_CHANNELS; index++) await client.expect(M.CHANNEL_OPEN);
    await expect(client.openSession()).rejects.toThrow(`message ${M.CHANNEL_OPEN_FAILURE} came`);
    await client.close();
    await vi.waitFor(() => expect(server.outcomes).toHaveLength(MAX_CHANNELS - 1));
    expect(new Set(server.outcomes)).toEqual(new Set(["Error: the connection has ended"]));
    await started.attacked.expectUnharmed();
  });

  it("keep their places when the server gives them up", async () => {
    const started = await start();
    const { server } = started;
    for (let round = 0; round < 1000; round++) {
      server.open(MAX_CHANNELS);
      server.abort.abort();
      server.abort = new AbortController();
    }
    await vi.waitFor(() => expect(server.outcomes).toHaveLength(1000 * MAX_CHANNELS));
    expect(server.outcomes.filter((outcome) => outcome !== "reason 4")).toHaveLength(MAX_CHANNELS - 1);
    await leave(started);
  });
});

describe("replies to what the server asks", () => {
  it("are taken in order, each once; more of them, and those about other channels, change nothing", async () => {
    const started = await start();
    const { server, client, session } = started;
    const { id: other } = await client.openSession();
    server.ask(2);
    for (let index = 0; index < 2; index++) {
      await client.expect(M.CHANNEL_REQUEST);
      await client.expect(M.GLOBAL_REQUEST);
    }
    const reply = (number: number, channel: number) => new Writer().writeByte(number).writeUint32(channel).toBuffer();
    client.sendPacket(reply(M.CHANNEL_SUCCESS, other));
    client.sendPacket(reply(M.CHANNEL_FAILURE, 2 ** 32 - 1));
    client.sendPacket(reply(M.CHANNEL_FAILURE, session.id));
    client.sendPacket(message(M.REQUEST_SUCCESS));
    client.sendPacket(reply(M.CHANNEL_SUCCESS, session.id));
    client.sendPacket(message(M.REQUEST_FAILURE));
    for (let index = 0; index < 1000; index++) {
      client.sendPacket(reply(M.CHANNEL_SUCCESS, session.id));
      client.sendPacket(message(M.REQUEST_SUCCESS));
    }
    await handled(client);
    expect(server.outcomes).toEqual(["false", "", "true", "false"]);
    await leave(started);
  });

  it("that never come leave nothing behind", async () => {
    const started = await start();
    const { server, client, session } = started;
    server.ask(10_000);
    await vi.waitFor(() => expect(server.outcomes).toHaveLength(2 * (10_000 - 256)));
    server.outcomes.length = 0;
    client.sendPacket(channelClose(session.id));
    await vi.waitFor(() => expect(server.outcomes).toHaveLength(256));
    expect(new Set(server.outcomes)).toEqual(new Set(["Error: the channel was closed before the answer"]));
    await client.close();
    await vi.waitFor(() => expect(server.outcomes).toHaveLength(512));
    await started.attacked.expectUnharmed();
  });
});

describe("a client that has not logged in", () => {
  it("is asked nothing: the hook gets a clear error", async () => {
    const errors: unknown[] = [];
    class EarlyServer extends TargetServer {
      override async checkAuthPassword(username: string, password: string, connection?: Connection) {
        const asked = [connection?.openChannel(KIND), connection?.sendGlobalRequest(KIND)];
        for (const outcome of await Promise.allSettled(asked)) {
          errors.push(outcome.status === "rejected" ? String(outcome.reason) : "asked");
        }
        return super.checkAuthPassword(username, password);
      }
    }
    const attacked = await Attacked.start(new EarlyServer());
    // The client that is there first has logged in, too.
    errors.length = 0;
    const before = "nothing can be asked of a client that has not logged in";
    const client = await attacked.login();
    expect(errors).toEqual([`Error: ${before}`, `Error: ${before}`]);
    await client.close();
    await attacked.expectUnharmed();
  });
});

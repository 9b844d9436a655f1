import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { connect } from "node:net";
import { dirname } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { silentLogger } from "../../../src/base/logger.js";
import { portOf } from "../../../src/connection/channel.js";
import { PKey } from "../../../src/crypto/pkey/pkey.js";
import { Agent } from "../../../src/forwarding/agent/agent.js";
import type { AnyChannel, Channel, Connection, FileOwner } from "../../../src/index.js";
import { DisconnectReason, MessageNumber } from "../../../src/protocol/constants.js";
import {
  decodeChannelOpen,
  encodeChannelOpenConfirmation,
  encodeChannelOpenFailure,
} from "../../../src/protocol/messages/channel-open.js";
import { fakeConnection } from "../../connection/fake-connection.js";
import { openTestChannel, type TestChannel } from "../../connection/test-channel.js";
import { PacketClient } from "../../support/packet-client.js";
import {
  channelClose,
  channelData,
  channelRequest,
  ping,
  readChannelData,
  recipientChannel,
} from "../../support/packet-messages.js";
import { serverFixture } from "../../support/server-fixture.js";
import { temporaryFolder } from "../../support/tools.js";
import { framed, identitiesAnswer } from "./agent-answers.js";
import { AgentServer } from "./agent-server.js";

const { CHANNEL_CLOSE, CHANNEL_DATA, CHANNEL_OPEN, CHANNEL_SUCCESS, CHANNEL_WINDOW_ADJUST, PONG } = MessageNumber;

/** The client's numbers of its channels. */
const SESSION = 0;
const AGENT = 7;

const server = new AgentServer();
const logged: object[] = [];
const logger = { ...silentLogger, info: (fields: object) => void logged.push(fields) };
const fixture = serverFixture({ server, logger });
const key = PKey.generate({ keyType: "ed25519" });

/** A client that has asked for the forwarding of its agent on a session, and the session's agent. */
async function start() {
  const client = await PacketClient.login(fixture.server.port, "admin", "secret");
  const { id } = await client.openSession();
  client.sendPacket(channelRequest(id, "auth-agent-req@openssh.com", "want-reply"));
  await client.expect(CHANNEL_SUCCESS);
  const channel = server.channels.at(-1);
  if (channel?.agent === undefined) throw new Error("there is no agent");
  return { client, id, channel, agent: channel.agent };
}

/** The number of the channel that the server opens. */
async function opening(client: PacketClient): Promise<number> {
  const open = decodeChannelOpen(await client.expect(CHANNEL_OPEN));
  expect(open).toMatchObject({ kind: "auth-agent@openssh.com", fields: Buffer.alloc(0) });
  return open.senderChannel;
}

async function confirmed(client: PacketClient): Promise<number> {
  const recipient = await opening(client);
  client.sendPacket(confirmation(recipient));
  return recipient;
}

const confirmation = (channel: number): Buffer =>
  encodeChannelOpenConfirmation({
    recipientChannel: channel,
    senderChannel: AGENT,
    initialWindowSize: 1024 * 1024,
    maximumPacketSize: 32 * 1024,
    fields: Buffer.alloc(0),
  });

describe("an agent that a client forwards", () => {
  it("is asked on a channel of its own, which is closed after the answer", async () => {
    const { client, agent } = await start();
    const listing = agent.list();
    const opened = await confirmed(client);
    expect(readChannelData(await client.expect(CHANNEL_DATA))).toEqual(framed(Buffer.of(11)));
    client.sendPacket(channelData(opened, framed(identitiesAnswer([{ publicBlob: key.publicBlob, comment: "ann" }]))));
    const [listed] = await listing;
    expect(listed?.publicKey?.equals(key)).toBe(true);
    expect(recipientChannel(await client.expect(CHANNEL_CLOSE))).toBe(AGENT);
    await client.close();
  });

  it("may be kept back by its client: the error has the reason, escaped", async () => {
    const { client, agent } = await start();
    const listing = agent.list();
    const recipient = await opening(client);
    client.sendPacket(
      encodeChannelOpenFailure({ recipientChannel: recipient, reason: 2, description: "no\u001bagent" }),
    );
    await expect(listing).rejects.toMatchObject({
      name: "AgentError",
      code: "refused",
      message: expect.stringContaining(String.raw`no\u{1b}agent (reason 2)`),
      cause: { name: "ChannelOpenError", reason: 2 },
    });
    await client.close();
  });

  it("is not waited for when the session ends, and what its client opens then is closed", async () => {
    const { client, id, agent } = await start();
    const listing = agent.list();
    const recipient = await opening(client);
    client.sendPacket(channelClose(id));
    await expect(listing).rejects.toMatchObject({ name: "AgentError", code: "closed" });
    expect(recipientChannel(await client.expect(CHANNEL_CLOSE))).toBe(SESSION);
    client.sendPacket(confirmation(recipient));
    expect(recipientChannel(await client.expect(CHANNEL_CLOSE))).toBe(AGENT);
    await client.close();
  });

  it("is not waited for when the connection ends", async () => {
    const { client, agent } = await start();
    const pending = [agent.list(), agent.sign(key, Buffer.from("data")), agent.openStream()];
    const opened = await confirmed(client);
    expect(opened).toBeGreaterThan(0);
    client.stream.socket.destroy();
    const outcomes = await Promise.allSettled(pending);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ status: "rejected", reason: { code: "closed" } });
  });

  it("is not asked after the session", async () => {
    const { client, id, agent } = await start();
    client.sendPacket(channelClose(id));
    await client.expect(CHANNEL_CLOSE);
    await expect(agent.list()).rejects.toMatchObject({ code: "closed" });
    await expect(agent.sign(key, Buffer.from("data"))).rejects.toMatchObject({ code: "closed" });
    await expect(agent.openStream()).rejects.toMatchObject({ code: "closed" });
    await expect(agent.listen()).rejects.toMatchObject({ code: "closed" });
    client.sendPacket(ping("quiet"));
    await client.expect(PONG);
    await client.close();
  });

  it("is not waited for any longer than the caller wants", async () => {
    const { client, agent } = await start();
    const abort = new AbortController();
    const pending = [
      agent.list({ signal: abort.signal }),
      agent.sign(key, Buffer.from("data"), { signal: abort.signal }),
      agent.openStream({ signal: abort.signal }),
    ];
    await opening(client);
    const reason = new Error("no longer");
    abort.abort(reason);
    const outcomes = await Promise.allSettled(pending);
    for (const outcome of outcomes) expect(outcome).toEqual({ status: "rejected", reason });
    await client.close();
  });
});

describe("a stream to an agent", () => {
  it("is a channel, and ends with the session", async () => {
    const { client, id, agent } = await start();
    const opening = agent.openStream();
    const opened = await confirmed(client);
    const stream = await opening;
    stream.write("ping");
    expect(readChannelData(await client.expect(CHANNEL_DATA)).toString()).toBe("ping");
    client.sendPacket(channelData(opened, "pong"));
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
      expect(chunk.toString()).toBe("pong");
      break;
    }
    client.sendPacket(channelClose(id));
    const closed = [await client.expect(CHANNEL_CLOSE), await client.expect(CHANNEL_CLOSE)].map(recipientChannel);
    expect(closed.sort()).toEqual([SESSION, AGENT]);
    expect(stream.destroyed).toBe(true);
    await client.close();
  });

  it("is closed where the session ends as it is opened", async () => {
    const opened: TestChannel<AnyChannel>[] = [];
    const connection: Connection = {
      ...fakeConnection(),
      openChannel: async () => {
        const stream = openTestChannel({ kind: "auth-agent@openssh.com", connection });
        opened.push(stream);
        session.channel.destroy();
        portOf(session.channel).receiveClose();
        return stream.channel;
      },
    };
    const session: TestChannel<Channel> = openTestChannel({ connection });
    const forwarded = new Agent(session.channel, { refused: () => {}, notRemoved: () => {}, ended: () => {} });
    await expect(forwarded.openStream()).rejects.toMatchObject({ code: "closed" });
    expect(opened.map(({ channel }) => channel.destroyed)).toEqual([true]);
  });

  it("is closed where the server closes the session, whatever the client says", async () => {
    const { client, agent, channel } = await start();
    const opening = agent.openStream();
    await confirmed(client);
    const stream = await opening;
    channel.destroy();
    await vi.waitFor(() => expect(stream.destroyed).toBe(true));
    await client.close();
  });
});

describe("the socket for programs", () => {
  const folder = temporaryFolder();
  beforeEach(() => void vi.stubEnv("TMPDIR", folder));
  afterEach(() => void vi.unstubAllEnvs());

  it("leads to the agent, once for each channel, and is gone with it", async () => {
    const { client, id, agent, channel } = await start();
    expect(channel.environment.has("SSH_AUTH_SOCK")).toBe(false);
    const paths = await Promise.all([agent.listen(), agent.listen()]);
    const [path = ""] = paths;
    expect(paths).toEqual([path, path]);
    expect(channel.environment.get("SSH_AUTH_SOCK")).toEqual(Buffer.from(path));
    const program = connect(path);
    const chunks: Buffer[] = [];
    program.on("data", (chunk) => chunks.push(chunk));
    const closed = new Promise((resolve) => program.once("close", resolve));
    program.write("ping");
    const opened = await confirmed(client);
    expect(readChannelData(await client.expect(CHANNEL_DATA, { skip: [CHANNEL_WINDOW_ADJUST] })).toString()).toBe(
      "ping",
    );
    client.sendPacket(channelData(opened, "pong"));
    await vi.waitFor(() => expect(Buffer.concat(chunks).toString()).toBe("pong"));
    client.sendPacket(channelClose(id));
    await closed;
    await vi.waitFor(() => expect(existsSync(dirname(path))).toBe(false));
    await client.close();
  });

  it("hangs up where the client opens no channel, which is a line of the log", async () => {
    const { client, agent } = await start();
    const program = connect(await agent.listen());
    const closed = new Promise((resolve) => program.once("close", resolve));
    const recipientChannel = await opening(client);
    client.sendPacket(encodeChannelOpenFailure({ recipientChannel, reason: 1, description: "no" }));
    program.resume();
    await closed;
    const reason = "auth-agent-req@openssh.com: a program was not connected to the agent";
    await vi.waitFor(() => expect(logged).toContainEqual(expect.objectContaining({ reason, username: "admin" })));
    await client.close();
  });

  it("is gone with the connection, also where that ends while it is being made", async () => {
    const { agent, channel } = await start();
    const listening = agent.listen();
    channel.connection.disconnect(DisconnectReason.BY_APPLICATION);
    await expect(listening).rejects.toMatchObject({ code: "closed" });
    expect(channel.environment.has("SSH_AUTH_SOCK")).toBe(false);
    await vi.waitFor(async () => expect(await readdir(folder)).toEqual([]));
  });

  it("is tried again after a failure", async () => {
    const { client, agent, channel } = await start();
    vi.stubEnv("TMPDIR", `/tmp/${"long-".repeat(20)}`);
    await expect(agent.listen()).rejects.toMatchObject({ code: "socket", message: expect.stringContaining("TMPDIR") });
    expect(channel.environment.has("SSH_AUTH_SOCK")).toBe(false);
    vi.stubEnv("TMPDIR", folder);
    expect(existsSync(await agent.listen())).toBe(true);
    await client.close();
    await vi.waitFor(async () => expect(await readdir(folder)).toEqual([]));
  });

  it.each<object>([{ uid: -1 }, { uid: 1.5 }, { gid: "0" }, { gid: 2 ** 32 - 1 }, { user: 0 }])(
    "has options that are checked: %j",
    async (owner: FileOwner) => {
      const { client, agent } = await start();
      await expect(agent.listen(owner)).rejects.toMatchObject({ name: "ConfigurationError" });
      await client.close();
    },
  );
});

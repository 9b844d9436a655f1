import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import type { Channel } from "../../src/index.js";
import { MessageNumber } from "../../src/protocol/constants.js";
import { extent, sample } from "../support/extent.js";
import { PacketClient } from "../support/packet-client.js";
import {
  channelClose,
  channelData,
  channelExtendedData,
  channelOpen,
  channelRequest,
  debug,
  execRequest,
  globalRequest,
  ignore,
  message,
  ping,
  windowAdjust,
} from "../support/packet-messages.js";
import { Attacked, PASSWORD, TargetServer, USERNAME } from "./attacked-server.js";
import { MIB } from "./memory.js";
import { settled } from "./settled.js";

const { CHANNEL_CLOSE, CHANNEL_SUCCESS, PONG } = MessageNumber;
const LONG = { timeout: 120_000 };

/**
 * Connects through a Unix domain socket. It holds some hundred kilobytes, where a TCP connection on loopback holds
 * megabytes: so many short messages and their answers that they take seconds. `loginWithoutRoom` has the answers come
 * with the longest tags there are, for the same reason.
 */
async function connectWithoutRoom(attacked: Attacked): Promise<PacketClient> {
  const path = join(tmpdir(), `spindlex-${randomUUID()}`);
  const listener = createServer((socket) => attacked.manager.handleConnection(socket)).listen(path);
  await once(listener, "listening");
  const client = await PacketClient.connect(path);
  listener.close();
  return client;
}

async function loginWithoutRoom(attacked: Attacked, compressionClientToServer = ["none"]): Promise<PacketClient> {
  const client = await connectWithoutRoom(attacked);
  await client.exchangeIdentifications();
  client.sendKexInit({
    compressionClientToServer,
    cipherServerToClient: ["aes128-ctr"],
    macServerToClient: ["hmac-sha2-512-etm@openssh.com"],
  });
  await client.readServerKexInit();
  await client.agreeOnKeys();
  client.sendNewKeys();
  await client.requestService("ssh-userauth");
  expect((await client.authPassword(USERNAME, PASSWORD))[0]).toBe(MessageNumber.USERAUTH_SUCCESS);
  return client;
}

describe("a client that asks without end and reads nothing", () => {
  const small = "x".repeat(10);
  const questions: readonly (readonly [what: string, count: number, make: (channel: number) => Buffer])[] = [
    ["small pings", 1_000_000, () => ping(small)],
    ["large pings", 4_000, () => ping(Buffer.alloc(30_000))],
    ["unknown messages", 1_000_000, () => message(150)],
    ["unknown global requests", 1_000_000, () => globalRequest("x", "want-reply")],
    ["unknown channel requests", 1_000_000, (channel) => channelRequest(channel, "x", "want-reply")],
    ["channels of unknown types", 1_000_000, () => channelOpen({ kind: "x" })],
    ["more channels than there may be", 1_000_000, () => channelOpen()],
  ];
  it.each(sample(questions, 4))("%s: is not read in turn", LONG, async (_, count, make) => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await loginWithoutRoom(attacked);
    const { id } = await client.openSession();
    client.stopReading();
    const payload = make(id);
    const before = attacked.memoryInUse();
    const sent = await client.flood(() => payload, count);
    expect(sent).toBeLessThan(count);
    expect(attacked.memoryInUse() - before).toBeLessThan(16 * MIB);
    client.stream.socket.destroy();
    await attacked.expectUnharmed();
  });

  it("compressed pings, whose answers are not: is not read in turn", LONG, async () => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await loginWithoutRoom(attacked, ["zlib@openssh.com"]);
    client.stopReading();
    const payload = ping(Buffer.alloc(250_000));
    const before = attacked.memoryInUse();
    // Answered, these would be more than may be held.
    await client.flood(() => payload, 100);
    await settled(() => attacked.manager.getConnectionStats().bytesReceived);
    expect(attacked.memoryInUse() - before).toBeLessThan(16 * MIB);
    client.stream.socket.destroy();
    await attacked.expectUnharmed();
  });
});

describe("a client that says nothing of use without end", () => {
  /** Of what would take 53 bytes to remember, too many to remember. */
  const MANY = extent(20_000, 1_000_000);

  const messages: readonly (readonly [what: string, count: number, make: (channel: number) => Buffer])[] = [
    ["IGNORE", MANY, () => ignore("x")],
    ["large IGNORE", 1_000, () => ignore(Buffer.alloc(30_000))],
    ["DEBUG", MANY, () => debug("x".repeat(100))],
    ["UNIMPLEMENTED", MANY, () => Buffer.of(MessageNumber.UNIMPLEMENTED, 0, 0, 0, 0)],
    ["windows of nothing", MANY, (channel) => windowAdjust(channel, 0)],
    ["data of nothing", MANY, (channel) => channelData(channel, "")],
    ["extended data", 20_000, (channel) => channelExtendedData(channel, 1, "x".repeat(100))],
    ["requests without a reply", MANY, (channel) => channelRequest(channel, "x", "no-reply")],
    ["global requests without a reply", MANY, () => globalRequest("x", "no-reply")],
  ];
  it.each(sample(messages, 3))("%s: is read to the end, and nothing of it is kept", LONG, async (_, count, make) => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await attacked.login();
    const { id } = await client.openSession();
    client.sendPacket(execRequest(id, "hold"));
    await client.expect(CHANNEL_SUCCESS);
    const before = attacked.memoryInUse();
    const payload = make(id);
    expect(await client.flood(() => payload, count, 20_000)).toBe(count);
    client.sendPacket(ping("done"));
    await client.expect(PONG, { skip: [MessageNumber.CHANNEL_WINDOW_ADJUST] });
    expect(attacked.memoryInUse() - before).toBeLessThan(MIB);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("opens and closes channels: nothing of them is kept", LONG, async () => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await attacked.login();
    const round = async (): Promise<void> => {
      const { id } = await client.openSession();
      client.sendPacket(channelClose(id));
      await client.expect(CHANNEL_CLOSE);
    };
    for (let index = 0; index < 200; index++) await round();
    const before = attacked.memoryInUse();
    for (let index = 0; index < extent(2_000, 20_000); index++) await round();
    expect(attacked.memoryInUse() - before).toBeLessThan(MIB);
    await client.close();
    await attacked.expectUnharmed();
  });
});

/** Writes to every `produce` as long as it is let. */
class ProducingServer extends TargetServer {
  written = 0;

  override checkChannelExecRequest(channel: Channel, command: Buffer) {
    if (command.toString() !== "produce") return super.checkChannelExecRequest(channel, command);
    const block = Buffer.alloc(8 * 1024);
    const produce = (): void => {
      let room = true;
      while (room) {
        // A fresh block each time: what waits is then really held.
        room = channel.write(Buffer.from(block));
        this.written += block.length;
      }
    };
    channel.on("drain", produce);
    produce();
    return true;
  }
}

describe("a stalled peer", () => {
  const WINDOW = 2 * MIB;

  it("that gives no window: its writer holds less than twice the window", async () => {
    const attacked = await Attacked.start(new ProducingServer());
    const client = await attacked.login();
    const before = attacked.memoryInUse();
    const { id } = await client.openSession({ window: WINDOW });
    client.sendPacket(execRequest(id, "produce"));
    let received = 0;
    await client.expect(CHANNEL_SUCCESS);
    while (received < WINDOW) received += (await client.expect(MessageNumber.CHANNEL_DATA)).length - 9;
    expect(received).toBe(WINDOW);
    await settled(() => attacked.server.written);
    expect(attacked.server.written - received).toBeLessThan(WINDOW);
    expect(attacked.memoryInUse() - before).toBeLessThan(2 * WINDOW);
    client.reset();
    await attacked.expectUnharmed();
  });

  it("that reads nothing: its writer holds less than twice the window", async () => {
    const attacked = await Attacked.start(new ProducingServer());
    const client = await attacked.login();
    const { id } = await client.openSession({ window: 2 ** 32 - 1 });
    client.stopReading();
    const before = attacked.memoryInUse();
    client.sendPacket(execRequest(id, "produce"));
    await vi.waitUntil(() => attacked.server.written > 0);
    await settled(() => attacked.server.written);
    expect(attacked.memoryInUse() - before).toBeLessThan(2 * WINDOW);
    client.reset();
    await attacked.expectUnharmed();
  });

  it.each(sample([32 * 1024, 1000, 100, 1], 3))(
    "that reads nothing of what comes in pieces of %i bytes holds less than twice the window",
    LONG,
    async (length) => {
      const attacked = await Attacked.start(new TargetServer());
      const client = await attacked.login({ cipher: ["aes128-ctr"] });
      const { id, window } = await client.openSession();
      client.sendPacket(execRequest(id, "hold"));
      await client.expect(CHANNEL_SUCCESS);
      const before = attacked.memoryInUse();
      const piece = channelData(id, Buffer.alloc(length));
      // Each one kept as it came would cost a hundred times its size and more.
      const count = Math.min(Math.floor(window / length), extent(40_000, 100_000));
      expect(await client.flood(() => piece, count, 20_000)).toBe(count);
      client.sendPacket(ping("done"));
      expect((await client.nextPacket())[0]).toBe(PONG);
      const [channel] = attacked.server.held;
      expect(attacked.memoryInUse() - before).toBeLessThan(2 * window);
      let read = 0;
      channel?.on("data", (chunk: Buffer) => {
        read += chunk.length;
      });
      await vi.waitUntil(() => read === count * length);
      client.reset();
      await attacked.expectUnharmed();
    },
  );

  it("with all its channels holds less than twice their windows", LONG, async () => {
    const channels = 16;
    const attacked = await Attacked.start(new TargetServer(), { maxChannels: channels });
    const client = await attacked.login();
    const before = attacked.memoryInUse();
    let total = 0;
    for (let index = 0; index < channels; index++) {
      const { id, window, maxPacket } = await client.openSession();
      client.sendPacket(execRequest(id, "hold"));
      await client.expect(CHANNEL_SUCCESS);
      const piece = channelData(id, Buffer.alloc(maxPacket));
      await client.flood(() => piece, Math.floor(window / maxPacket), 20_000);
      total += window;
    }
    client.sendPacket(ping("done"));
    await client.expect(PONG);
    expect(attacked.memoryInUse() - before).toBeLessThan(2 * total);
    client.reset();
    await vi.waitFor(() => expect(attacked.manager.getConnectionCount()).toBe(1), { timeout: 10_000 });
    // Its programs, and the notes about hooks, let go of channels that were not read.
    attacked.server.held.length = 0;
    attacked.forgetCalls();
    await attacked.expectUnharmed();
  });

  it("that leaves takes with it what was written for it", async () => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await attacked.login();
    const { id } = await client.openSession({ window: 2 ** 32 - 1 });
    client.stopReading();
    const before = attacked.memoryInUse();
    client.sendPacket(execRequest(id, "hold"));
    // The channel itself stays in `held`: a program may keep it too.
    await vi.waitFor(() => expect(attacked.server.held).toHaveLength(1));
    for (let index = 0; index < 64; index++) attacked.server.held[0]?.send(Buffer.alloc(MIB));
    expect(attacked.memoryInUse() - before).toBeGreaterThan(32 * MIB);
    client.reset();
    await vi.waitFor(() => expect(attacked.manager.getConnectionCount()).toBe(1));
    await vi.waitFor(() => expect(attacked.memoryInUse() - before).toBeLessThan(4 * MIB), { interval: 500 });
    await attacked.expectUnharmed();
  });
});

import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { Duplex } from "node:stream";
import { describe, expect, it, vi } from "vitest";
import type { Channel } from "../../src/index.js";
import { MessageNumber } from "../../src/protocol/constants.js";
import { extent } from "../support/extent.js";
import { PacketClient } from "../support/packet-client.js";
import {
  channelData,
  channelOpen,
  execRequest,
  globalRequest,
  ignore,
  readChannelData,
} from "../support/packet-messages.js";
import { Attacked, HOST_KEY, PASSWORD, TargetServer, USERNAME } from "./attacked-server.js";
import { Deferred } from "./deferred.js";
import { MIB } from "./memory.js";
import { settled } from "./settled.js";

const LOOSE = ["ext-info-c"];

/** `exec` writes without end, as far as it is let. */
class EndlessServer extends TargetServer {
  /** Bytes that `write` has taken. */
  written = 0;
  stopped = false;

  override checkChannelExecRequest(channel: Channel, command: Buffer) {
    if (command.toString() !== "endless") return super.checkChannelExecRequest(channel, command);
    const block = Buffer.alloc(64 * 1024);
    const fill = (): void => {
      let more = true;
      while (more && !channel.destroyed) {
        more = channel.write(block);
        this.written += block.length;
      }
    };
    channel.on("drain", fill).on("error", () => {});
    fill();
    return true;
  }
}

async function startEndless(client: PacketClient): Promise<number> {
  const { id } = await client.openSession({ window: 2 ** 32 - 1 });
  client.sendPacket(execRequest(id, "endless"));
  return id;
}

describe("re-keying by the client", () => {
  it.each([undefined, LOOSE])("works again and again (markers %s)", async (markers) => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await attacked.login(markers ? { markers } : {});
    const before = attacked.memoryInUse();
    for (let round = 0; round < extent(40, 100); round++) await client.exchangeKeys();
    expect((await client.exec("hello")).exitStatus).toBe(0);
    expect(attacked.memoryInUse() - before).toBeLessThan(extent(2, 4) * MIB);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("keeps the session id of the first exchange", async () => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await attacked.authenticating();
    attacked.server.authorizedKeys.add(HOST_KEY.fingerprint());
    await client.exchangeKeys();
    // `authPublickey` signs over the first session id.
    expect((await client.authPublickey(USERNAME, HOST_KEY))[0]).toBe(MessageNumber.USERAUTH_SUCCESS);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("that is begun and never finished holds little, however long it is left", async () => {
    const attacked = await Attacked.start(new EndlessServer());
    const client = await attacked.login();
    await startEndless(client);
    await client.expect(MessageNumber.CHANNEL_SUCCESS);
    const before = attacked.memoryInUse();
    client.sendKexInit();
    await client.readServerKexInit();
    const written = await settled(() => attacked.server.written);
    expect(attacked.memoryInUse() - before).toBeLessThan(24 * MIB);
    expect(written).toBeLessThan(64 * MIB);
    client.reset();
    await attacked.expectUnharmed();
  });
});

describe("strict key exchange", () => {
  it("is in force only if the first KEXINIT has the marker", async () => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await attacked.login({ cipher: ["chacha20-poly1305@openssh.com"], markers: LOOSE });
    client.sendKexInit({ kex: ["curve25519-sha256", "kex-strict-c-v00@openssh.com"] });
    await client.readServerKexInit();
    await client.agreeOnKeys();
    client.sendNewKeys();
    expect((await client.exec("hello")).exitStatus).toBe(0);
    await client.close();
    await attacked.expectUnharmed();
  });
});

describe("re-keying by the server", () => {
  const rekeyLimit = { bytes: 1 * MIB, seconds: 3600 };

  it("goes on serving what the client sends before its own KEXINIT", async () => {
    const attacked = await Attacked.start(new EndlessServer(), { rekeyLimit });
    const client = await attacked.login();
    await startEndless(client);
    await client.readServerKexInit();
    // Answers wait for the new keys, but what was on its way is legal (RFC 4253 §7.1).
    client.sendPacket(channelOpen({ senderChannel: 1 }));
    client.sendKexInit();
    await client.agreeOnKeys();
    client.sendNewKeys();
    const others = [MessageNumber.CHANNEL_DATA, MessageNumber.CHANNEL_SUCCESS];
    await client.expect(MessageNumber.CHANNEL_OPEN_CONFIRMATION, { skip: others });
    client.reset();
    await attacked.expectUnharmed();
  });

  it("sends nothing but the exchange between its KEXINIT and its NEWKEYS", async () => {
    const attacked = await Attacked.start(new EndlessServer(), { rekeyLimit });
    const client = await attacked.login();
    await startEndless(client);
    let received = 0;
    for (let exchanges = 0; exchanges < 3; ) {
      const payload = await client.nextPacket();
      if (payload[0] === MessageNumber.CHANNEL_DATA) received += readChannelData(payload).length;
      if (payload[0] !== MessageNumber.KEXINIT) continue;
      client.acceptServerKexInit(payload);
      client.sendKexInit();
      // Fails when anything else comes in between.
      await client.agreeOnKeys();
      client.sendNewKeys();
      exchanges++;
    }
    expect(received).toBeGreaterThan(2 * MIB);
    client.reset();
    await attacked.expectUnharmed();
  });

  it("that is never answered, by a client that reads: output stops, memory stays", async () => {
    const attacked = await Attacked.start(new EndlessServer(), { rekeyLimit });
    const client = await attacked.login();
    await startEndless(client);
    await client.readServerKexInit();
    const before = attacked.memoryInUse();
    const written = await settled(() => attacked.server.written);
    expect(written).toBeLessThan(32 * MIB);
    expect(attacked.memoryInUse() - before).toBeLessThan(24 * MIB);
    client.reset();
    await attacked.expectUnharmed();
  });

  it("that is never answered, by a client that reads nothing", async () => {
    const attacked = await Attacked.start(new EndlessServer(), { rekeyLimit });
    const before = attacked.memoryInUse();
    const client = await attacked.login();
    await startEndless(client);
    client.stopReading();
    const written = await settled(() => attacked.server.written);
    expect(written).toBeLessThan(48 * MIB);
    expect(attacked.memoryInUse() - before).toBeLessThan(24 * MIB);
    client.reset();
    await attacked.expectUnharmed();
  });

  it("that is never answered, by a client that keeps asking for more", async () => {
    const attacked = await Attacked.start(new EndlessServer(), { rekeyLimit });
    const client = await attacked.login();
    await startEndless(client);
    await client.readServerKexInit();
    const before = attacked.memoryInUse();
    // Each wants an answer that has to wait for the new keys.
    const request = globalRequest("no-such-request@spindlex", "want-reply");
    await client.flood(() => request, 500_000);
    expect(attacked.memoryInUse() - before).toBeLessThan(32 * MIB);
    client.reset();
    await attacked.expectUnharmed();
  });
});

describe("a stream that breaks as the server's KEXINIT is written to it", () => {
  /** Fills a block of packets, so that KEXINIT is what has it written, to a stream that then throws. */
  class BurstingServer extends TargetServer {
    breakStream = (): void => {};
    override checkChannelExecRequest(channel: Channel, command: Buffer) {
      channel.on("error", () => {});
      channel.once("data", () => {
        channel.write(Buffer.alloc(128 * 1024));
        void channel.sendRequest("filler@example.com", Buffer.alloc(600), { wantReply: false });
        this.breakStream();
        channel.connection.rekey();
      });
      return command.toString() === "burst" || super.checkChannelExecRequest(channel, command);
    }
  }

  it("leaves no timer behind", async () => {
    const attacked = await Attacked.start(new BurstingServer());
    const listener = createServer((socket) => {
      const stream = Duplex.from({ readable: socket, writable: socket });
      attacked.server.breakStream = () => {
        stream.write = () => {
          throw new Error("broken");
        };
      };
      attacked.manager.handleConnection(stream);
    }).listen(0, "127.0.0.1");
    await once(listener, "listening");
    const { port } = listener.address() as AddressInfo;
    for (let count = 0; count < 10; count++) {
      const client = await PacketClient.login(port, USERNAME, PASSWORD);
      const { id } = await client.openSession();
      client.sendPacket(execRequest(id, "burst"));
      await client.expect(MessageNumber.CHANNEL_SUCCESS);
      client.sendPacket(channelData(id, "x"));
      await client.stream.closed();
    }
    listener.close();
    await attacked.expectUnharmed();
  });
});

describe("a host key that takes its time to sign", () => {
  /** A key in some faraway device: it signs once `release` is called. */
  function slowKey() {
    const released = new Deferred();
    let slow = false;
    const key = {
      keyType: HOST_KEY.keyType,
      publicBlob: HOST_KEY.publicBlob,
      signatureAlgorithms: HOST_KEY.signatureAlgorithms,
      async sign(data: Buffer, algorithm: string): Promise<Buffer> {
        if (slow) await released.promise;
        return HOST_KEY.sign(data, algorithm);
      },
    };
    return {
      key,
      release: () => released.resolve(),
      beSlow: () => {
        slow = true;
      },
    };
  }

  it.each(["in the first exchange", "in a later exchange"])("%s, while the client floods", async (when) => {
    const { key, release, beSlow } = slowKey();
    const attacked = await Attacked.start(new TargetServer(), { serverKey: key });
    const first = when === "in the first exchange";
    const client = first ? await unfinished(attacked, LOOSE) : await attacked.login({ markers: LOOSE });
    beSlow();
    client.sendKexInit();
    await client.readServerKexInit();
    const exchange = client.agreeOnKeys();
    exchange.catch(() => {});
    const before = attacked.memoryInUse();
    const noise = ignore(Buffer.alloc(30_000));
    await client.flood(() => noise, 4_000);
    expect(attacked.memoryInUse() - before).toBeLessThan(16 * MIB);
    release();
    client.reset();
    await exchange.catch(() => {});
    await attacked.expectUnharmed();
  });

  it("after the client has left, is not waited for", async () => {
    const { key, release, beSlow } = slowKey();
    const attacked = await Attacked.start(new TargetServer(), { serverKey: key });
    beSlow();
    const client = await unfinished(attacked);
    client.sendKexInit();
    await client.readServerKexInit();
    const exchange = client.agreeOnKeys();
    exchange.catch(() => {});
    client.reset();
    await vi.waitFor(() => expect(attacked.manager.getConnectionCount()).toBe(1));
    release();
    await attacked.expectUnharmed();
  });

  it("and fails, ends that connection alone", async () => {
    const key = { ...slowKey().key, sign: () => Promise.reject(new Error("the device is gone")) };
    let broken = false;
    const sometimes = {
      ...key,
      sign: (data: Buffer, algorithm: string) => (broken ? key.sign() : HOST_KEY.sign(data, algorithm)),
    };
    const attacked = await Attacked.start(new TargetServer(), { serverKey: sometimes });
    broken = true;
    const client = await unfinished(attacked);
    await expect(client.exchangeKeys()).rejects.toThrow();
    await client.stream.closed();
    broken = false;
    await attacked.expectUnharmed();
  });
});

/** A connection before its first exchange. */
async function unfinished(attacked: Attacked, markers?: readonly string[]): Promise<PacketClient> {
  const client = await attacked.connect(markers ? { markers } : {});
  await client.exchangeIdentifications();
  return client;
}

import { deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { compressionAlgorithms } from "../../src/crypto/compression/registry.js";
import { DisconnectReason, MessageNumber as M, MAX_PACKET_LENGTH } from "../../src/protocol/constants.js";
import { extent, isLong, sample } from "../support/extent.js";
import type { PacketClient } from "../support/packet-client.js";
import { ignore, message, ping } from "../support/packet-messages.js";
import { Attacked, TargetServer } from "./attacked-server.js";
import { emptyDynamicBlocks, emptyFixedBlocks, storedBlock, ZLIB_HEADER } from "./deflate-blocks.js";
import { MIB } from "./memory.js";

const { COMPRESSION_ERROR, PROTOCOL_ERROR } = DisconnectReason;
const LONG = { timeout: 60_000 };
const COMPRESSED = { compression: ["zlib@openssh.com"] };

/** Milliseconds of the processor's time that one packet may take, the client's part included. */
const MAX_TIME = 2_000;

async function start(): Promise<{ attacked: Attacked; client: PacketClient; before: number }> {
  const attacked = await Attacked.start(new TargetServer());
  const client = await attacked.login(COMPRESSED);
  const before = attacked.memoryInUse();
  return { attacked, client, before };
}

/** Of the processor: other programs do not make them more. */
function millisecondsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

const stream = (...blocks: readonly Buffer[]): Buffer => Buffer.concat([ZLIB_HEADER, ...blocks]);

/** Nothing but blocks of this kind, as many as a packet holds. */
const fillers: Readonly<Record<string, () => Buffer>> = {
  "stored blocks of nothing": () => Buffer.concat(Array.from({ length: 50_000 }, () => storedBlock(Buffer.alloc(0)))),
  "fixed blocks of nothing": () => emptyFixedBlocks(200_000),
  "blocks with a code of their own and nothing else": () => emptyDynamicBlocks(20_000),
};

describe.each(Object.entries(fillers))("%s", (_, make) => {
  it("are not a message, and keep nobody waiting", LONG, async () => {
    const { attacked, client, before } = await start();
    const startedAt = process.cpuUsage();
    client.sendUncompressed(stream(make()));
    expect((await client.waitDisconnect()).reason).toBe(PROTOCOL_ERROR);
    expect(millisecondsSince(startedAt)).toBeLessThan(MAX_TIME);
    expect(attacked.memoryInUse() - before).toBeLessThan(8 * MIB);
    await attacked.expectUnharmed();
  });

  if (isLong || make === fillers["blocks with a code of their own and nothing else"])
    it("in front of messages keep nobody waiting for long", LONG, async () => {
      const { attacked, client, before } = await start();
      const filled = make();
      for (let round = 0; round < 4; round++) {
        client.sendUncompressed(
          Buffer.concat([round === 0 ? ZLIB_HEADER : Buffer.alloc(0), filled, storedBlock(ignore())]),
        );
      }
      const startedAt = process.cpuUsage();
      // Somebody else's login comes in between.
      const other = await attacked.login();
      expect(millisecondsSince(startedAt)).toBeLessThan(4 * MAX_TIME);
      await other.close();
      client.sendUncompressed(storedBlock(ping("x")));
      await client.expect(M.PONG);
      expect(attacked.memoryInUse() - before).toBeLessThan(8 * MIB);
      client.reset();
      await attacked.expectUnharmed();
    });
});

describe("a stored block", () => {
  it("that claims more than its packet has goes on in the next", async () => {
    const { attacked, client } = await start();
    const [first, second] = [ping("first"), ping("second")];
    client.sendUncompressed(stream(storedBlock(first, first.length + second.length)));
    await client.expect(M.PONG);
    client.sendUncompressed(second);
    expect((await client.expect(M.PONG)).subarray(5).toString()).toBe("second");
    await client.close();
    await attacked.expectUnharmed();
  });

  it.each([
    ["whose lengths do not agree", Buffer.from("00050005000000", "hex")],
    ["of a kind that there is none of", Buffer.from("07ffff", "hex")],
  ])("%s ends the connection", async (_, block) => {
    const { attacked, client } = await start();
    client.sendUncompressed(stream(block));
    client.sendUncompressed(Buffer.alloc(16));
    expect([COMPRESSION_ERROR, PROTOCOL_ERROR]).toContain((await client.waitDisconnect()).reason);
    await attacked.expectUnharmed();
  });

  it("that holds more than the largest message ends the connection", async () => {
    const { attacked, client } = await start();
    const block = storedBlock(Buffer.alloc(65_535, M.IGNORE));
    client.sendUncompressed(stream(block, block, block));
    client.sendPacket(ping("x"));
    expect((await client.waitDisconnect()).reason).toBe(COMPRESSION_ERROR);
    await attacked.expectUnharmed();
  });
});

describe("messages that swell", () => {
  it.each(sample([10, 1_000, 30_000, MAX_PACKET_LENGTH - 1_000], 3))(
    "%i-fold hold nothing, however many",
    LONG,
    async (length) => {
      const { attacked, client, before } = await start();
      const noise = ignore(Buffer.alloc(length));
      const count = Math.min(2_000, Math.ceil((extent(16, 32) * MIB) / length));
      expect(await client.flood(() => noise, count, 20_000)).toBe(count);
      client.sendPacket(ping("done"));
      await client.expect(M.PONG);
      expect(attacked.memoryInUse() - before).toBeLessThan(8 * MIB);
      await client.close();
      await attacked.expectUnharmed();
    },
  );

  it.each([1, 4])("to %i MiB too much end the connection before they have", LONG, async (mebibytes) => {
    const { attacked, client, before } = await start();
    const bomb = deflateRawSync(Buffer.alloc(mebibytes * MIB, M.IGNORE), { level: 9 });
    client.sendUncompressed(stream(bomb));
    expect((await client.waitDisconnect()).reason).toBe(COMPRESSION_ERROR);
    expect(attacked.memoryInUse() - before).toBeLessThan(8 * MIB);
    await attacked.expectUnharmed();
  });

  it("within the exchange of new keys do so no more", LONG, async () => {
    const { attacked, client } = await start();
    const bomb = deflateRawSync(Buffer.alloc(4 * MIB, M.IGNORE), { level: 9 });
    client.sendPacket(ping("x"));
    await client.expect(M.PONG);
    client.sendKexInit();
    await client.readServerKexInit();
    client.sendUncompressed(bomb);
    expect([COMPRESSION_ERROR, PROTOCOL_ERROR]).toContain((await client.waitDisconnect()).reason);
    await attacked.expectUnharmed();
  });
});

describe("a stream that is cut", () => {
  const whole = ((): Buffer => {
    const compressor = compressionAlgorithms.get("zlib@openssh.com")?.createCompressor();
    if (compressor === undefined) throw new Error("no compression");
    return compressor.compress(message(M.PING, "some text, some text, some more text"));
  })();

  it("anywhere is not a message, or an incomplete one", async () => {
    const attacked = await Attacked.start(new TargetServer());
    for (let length = 1; length < whole.length; length += extent(4, 1)) {
      const client = await attacked.login(COMPRESSED);
      client.sendUncompressed(whole.subarray(0, length));
      client.sendPacket(ping("y"));
      // The end of the stream is a block of nothing: without some of that, the message is whole.
      const [answer] = await client.nextPacket();
      expect([M.DISCONNECT, M.PONG], `${length} bytes`).toContain(answer);
      client.reset();
    }
    await attacked.expectUnharmed();
  });
});

import { describe, expect, it } from "vitest";
import { MessageNumber } from "../../src/protocol/constants.js";
import { readChannelData } from "../support/packet-messages.js";
import { programClient, requestTerminal, startCommand, untilGone } from "./program-server.js";

const WINDOW = 100_000;

describe.each(["pipes", "a terminal"])("output on %s that the client does not read", (place) => {
  it("waits in the program, not in memory, until the client goes", async () => {
    const { client, server } = await programClient();
    const before = process.memoryUsage().rss;
    for (const senderChannel of [0, 1, 2, 3]) {
      const channel = await client.openSession({ senderChannel, window: WINDOW });
      if (place === "a terminal") await requestTerminal(client, channel);
      await startCommand(client, channel, "exec cat /dev/zero");
      for (let read = 0; read < WINDOW; ) {
        const payload = await client.nextPacket();
        if (payload[0] === MessageNumber.CHANNEL_DATA) read += readChannelData(payload).length;
      }
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
    client.reset();
    await Promise.all(server.ends);
    for (const group of server.groups) await untilGone(group);
  });

  it("of a program that has ended is dropped when the client goes", async () => {
    const { client, server } = await programClient();
    const channel = await client.openSession({ window: 1_000 });
    if (place === "a terminal") await requestTerminal(client, channel);
    await startCommand(client, channel, "exec head -c 20000 /dev/zero");
    for (let read = 0; read < 1_000; ) read += readChannelData(await client.nextPacket()).length;
    const [group = 0] = server.groups;
    await untilGone(group);
    client.reset();
    expect(await server.ends[0]).toEqual({ status: 0 });
  });
});

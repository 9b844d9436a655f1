import { describe, expect, it } from "vitest";
import { isLong, sample } from "../support/extent.js";
import type { PacketClient } from "../support/packet-client.js";
import { ignore } from "../support/packet-messages.js";
import { Attacked, TargetServer } from "./attacked-server.js";
import { sessionSteps } from "./session-script.js";

/** Ways to break off, each of which the server has to notice by itself. */
const ends: Readonly<Record<string, (client: PacketClient) => void | Promise<void>>> = {
  "a reset": (client) => client.reset(),
  "a FIN": (client) => client.close(),
  "a FIN, and reads nothing from there on": async (client) => {
    client.stopReading();
    client.stream.socket.end();
    await new Promise(setImmediate);
    client.reset();
  },
  "a FIN inside the next packet": async (client) => {
    const { socket } = client.stream;
    if (socket.writable) client.sendPacket(ignore("cut"), { tamper: (packet) => packet.fill(0, 4) });
    await client.close();
  },
  "half of the next packet and a reset": (client) => {
    client.sendRaw(Buffer.alloc(7));
    client.reset();
  },
};

/** In the gate each step is followed by some of the ends. */
const isTried = (step: number, end: number): boolean => isLong || (step + end) % 4 === 0;

describe.each(Object.entries(ends).map(([what, end], which) => [what, end, which] as const))(
  "a session that ends with %s",
  (_, end, which) => {
    const steps = sessionSteps.map(({ what }, index) => [what, index] as const);
    it.each(steps.filter(([, index]) => isTried(index, which)))("after %s", async (_what, index) => {
      const attacked = await Attacked.start(new TargetServer());
      const client = await attacked.connect();
      for (const { go } of sessionSteps.slice(0, index + 1)) await go(client);
      await end(client);
      await attacked.expectUnharmed();
      expect(attacked.server.held.every((channel) => channel.signal.aborted)).toBe(true);
    });
  },
);

describe("an identification that is broken off", () => {
  const line = Buffer.from("SSH-2.0-packet_client with a comment\r\n");
  const lengths = Array.from({ length: line.length + 1 }, (_, length) => length);
  it.each(sample(lengths, 4))("after %i bytes", async (length) => {
    const attacked = await Attacked.start(new TargetServer());
    for (const end of [ends["a reset"], ends["a FIN"]]) {
      const client = await attacked.connect();
      client.sendRaw(line.subarray(0, length));
      await client.readIdentification();
      await end?.(client);
    }
    await attacked.expectUnharmed();
  });
});

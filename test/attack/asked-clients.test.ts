import { describe, expect, it } from "vitest";
import type { Channel } from "../../src/index.js";
import { MessageNumber as M } from "../../src/protocol/constants.js";
import type { PacketClient } from "../support/packet-client.js";
import { execRequest } from "../support/packet-messages.js";
import { Attacked, TargetServer } from "./attacked-server.js";
import { MIB } from "./memory.js";

const KIND = "test@example.com";
const LONG_FIELDS = Buffer.alloc(30_000);
const REFUSAL = "Error: the peer has not taken what was sent before";

const ways: Readonly<Record<string, (channel: Channel) => Promise<unknown>>> = {
  "global requests": ({ connection }) => connection.sendGlobalRequest(KIND, LONG_FIELDS),
  "global requests without a reply": ({ connection }) =>
    connection.sendGlobalRequest(KIND, LONG_FIELDS, { wantReply: false }),
  "channel requests": (channel) => channel.sendRequest(KIND, LONG_FIELDS),
  "channel requests without a reply": (channel) => channel.sendRequest(KIND, LONG_FIELDS, { wantReply: false }),
  channels: ({ connection }) => connection.openChannel(KIND, LONG_FIELDS),
};

const stops: Readonly<Record<string, (client: PacketClient) => void | Promise<void>>> = {
  "reads nothing": (client) => client.stopReading(),
  "exchanges keys without end": async (client) => {
    client.sendKexInit();
    await client.readServerKexInit();
  },
};

describe.each(Object.entries(stops))("what a program asks of a client that %s", (_, stop) => {
  it.each(Object.entries(ways))("is bounded, and does not end the connection: %s", async (_what, ask) => {
    const attacked = await Attacked.start(new TargetServer(), { maxChannels: 1_000 });
    const client = await attacked.login();
    const { id } = await client.openSession();
    client.sendPacket(execRequest(id, "hold"));
    await client.expect(M.CHANNEL_SUCCESS);
    const [channel] = attacked.server.held;
    if (channel === undefined) throw new Error("no session");
    await stop(client);
    const before = attacked.memoryInUse();
    const refusals = new Set<string>();
    for (let index = 0; index < 3_000; index++) {
      ask(channel).catch((error) => refusals.add(String(error)));
      // The socket gets its turn.
      if (index % 50 === 0) await new Promise(setImmediate);
    }
    expect([...refusals]).toContain(REFUSAL);
    expect(channel.connection.signal.aborted).toBe(false);
    expect(attacked.memoryInUse() - before).toBeLessThan(8 * MIB);
    client.reset();
    await attacked.expectUnharmed();
  });
});

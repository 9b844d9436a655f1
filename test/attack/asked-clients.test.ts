import { describe, expect, it } from "vitest";
import type { Channel } from "../../src/index.js";
import { MessageNumber as M } from "../../src/protocol/constants.js";
import { Reader } from "../../src/protocol/reader.js";
import { Writer } from "../../src/protocol/writer.js";
import { sample } from "../support/extent.js";
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
  // In the gate, a client that exchanges keys without end is asked in every third way.
  const tried = Object.entries(ways);
  it.each(stop === stops["reads nothing"] ? tried : sample(tried, 3))(
    "is bounded, and does not end the connection: %s",
    async (_what, ask) => {
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
      // Of 90 MB: what the system's sockets have taken stays with channels that are being opened.
      expect(attacked.memoryInUse() - before).toBeLessThan(24 * MIB);
      client.reset();
      await attacked.expectUnharmed();
    },
  );
});

describe("what a program asks while the client exchanges keys", () => {
  const steps: readonly [before: string, go: (client: PacketClient) => unknown][] = [
    ["KEXINIT", (client) => client.sendKexInit()],
    ["the server's KEXINIT", (client) => client.readServerKexInit()],
    ["the method's messages", (client) => client.agreeOnKeys()],
    ["NEWKEYS", (client) => client.sendNewKeys()],
    ["the end", () => {}],
  ];
  const moments = steps.flatMap(([asked], index) => steps.slice(index).map(([givenUp]) => [asked, givenUp] as const));

  it.each(moments)(
    "before %s waits for the new keys, and gets its own answers: some given up before %s",
    async (asked, givenUp) => {
      const attacked = await Attacked.start(new TargetServer());
      const client = await attacked.login();
      const connection = attacked.manager.getActiveConnections().at(-1);
      if (connection === undefined) throw new Error("no connection");
      const abort = new AbortController();
      const { signal } = abort;
      const answers: Promise<unknown>[] = [];
      for (const [moment, go] of steps) {
        if (moment === asked) {
          answers.push(connection.openChannel(KIND, undefined, { signal }), connection.openChannel(KIND));
          answers.push(connection.sendGlobalRequest(KIND, undefined, { signal }), connection.sendGlobalRequest(KIND));
        }
        if (moment === givenUp) abort.abort("given up");
        await go(client);
      }
      for (let count = 0; count < 2; count++) {
        const open = new Reader(await client.expect(M.CHANNEL_OPEN), 1);
        open.readText();
        client.sendPacket(openConfirmation(open.readUint32(), 70 + count));
      }
      for (const reply of ["first", "second"]) {
        await client.expect(M.GLOBAL_REQUEST, { skip: [M.CHANNEL_CLOSE] });
        client.sendPacket(Buffer.concat([Buffer.of(M.REQUEST_SUCCESS), Buffer.from(reply)]));
      }
      const [givenUpChannel, channel, givenUpReply, reply] = await Promise.allSettled(answers);
      expect([givenUpChannel, givenUpReply]).toMatchObject(Array(2).fill({ status: "rejected", reason: "given up" }));
      expect(channel).toMatchObject({ value: { kind: KIND, destroyed: false } });
      expect(reply).toMatchObject({ value: Buffer.from("second") });
      await client.close();
      await attacked.expectUnharmed();
    },
  );
});

const openConfirmation = (recipient: number, sender: number): Buffer =>
  new Writer()
    .writeByte(M.CHANNEL_OPEN_CONFIRMATION)
    .writeUint32(recipient)
    .writeUint32(sender)
    .writeUint32(2 ** 32 - 1)
    .writeUint32(2 ** 32 - 1)
    .toBuffer();

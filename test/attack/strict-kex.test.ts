import { describe, expect, it } from "vitest";
import { DisconnectReason, MessageNumber as M } from "../../src/protocol/constants.js";
import { startClient } from "../support/kex-client.js";
import { PacketClient } from "../support/packet-client.js";
import { sealPacket } from "../support/packet-framing.js";
import { ignore, ping, writeKexInit } from "../support/packet-messages.js";
import type { PacketClientOptions } from "../support/packet-transport.js";
import { Attacked, TargetServer } from "./attacked-server.js";

const { PROTOCOL_ERROR, MAC_ERROR, KEY_EXCHANGE_FAILED } = DisconnectReason;

const STRICT = "kex-strict-c-v00@openssh.com";
const LOOSE = ["ext-info-c"];

/** Every way to protect a packet whose sequence number matters to its tag, and the one where it does not. */
const suites: readonly PacketClientOptions[] = [
  { cipher: ["chacha20-poly1305@openssh.com"] },
  { cipher: ["aes128-ctr"], mac: ["hmac-sha2-256-etm@openssh.com"] },
  { cipher: ["aes256-ctr"], mac: ["hmac-sha2-512"] },
];
const names = suites.map((suite) => [[suite.cipher, suite.mac].flat().filter(Boolean).join(" + "), suite] as const);

/** Sends messages as one would who sits on the line: none of the two sides counts them. */
type Inject = (client: PacketClient, payload: Buffer) => void;

/** The places in the exchange where somebody on the line can put a message in clear. */
const places: Readonly<
  Record<string, (client: PacketClient, inject: (client: PacketClient) => void) => Promise<void>>
> = {
  "before KEXINIT": async (client, inject) => {
    inject(client);
    client.sendKexInit();
  },
  "after KEXINIT": async (client, inject) => {
    client.sendKexInit();
    inject(client);
    client.sendPacket(startClient("curve25519-sha256").init);
  },
  "before NEWKEYS": async (client, inject) => {
    client.sendKexInit();
    await client.agreeOnKeys();
    inject(client);
    client.sendNewKeys();
  },
};

async function greeted(attacked: Attacked, options: PacketClientOptions = {}): Promise<PacketClient> {
  const client = await attacked.connect(options);
  await client.exchangeIdentifications();
  await client.readServerKexInit();
  return client;
}

/** Puts one packet in clear onto the line which the client does not know of. */
const unseen: Inject = (client, payload) => {
  client.sendRaw(sealPacket(client.sealer, 0, payload));
};

async function expectEnd(attacked: Attacked, client: PacketClient): Promise<void> {
  const { disconnect } = await client.waitEnd();
  expect([PROTOCOL_ERROR, MAC_ERROR]).toContain(disconnect?.reason);
  expect(attacked.callNames).toEqual([]);
  await attacked.expectUnharmed();
}

describe.each(Object.entries(places))("under strict key exchange, a message that is injected %s", (_, go) => {
  it.each([1, 255])("ends the connection at the first of %i", async (count) => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await greeted(attacked);
    await go(client, (at) => {
      for (let index = 0; index < count; index++) unseen(at, ignore());
    });
    await expectEnd(attacked, client);
  });
});

describe("a message that is injected while another is cut out", () => {
  it.each(names)("under strict key exchange ends the connection: %s", async (_, suite) => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await greeted(attacked, suite);
    client.sendKexInit();
    await client.agreeOnKeys();
    unseen(client, ignore());
    client.sendNewKeys();
    // The first message under the new keys is lost, so that the numbers would agree again.
    client.continueCountingFrom(1);
    client.sendPacket(ping("x"));
    await expectEnd(attacked, client);
  });

  it.each(names)("cut out alone is found too: %s", async (_, suite) => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await greeted(attacked, suite);
    client.sendKexInit();
    await client.agreeOnKeys();
    client.sendNewKeys();
    client.continueCountingFrom(1);
    client.sendPacket(ping("x"));
    await expectEnd(attacked, client);
  });

  it.each(names)("of the server's messages, the first under new keys cannot be cut out: %s", async (_, suite) => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await PacketClient.handshake(attacked.port, suite);
    // EXT_INFO has number 0 again: that the client can open it shows that the server began anew.
    expect((await client.nextPacket())[0]).toBe(M.EXT_INFO);
    await client.requestService("ssh-userauth");
    await client.close();
    await attacked.expectUnharmed();
  });
});

describe("sequence numbers under strict key exchange", () => {
  it.each(names)("that go on from the first exchange are not understood: %s", async (_, suite) => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await greeted(attacked, suite);
    client.sendKexInit();
    await client.agreeOnKeys();
    const { lastSequenceNumber } = client;
    client.sendNewKeys();
    client.continueCountingFrom(lastSequenceNumber + 2);
    client.sendPacket(ping("x"));
    await expectEnd(attacked, client);
  });

  it.each(names)("that begin anew without it are not understood: %s", async (_, suite) => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await greeted(attacked, { ...suite, markers: LOOSE });
    client.sendKexInit();
    await client.agreeOnKeys();
    client.sendNewKeys();
    client.continueCountingFrom(0);
    client.sendPacket(ping("x"));
    await expectEnd(attacked, client);
  });

  it.each(names)("begin anew in every later exchange: %s", async (_, suite) => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await attacked.login(suite);
    for (let round = 0; round < 3; round++) {
      await client.exchangeKeys();
      expect(client.lastSequenceNumber).toBe(2 ** 32 - 1);
      expect((await client.exec("hello")).exitStatus).toBe(0);
    }
    await client.close();
    await attacked.expectUnharmed();
  });
});

describe("something that only looks like a marker", () => {
  const elsewhere: readonly (readonly [what: string, markers: readonly string[]])[] = [
    ["without its version", ["kex-strict-c@openssh.com"]],
    ["of the standard to come", ["kex-strict-c"]],
    ["of another version", ["kex-strict-c-v01@openssh.com"]],
    ["in capitals", [STRICT.toUpperCase()]],
    ["with more behind it", [`${STRICT}x`]],
  ];
  it.each(elsewhere)("changes nothing: %s", async (_, markers) => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await greeted(attacked, { markers: [...LOOSE, ...markers] });
    client.sendKexInit();
    client.sendPacket(ignore("allowed without strict key exchange"));
    await client.agreeOnKeys();
    client.sendNewKeys();
    client.sendPacket(ping("x"));
    await client.expect(M.PONG);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("changes nothing: among the host keys", async () => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await greeted(attacked, { markers: LOOSE, hostKey: [STRICT, "ssh-ed25519"] });
    client.sendKexInit();
    client.sendPacket(ignore("allowed without strict key exchange"));
    await client.agreeOnKeys();
    client.sendNewKeys();
    client.sendPacket(ping("x"));
    await client.expect(M.PONG);
    await client.close();
    await attacked.expectUnharmed();
  });

  it.each([
    ["the client's marker alone", [STRICT]],
    ["the server's marker alone", ["kex-strict-s-v00@openssh.com"]],
    ["the server's marker first", ["kex-strict-s-v00@openssh.com", "curve25519-sha256"]],
    ["the extension marker of the server first", ["ext-info-s", "curve25519-sha256"]],
  ])("is never taken for a method: %s", async (_, kex) => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await greeted(attacked);
    client.sendKexInit({ kex });
    expect((await client.waitDisconnect()).reason).toBe(KEY_EXCHANGE_FAILED);
    await attacked.expectUnharmed();
  });

  it("that is first or twice in the list is in force", async () => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await greeted(attacked);
    client.sendKexInit({ kex: [STRICT, "curve25519-sha256", STRICT] });
    client.sendPacket(ignore());
    await expectEnd(attacked, client);
  });
});

describe("a guess under strict key exchange", () => {
  it("that is wrong is passed over, and nothing else with it", async () => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await greeted(attacked, { kex: ["ecdh-sha2-nistp256"] });
    client.sendKexInit({ firstKexPacketFollows: true });
    client.sendPacket(startClient("curve25519-sha256").init);
    client.sendPacket(ignore());
    await expectEnd(attacked, client);
  });

  it("leaves the sequence numbers as they have to be", async () => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await greeted(attacked, {
      kex: ["ecdh-sha2-nistp256"],
      cipher: ["chacha20-poly1305@openssh.com"],
    });
    client.sendKexInit({ firstKexPacketFollows: true });
    client.sendPacket(startClient("curve25519-sha256").init);
    await client.agreeOnKeys();
    client.sendNewKeys();
    client.sendPacket(ping("x"));
    await client.expect(M.PONG);
    await client.close();
    await attacked.expectUnharmed();
  });
});

describe("KEXINIT under strict key exchange", () => {
  it("has to come first, also behind an announcement that is not strict", async () => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await greeted(attacked);
    client.sendKexInit({ kex: ["curve25519-sha256"] });
    client.sendKexInit();
    await expectEnd(attacked, client);
  });

  it("comes whole with all that follows in one piece: what follows is judged all the same", async () => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await greeted(attacked);
    const lists = client.serverKexInit;
    const kexInit = writeKexInit({ ...lists, kex: ["curve25519-sha256", STRICT], firstKexPacketFollows: false });
    const packets = [kexInit, ignore(), startClient("curve25519-sha256").init];
    client.sendRaw(Buffer.concat(packets.map((payload) => sealPacket(client.sealer, 0, payload))));
    await expectEnd(attacked, client);
  });
});

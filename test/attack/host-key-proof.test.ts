import { describe, expect, it } from "vitest";
import { type HostKey, PKey } from "../../src/crypto/index.js";
import { DisconnectReason, MessageNumber } from "../../src/protocol/constants.js";
import { Reader } from "../../src/protocol/reader.js";
import { Writer } from "../../src/protocol/writer.js";
import type { PacketClient } from "../support/packet-client.js";
import { globalRequest, ping, type Reply } from "../support/packet-messages.js";
import { RSA_KEY } from "../support/rsa-key.js";
import { Attacked, HOST_KEY, TargetServer } from "./attacked-server.js";

const { GLOBAL_REQUEST, PONG, REQUEST_FAILURE, REQUEST_SUCCESS } = MessageNumber;

const SECOND_KEY = PKey.generate({ keyType: "ed25519" });
const FOREIGN_KEY = PKey.generate({ keyType: "ed25519" });

const blobs = (...keys: readonly HostKey[]): Buffer => {
  const writer = new Writer();
  for (const { publicBlob } of keys) writer.writeString(publicBlob);
  return writer.toBuffer();
};

const prove = (body: Uint8Array, reply: Reply = "want-reply"): Buffer =>
  globalRequest("hostkeys-prove-00@openssh.com", reply, body);

function signedData(client: PacketClient, key: HostKey): Buffer {
  return new Writer()
    .writeString("hostkeys-prove-00@openssh.com")
    .writeString(client.sessionId)
    .writeString(key.publicBlob)
    .toBuffer();
}

/** A server with three host keys that count what they sign beside key exchanges, and a client that has logged in. */
async function start() {
  const signed: string[] = [];
  const counting = (key: PKey): HostKey => ({
    keyType: key.keyType,
    publicBlob: key.publicBlob,
    signatureAlgorithms: key.signatureAlgorithms,
    sign: (data, algorithm) => {
      if (data.includes("hostkeys-prove")) signed.push(algorithm);
      return key.sign(data, algorithm);
    },
  });
  const serverKeys = [HOST_KEY, RSA_KEY, SECOND_KEY].map(counting);
  const attacked = await Attacked.start(new TargetServer(), { serverKeys });
  const client = await attacked.login();
  attacked.forgetCalls();
  return { attacked, client, signed };
}

/** Nothing else has come from the server since. */
async function expectQuiet(client: PacketClient): Promise<void> {
  client.sendPacket(ping("quiet"));
  expect((await client.nextPacket())[0]).toBe(PONG);
}

describe("a request to prove host keys", () => {
  it("is answered with a signature for each, bound to the session and the key", async () => {
    const { attacked, client } = await start();
    const keys = [SECOND_KEY, RSA_KEY, HOST_KEY];
    client.sendPacket(prove(blobs(...keys)));
    const reader = new Reader(await client.expect(REQUEST_SUCCESS), 1);
    for (const key of keys) expect(key.verify(signedData(client, key), reader.readString())).toBe(true);
    reader.end();
    await client.close();
    await attacked.expectUnharmed();
  });

  it("gives nothing that would do on another connection", async () => {
    const { attacked, client } = await start();
    const other = await attacked.login();
    client.sendPacket(prove(blobs(HOST_KEY)));
    const signature = new Reader(await client.expect(REQUEST_SUCCESS), 1).readString();
    expect(HOST_KEY.verify(signedData(client, HOST_KEY), signature)).toBe(true);
    expect(HOST_KEY.verify(signedData(other, HOST_KEY), signature)).toBe(false);
    await other.close();
    await client.close();
    await attacked.expectUnharmed();
  });

  it.each<[what: string, body: Buffer]>([
    ["no key", Buffer.alloc(0)],
    ["a foreign key", blobs(FOREIGN_KEY)],
    ["a foreign key before the server's", blobs(FOREIGN_KEY, HOST_KEY)],
    ["a foreign key behind the server's", blobs(HOST_KEY, RSA_KEY, FOREIGN_KEY)],
    ["a key twice", blobs(HOST_KEY, HOST_KEY)],
    ["a key that comes again", blobs(HOST_KEY, RSA_KEY, SECOND_KEY, HOST_KEY)],
    ["one of its keys 1000 times", blobs(...Array.from({ length: 1000 }, () => HOST_KEY))],
    ["4000 foreign keys", blobs(...Array.from({ length: 4000 }, () => FOREIGN_KEY))],
    ["10,000 empty keys", Buffer.alloc(40_000)],
    ["a key of 2³²−1 bytes", Buffer.from("ffffffff", "hex")],
    ["a key of 2³²−1 bytes behind another", Buffer.concat([blobs(HOST_KEY), Buffer.from("ffffffff", "hex")])],
    ["a key of 2³¹ bytes", Buffer.concat([Buffer.from("80000000", "hex"), HOST_KEY.publicBlob])],
    ["200,000 bytes of anything", Buffer.alloc(200_000, "hostkeys")],
    ["a key inside of a key", new Writer().writeString(blobs(HOST_KEY)).toBuffer()],
    ["keys without their lengths", Buffer.concat([HOST_KEY.publicBlob, RSA_KEY.publicBlob])],
    ["the name of a key's type", new Writer().writeString("ssh-ed25519").toBuffer()],
  ])("fails for %s, and nothing is signed", async (_, body) => {
    const { attacked, client, signed } = await start();
    client.sendPacket(prove(body));
    expect((await client.nextPacket()).equals(Buffer.of(REQUEST_FAILURE))).toBe(true);
    client.sendPacket(prove(body, "no-reply"));
    await expectQuiet(client);
    expect(signed).toEqual([]);
    expect(attacked.callNames).toEqual([]);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("fails cut at every byte or with one too many, and nothing is signed", async () => {
    const { attacked, client, signed } = await start();
    const body = blobs(HOST_KEY, SECOND_KEY);
    const whole = blobs(HOST_KEY).length;
    const wrong = [...body.keys()].filter((length) => length !== whole).map((length) => body.subarray(0, length));
    for (const fields of [...wrong, Buffer.concat([body, Buffer.alloc(1)])]) {
      client.sendPacket(prove(fields));
      expect([fields.length, (await client.nextPacket())[0]]).toEqual([fields.length, REQUEST_FAILURE]);
    }
    expect(signed).toEqual([]);
    client.sendPacket(prove(body));
    await client.expect(REQUEST_SUCCESS);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("fails with any bit of a key changed, and nothing is signed", async () => {
    const { attacked, client, signed } = await start();
    const body = blobs(HOST_KEY);
    for (let bit = 0; bit < body.length * 8; bit++) {
      const changed = Buffer.from(body);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      client.sendPacket(prove(changed));
      expect([bit, (await client.nextPacket())[0]]).toEqual([bit, REQUEST_FAILURE]);
    }
    expect(signed).toEqual([]);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("signs nothing for a client that wants no reply", async () => {
    const { attacked, client, signed } = await start();
    await client.flood(() => prove(blobs(HOST_KEY, RSA_KEY), "no-reply"), 1000);
    await expectQuiet(client);
    expect(signed).toEqual([]);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("signs once for each key, however often and in whatever order they are asked for", async () => {
    const { attacked, client, signed } = await start();
    const requests = [blobs(RSA_KEY), blobs(HOST_KEY, RSA_KEY), blobs(HOST_KEY, SECOND_KEY), blobs(SECOND_KEY)];
    let sent = 0;
    await client.flood(() => prove(requests[sent++ % requests.length] ?? Buffer.alloc(0)), 1000);
    const answers: (number | undefined)[] = [];
    while (answers.length < 1000) answers.push((await client.nextPacket())[0]);
    expect(answers.flatMap((answer, index) => (answer === REQUEST_SUCCESS ? [index] : []))).toEqual([0, 2]);
    expect(answers.filter((answer) => answer === REQUEST_FAILURE)).toHaveLength(998);
    expect(signed).toEqual(["rsa-sha2-512", "ssh-ed25519", "ssh-ed25519"]);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("is no business of another connection's count", async () => {
    const { attacked, client } = await start();
    for (const one of [client, await attacked.login()]) {
      one.sendPacket(prove(blobs(HOST_KEY)));
      await one.expect(REQUEST_SUCCESS);
      await one.close();
    }
    await attacked.expectUnharmed();
  });

  it("fails where nothing was announced", async () => {
    const attacked = await Attacked.start(new TargetServer(), { announceHostKeys: false });
    const client = await attacked.login();
    client.sendPacket(prove(blobs(HOST_KEY)));
    await client.expect(REQUEST_FAILURE);
    // The hook for unknown requests has no part in it.
    expect(attacked.callNames).not.toContain("checkGlobalRequest");
    await client.close();
    await attacked.expectUnharmed();
  });

  it("ends the connection before login", async () => {
    const { attacked, client, signed } = await start();
    for (const early of [await attacked.connect(), await attacked.authenticating()]) {
      if (early.serverIdentification === "") {
        await early.exchangeIdentifications();
        await early.exchangeKeys();
      }
      early.sendPacket(prove(blobs(HOST_KEY)));
      const { disconnect, payloads } = await early.waitEnd();
      expect(disconnect?.reason).toBe(DisconnectReason.PROTOCOL_ERROR);
      expect(payloads.map(([number]) => number)).not.toContain(REQUEST_SUCCESS);
    }
    expect(signed).toEqual([]);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("waits for its turn, and ends with the connection, while a key does not sign", async () => {
    const stuck: HostKey = {
      keyType: "rsa-elsewhere",
      publicBlob: Buffer.from("elsewhere"),
      signatureAlgorithms: ["rsa-sha2-512"],
      sign: () => new Promise(() => {}),
    };
    const attacked = await Attacked.start(new TargetServer(), { serverKeys: [HOST_KEY, stuck] });
    const client = await attacked.login();
    client.sendPacket(prove(blobs(stuck)));
    await client.flood(() => prove(blobs(stuck)), 50);
    // Channels go on.
    const { stdout } = await client.exec("hello");
    expect(stdout.toString()).toBe("Executed: hello\n");
    client.reset();
    await attacked.expectUnharmed();
  });
});

describe("the announcement of host keys", () => {
  it.each([REQUEST_SUCCESS, REQUEST_FAILURE])("may be answered by message %i, as phpseclib does", async (number) => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await attacked.login({ hostKeys: "given" });
    expect((await client.nextPacket())[0]).toBe(GLOBAL_REQUEST);
    client.sendPacket(Buffer.of(number));
    await expectQuiet(client);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("from a client is refused", async () => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await attacked.login();
    client.sendPacket(globalRequest("hostkeys-00@openssh.com", "want-reply", blobs(FOREIGN_KEY)));
    await client.expect(REQUEST_FAILURE);
    await client.close();
    await attacked.expectUnharmed();
  });
});

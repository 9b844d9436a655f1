import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, expect, it } from "vitest";
import { PKey } from "../../src/crypto/index.js";
import { MessageNumber } from "../../src/protocol/constants.js";
import { Writer } from "../../src/protocol/writer.js";
import { builtFile } from "../support/build.js";
import { craftCertificate, optionText } from "../support/crafted-certificate.js";
import { LONGEST_TURN } from "../support/longest-turn.js";
import { PacketClient } from "../support/packet-client.js";
import { channelRequest, ignore, ping, publickeyProof, publickeyQuery } from "../support/packet-messages.js";
import type { PacketClientOptions } from "../support/packet-transport.js";
import { emptyDynamicBlocks, storedBlock, ZLIB_HEADER } from "./deflate-blocks.js";

// Whatever one client sends, the event loop goes on for the others.

const COMPRESSED: PacketClientOptions = { compression: ["zlib@openssh.com"] };

let server: ChildProcess;
let port: number;

beforeAll(async () => {
  server = fork(builtFile("test/attack/turns-process.ts"));
  [port] = await once(server, "message");
});
afterAll(() => server.kill("SIGKILL"));

async function longestTurn(): Promise<number> {
  const answer = once(server, "message");
  server.send("measure");
  const [time] = await answer;
  return Number(time);
}

/** The longest turn of the server while it is attacked, milliseconds: of three attacks that of the best, since the first ones are compiled. */
async function attacked(attack: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  while (times.length < 3) {
    await longestTurn();
    await attack();
    times.push(await longestTurn());
  }
  return Math.min(...times);
}

const login = (options: PacketClientOptions = {}) => PacketClient.login(port, "user", "secret", options);

it("wrong signatures of large RSA keys, many at once", async () => {
  const modulus = Buffer.alloc(2048, 0xc5);
  const exponent = Buffer.from("fffffffb", "hex");
  const publicBlob = new Writer().writeString("ssh-rsa").writeMpint(exponent).writeMpint(modulus).toBuffer();
  const request = { username: "user", algorithm: "rsa-sha2-512", publicBlob };
  const signature = new Writer().writeString("rsa-sha2-512").writeString(Buffer.alloc(2048, 0x42)).toBuffer();
  const time = await attacked(async () => {
    const client = await PacketClient.authenticating(port);
    client.stream.socket.cork();
    for (let count = 0; count < 40; count++) client.sendPacket(publickeyProof(request, signature));
    client.stream.socket.uncork();
    for (let count = 0; count < 40; count++) await client.expect(MessageNumber.USERAUTH_FAILURE);
    client.reset();
  });
  expect(time).toBeLessThan(LONGEST_TURN);
});

const names = Buffer.alloc(200_000, 0xff);
const addresses = Buffer.from(Array.from({ length: 2700 }, () => "::").join(","));
it.each([
  ["with a long name that is not UTF-8", { principals: [names] }],
  ["for very many addresses", { criticalOptions: [["source-address", optionText(addresses)]] as const }],
])("certificates %s", async (_, contents) => {
  const [key, authority] = [1, 2].map(() => PKey.generate({ keyType: "ed25519" })) as [PKey, PKey];
  const publicBlob = craftCertificate({ key, authority, ...contents });
  const query = publickeyQuery({ username: "user", algorithm: "ssh-ed25519-cert-v01@openssh.com", publicBlob });
  const time = await attacked(async () => {
    const client = await PacketClient.authenticating(port);
    for (let count = 0; count < 6; count++) client.sendPacket(query);
    for (let count = 0; count < 6; count++) await client.expect(MessageNumber.USERAUTH_FAILURE);
    client.reset();
  });
  expect(time).toBeLessThan(LONGEST_TURN);
});

it("requests without end", async () => {
  const time = await attacked(async () => {
    const client = await login();
    const { id } = await client.openSession();
    const request = channelRequest(id, "a@b", "want-reply");
    client.stream.socket.cork();
    for (let count = 0; count < 6000; count++) client.sendPacket(request);
    client.stream.socket.uncork();
    for (let count = 0; count < 6000; count++) await client.expect(MessageNumber.CHANNEL_FAILURE);
    client.reset();
  });
  expect(time).toBeLessThan(LONGEST_TURN);
});

it("packets with nothing to inflate but codes", async () => {
  const blocks = emptyDynamicBlocks(20_000);
  const time = await attacked(async () => {
    const client = await login(COMPRESSED);
    client.sendUncompressed(Buffer.concat([ZLIB_HEADER, blocks, storedBlock(ignore())]));
    client.sendUncompressed(Buffer.concat([blocks, storedBlock(ping("x"))]));
    await client.expect(MessageNumber.PONG);
    client.reset();
  });
  expect(time).toBeLessThan(LONGEST_TURN);
});

it("a window that is open wide for what is to be compressed", async () => {
  const time = await attacked(async () => {
    const client = await login(COMPRESSED);
    await client.exec("put out");
    client.reset();
  });
  expect(time).toBeLessThan(LONGEST_TURN);
});

import { spawn, spawnSync } from "node:child_process";
import { randomBytes, sign } from "node:crypto";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { exchangeHash } from "../../../src/crypto/kex/key-derivation.js";
import type { KeyExchangeAlgorithm } from "../../../src/crypto/kex/key-exchange.js";
import { keyExchangeAlgorithms } from "../../../src/crypto/kex/registry.js";
import { MessageNumber } from "../../../src/protocol/constants.js";
import { Writer } from "../../../src/protocol/writer.js";
import { generateKeys } from "../../support/generated-keys.js";

/**
 * Each method against the real `ssh`, as far as the exchange goes: the client sends NEWKEYS only when the signature
 * over the exchange hash is right, which covers every public value and K.
 */
const supported = new Set(spawnSync("ssh", ["-Q", "kex"], { encoding: "utf8" }).stdout?.split("\n") ?? []);
const SERVER_VERSION = "SSH-2.0-spindlex_test";

describe("OpenSSH's ssh", () => {
  for (const algorithm of keyExchangeAlgorithms.values()) {
    it.skipIf(!supported.has(algorithm.name))(`completes ${algorithm.name}`, async () => {
      expect(await messageAfterExchange(algorithm)).toBe(MessageNumber.NEWKEYS);
    });
  }
});

/** Lets `ssh` run one exchange with the server's side and gives the number of the message that it sends then. */
async function messageAfterExchange(algorithm: KeyExchangeAlgorithm): Promise<number | undefined> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not listening");
  const options = [
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    "BatchMode=yes",
    "ConnectTimeout=10",
    `KexAlgorithms=${algorithm.name}`,
  ].flatMap((option) => ["-o", option]);
  const connected = once(server, "connection");
  const ssh = spawn("ssh", ["-F", "none", ...options, "-p", String(address.port), "user@127.0.0.1"], {
    stdio: "ignore",
  });
  const [socket] = (await connected) as [Socket];
  try {
    return await serveExchange(socket, algorithm);
  } finally {
    socket.destroy();
    ssh.kill();
    server.close();
  }
}

async function serveExchange(socket: Socket, algorithm: KeyExchangeAlgorithm): Promise<number | undefined> {
  const host = generateKeys("ed25519");
  const hostKey = new Writer()
    .writeString("ssh-ed25519")
    .writeString(host.publicKey.export({ format: "der", type: "spki" }).subarray(12))
    .toBuffer();
  const serverKexInit = kexInit(algorithm.name);
  socket.write(`${SERVER_VERSION}\r\n`);
  socket.write(packet(serverKexInit));

  const { version: clientVersion, payloads } = await readClient(socket);
  const clientKexInit = await nextPayload(payloads);
  if (clientKexInit === undefined) throw new Error("ssh sent no KEXINIT");
  const exchange = algorithm.startServer();
  for (;;) {
    const message = await nextPayload(payloads);
    if (message === undefined) return undefined;
    const step = exchange.receive(message);
    if (step.kind === "continue") {
      socket.write(packet(step.payload));
      continue;
    }
    const serverVersion = Buffer.from(SERVER_VERSION);
    const { transcript, sharedSecret } = step;
    const hash = exchangeHash(
      algorithm.hash,
      clientVersion,
      serverVersion,
      clientKexInit,
      serverKexInit,
      hostKey,
      transcript,
      sharedSecret,
    );
    const signature = new Writer()
      .writeString("ssh-ed25519")
      .writeString(sign(null, hash, host.privateKey))
      .toBuffer();
    socket.write(packet(step.reply(hostKey, signature)));
    return (await nextPayload(payloads))?.[0];
  }
}

function kexInit(name: string): Buffer {
  const writer = new Writer().writeByte(MessageNumber.KEXINIT).writeBytes(randomBytes(16));
  const offers = [name, "ssh-ed25519", "aes128-ctr", "aes128-ctr", "hmac-sha2-256", "hmac-sha2-256", "none", "none"];
  for (const offer of offers) writer.writeNameList([offer]);
  return writer.writeNameList([]).writeNameList([]).writeBoolean(false).writeUint32(0).toBuffer();
}

/** A packet without encryption (RFC 4253 §6). */
function packet(payload: Buffer): Buffer {
  const padding = 4 + ((8 - ((5 + payload.length + 4) % 8)) % 8);
  return new Writer()
    .writeUint32(1 + payload.length + padding)
    .writeByte(padding)
    .writeBytes(payload)
    .writeBytes(Buffer.alloc(padding))
    .toBuffer();
}

async function readClient(socket: Socket): Promise<{ version: Buffer; payloads: AsyncGenerator<Buffer> }> {
  const bytes = readBytes(socket);
  await bytes.next();
  let version = "";
  while (!version.endsWith("\r\n")) version += String(await take(bytes, 1));
  return { version: Buffer.from(version.trimEnd()), payloads: readPayloads(bytes) };
}

async function* readPayloads(bytes: AsyncGenerator<Buffer, void, number>): AsyncGenerator<Buffer> {
  for (;;) {
    const length = (await take(bytes, 4)).readUInt32BE(0);
    const body = await take(bytes, length);
    yield body.subarray(1, length - body.readUInt8(0));
  }
}

async function nextPayload(payloads: AsyncGenerator<Buffer>): Promise<Buffer | undefined> {
  const { value } = await payloads.next();
  return value instanceof Buffer ? value : undefined;
}

async function take(bytes: AsyncGenerator<Buffer, void, number>, length: number): Promise<Buffer> {
  const { value } = await bytes.next(length);
  if (value === undefined) throw new Error("ssh closed the connection");
  return value;
}

/** Gives as many bytes as each `next(length)` asks for. */
async function* readBytes(socket: Socket): AsyncGenerator<Buffer, void, number> {
  let buffered = Buffer.alloc(0);
  let wanted = yield buffered;
  for await (const chunk of socket) {
    buffered = Buffer.concat([buffered, chunk]);
    while (buffered.length >= wanted) {
      const taken = buffered.subarray(0, wanted);
      buffered = buffered.subarray(wanted);
      wanted = yield taken;
    }
  }
}

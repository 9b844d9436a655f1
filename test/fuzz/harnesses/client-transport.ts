import { noneSealer } from "../../../src/crypto/cipher/none.js";
import { MessageNumber as M } from "../../../src/protocol/constants.js";
import { ProtocolError } from "../../../src/protocol/errors.js";
import { sealPacket } from "../../support/packet-framing.js";
import { message } from "../../support/packet-messages.js";
import { MemoryPair } from "../../transport/memory-pair.js";
import { assertTrue, type Harness } from "../engine/harness.js";
import { cutInChunks, joinMessages, settle, splitMessages } from "../support/messages.js";
import { plainAlgorithms, plainKeyExchangeMessages } from "../support/plain-algorithms.js";

const plain = { kex: plainAlgorithms.kex, hostKey: plainAlgorithms.hostKey, cipher: plainAlgorithms.cipher };
const [kexInit = Buffer.alloc(0)] = plainKeyExchangeMessages("none");

/** How far a client has come, and the messages that may reach its owner from then on. */
const STAGES = [
  { name: "start", mayCome: [] },
  { name: "service", mayCome: [M.SERVICE_ACCEPT] },
  {
    name: "authentication",
    mayCome: [M.USERAUTH_FAILURE, M.USERAUTH_SUCCESS, M.USERAUTH_BANNER, M.USERAUTH_INFO_REQUEST],
  },
  { name: "running", mayCome: numbersFrom(M.GLOBAL_REQUEST, M.CHANNEL_FAILURE) },
  // Until the server's KEXINIT has come, it may not know of ours.
  { name: "rekeying", mayCome: numbersFrom(M.GLOBAL_REQUEST, M.CHANNEL_FAILURE) },
] as const;

function numbersFrom(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** A client to which a server sends what it likes, as far as `stage`. */
async function reach(stage: (typeof STAGES)[number]["name"]): Promise<MemoryPair> {
  if (stage === "start") return new MemoryPair();
  const pair = new MemoryPair({ clientAlgorithms: plain, serverAlgorithms: plain });
  if (stage === "service" || stage === "authentication") await pair.exchangeKeys();
  else await pair.logIn();
  if (stage === "authentication") pair.client.transport.enter("authentication");
  if (stage === "rekeying") pair.client.transport.rekey();
  pair.client.messages.length = 0;
  pair.offeredKeys.length = 0;
  return pair;
}

const seedOf = (stage: number, ...messages: readonly Buffer[]) =>
  Buffer.concat([Buffer.of(stage), joinMessages(messages)]);

/**
 * A server against a client. The first byte of an input says how far they have come. Before there are keys the rest is
 * bytes as they come from the network, whole and in pieces; later it is messages.
 */
export const harness: Harness = {
  name: "client-transport",
  seeds: [
    Buffer.concat([
      Buffer.from("\0Welcome\r\nSSH-2.0-server\r\n"),
      sealPacket(noneSealer, 0, kexInit),
      sealPacket(noneSealer, 1, message(M.KEX_ECDH_REPLY, "host key")),
      sealPacket(noneSealer, 2, message(M.NEWKEYS)),
    ]),
    seedOf(
      1,
      Buffer.from("07000000010000000f7365727665722d7369672d616c677300000000", "hex"),
      message(M.SERVICE_ACCEPT),
    ),
    seedOf(
      2,
      message(M.USERAUTH_BANNER, "hello"),
      message(M.USERAUTH_FAILURE, "password"),
      message(M.USERAUTH_SUCCESS),
    ),
    seedOf(3, message(M.GLOBAL_REQUEST, "hostkeys-00@openssh.com"), message(M.PING, "x"), Buffer.of(200)),
    seedOf(3, kexInit, message(M.KEX_ECDH_REPLY, "host key"), message(M.NEWKEYS)),
    seedOf(4, message(M.CHANNEL_DATA, "late"), kexInit, message(M.KEX_ECDH_REPLY, "host key"), message(M.NEWKEYS)),
  ],
  shortRun: 300,
  async run(bytes) {
    const stage = STAGES[(bytes[0] ?? 0) % STAGES.length] ?? STAGES[0];
    const input = bytes.subarray(1);
    if (stage.name === "start") {
      for (const chunks of [[Buffer.from(input)], cutInChunks(input)]) await run(stage, chunks);
    } else {
      await run(
        stage,
        splitMessages(input).map((payload, index) => sealPacket(noneSealer, index, payload)),
      );
    }
  },
};

async function run({ name, mayCome }: (typeof STAGES)[number], chunks: readonly Buffer[]): Promise<void> {
  const pair = await reach(name);
  const { client, offeredKeys } = pair;
  const { sessionId } = client.transport;
  for (const chunk of chunks) client.transport.receive(chunk);
  await settle();
  for (const failure of client.failures) if (!(failure instanceof ProtocolError)) throw failure;
  assertTrue(client.failures.length <= 1, "the client has failed twice");
  assertTrue(offeredKeys.length === 0, "a key was believed that nobody has proven");
  assertTrue(client.transport.sessionId === sessionId, "an exchange has ended without its server");
  const allowed: readonly (number | undefined)[] = mayCome;
  assertTrue(
    client.messages.every(([number]) => allowed.includes(number)),
    "a message came out of its phase",
  );
  client.transport.close();
}

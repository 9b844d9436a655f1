import { describe, expect, it } from "vitest";
import { DisconnectReason, MessageNumber as M } from "../../src/protocol/constants.js";
import { PacketClient } from "../support/packet-client.js";
import { ping, readUnimplemented } from "../support/packet-messages.js";
import { StreamEnded } from "../support/packet-socket.js";
import { Disconnected, type PacketClientOptions } from "../support/packet-transport.js";
import { Attacked, TargetServer } from "./attacked-server.js";
import { plausibleMessage } from "./plausible-message.js";

/** What a message led to. */
type Outcome =
  /** The connection ended: with this reason, or with none after the client's own DISCONNECT. */
  | { readonly kind: "ended"; readonly reason: number | undefined }
  /** It was answered by UNIMPLEMENTED with its own sequence number, and the connection goes on. */
  | { readonly kind: "unimplemented" }
  /** The connection goes on, these messages were the answer. */
  | { readonly kind: "goes-on"; readonly answers: readonly number[] };

/** A moment in a connection's life at which any message may come. */
interface Moment {
  reach(attacked: Attacked): Promise<PacketClient>;
  /** Goes on from there in the ordinary way, to a point where pings are answered. */
  goOn(client: PacketClient): Promise<void>;
  /** Numbers that are handled there. The connection goes on; what comes of them is another test's. */
  readonly allowed: readonly number[];
  /** Numbers that are the next step of the way, which `goOn` goes. */
  readonly next?: readonly number[];
  /** Numbers that may end the connection or not: what comes of them depends on their content. */
  readonly either?: readonly number[];
  /** What becomes of numbers that mean nothing to anyone. */
  readonly unassigned: "unimplemented" | "ended";
  /** Hooks that may run there. */
  readonly hooks?: Readonly<Record<number, readonly string[]>>;
}

const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

/** Numbers that mean nothing to anyone (RFC 4250 §4.1.2, RFC 8308, OpenSSH PROTOCOL). */
const UNASSIGNED = new Set([
  ...[0, ...range(9, 19), ...range(22, 29), ...range(54, 59), ...range(62, 79), ...range(83, 89)],
  ...[...range(101, 191), ...range(194, 255)],
]);

async function beforeKexInit(attacked: Attacked, options: PacketClientOptions): Promise<PacketClient> {
  const client = await PacketClient.connect(attacked.port, options);
  await client.exchangeIdentifications();
  await client.readServerKexInit();
  return client;
}

async function afterKexInit(attacked: Attacked, options: PacketClientOptions): Promise<PacketClient> {
  const client = await beforeKexInit(attacked, options);
  client.sendKexInit();
  return client;
}

async function afterRekeyInit(attacked: Attacked): Promise<PacketClient> {
  const client = await running(attacked);
  client.sendKexInit();
  await client.readServerKexInit();
  return client;
}

async function beforeNewKeys(reaching: Promise<PacketClient>): Promise<PacketClient> {
  const client = await reaching;
  await client.agreeOnKeys();
  return client;
}

async function running(attacked: Attacked): Promise<PacketClient> {
  const client = await attacked.login();
  await client.openSession();
  return client;
}

async function fromKexInit(client: PacketClient): Promise<void> {
  client.sendKexInit();
  await fromExchange(client);
}

async function fromExchange(client: PacketClient): Promise<void> {
  await client.agreeOnKeys();
  client.sendNewKeys();
}

const strict: PacketClientOptions = {};
const loose: PacketClientOptions = { markers: ["ext-info-c"] };
const chatter = [M.IGNORE, M.UNIMPLEMENTED, M.DEBUG];
/** What some clients go on to send on channels that are open; no hook is asked about it. */
const onChannels = range(M.CHANNEL_WINDOW_ADJUST, M.CHANNEL_CLOSE);
const nothing = async (): Promise<void> => {};

const moments: Readonly<Record<string, Moment>> = {
  "before KEXINIT, where strict key exchange is still to come": {
    reach: (attacked) => beforeKexInit(attacked, strict),
    goOn: fromKexInit,
    allowed: [],
    unassigned: "ended",
  },
  "before KEXINIT, without strict key exchange": {
    reach: (attacked) => beforeKexInit(attacked, loose),
    goOn: fromKexInit,
    allowed: chatter,
    unassigned: "unimplemented",
  },
  "after KEXINIT under strict key exchange": {
    reach: (attacked) => afterKexInit(attacked, strict),
    goOn: fromExchange,
    next: [M.KEX_ECDH_INIT],
    allowed: [],
    unassigned: "ended",
  },
  "after KEXINIT without strict key exchange": {
    reach: (attacked) => afterKexInit(attacked, loose),
    goOn: fromExchange,
    next: [M.KEX_ECDH_INIT],
    allowed: chatter,
    unassigned: "unimplemented",
  },
  "before NEWKEYS under strict key exchange": {
    reach: (attacked) => beforeNewKeys(afterKexInit(attacked, strict)),
    goOn: async (client) => client.sendNewKeys(),
    next: [M.NEWKEYS],
    allowed: [],
    unassigned: "ended",
  },
  "before NEWKEYS without strict key exchange": {
    reach: (attacked) => beforeNewKeys(afterKexInit(attacked, loose)),
    goOn: async (client) => client.sendNewKeys(),
    next: [M.NEWKEYS],
    allowed: chatter,
    unassigned: "unimplemented",
  },
  "before any service": {
    reach: (attacked) => PacketClient.handshake(attacked.port),
    goOn: nothing,
    allowed: [...chatter, M.EXT_INFO, M.PING, M.SERVICE_REQUEST],
    unassigned: "unimplemented",
  },
  "while authenticating": {
    reach: (attacked) => attacked.authenticating(),
    goOn: nothing,
    allowed: [...chatter, M.PING, M.USERAUTH_REQUEST],
    // Asking for the same service again, and an answer to a question that was never asked.
    either: [M.SERVICE_REQUEST, M.USERAUTH_INFO_RESPONSE],
    unassigned: "unimplemented",
    hooks: { [M.USERAUTH_REQUEST]: ["checkAuthPassword", "onAuthenticationSuccessful"] },
  },
  "once authenticated, with an open session": {
    reach: running,
    goOn: nothing,
    allowed: [
      ...[...chatter, M.PING, M.USERAUTH_REQUEST, M.GLOBAL_REQUEST, M.CHANNEL_OPEN, M.CHANNEL_WINDOW_ADJUST],
      ...range(M.CHANNEL_DATA, M.CHANNEL_REQUEST),
    ],
    // Answers to questions that were never asked.
    either: [M.USERAUTH_INFO_RESPONSE, M.REQUEST_SUCCESS, M.REQUEST_FAILURE, M.CHANNEL_SUCCESS, M.CHANNEL_FAILURE],
    unassigned: "unimplemented",
    hooks: {
      [M.GLOBAL_REQUEST]: ["checkGlobalRequest"],
      [M.CHANNEL_OPEN]: ["checkChannelRequest", "onChannelOpened"],
      [M.CHANNEL_REQUEST]: ["checkChannelExecRequest"],
    },
  },
  "after KEXINIT of a later exchange": {
    reach: afterRekeyInit,
    goOn: fromExchange,
    next: [M.KEX_ECDH_INIT],
    allowed: [...chatter, ...onChannels],
    unassigned: "unimplemented",
  },
  "before NEWKEYS of a later exchange": {
    reach: (attacked) => beforeNewKeys(afterRekeyInit(attacked)),
    goOn: async (client) => client.sendNewKeys(),
    next: [M.NEWKEYS],
    allowed: [...chatter, ...onChannels],
    unassigned: "unimplemented",
  },
};

async function sendAndObserve(moment: Moment, client: PacketClient, number: number): Promise<Outcome> {
  client.sendPacket(plausibleMessage(number, 0));
  const sequenceNumber = client.lastSequenceNumber;
  const answers: Buffer[] = [];
  try {
    await moment.goOn(client);
    client.sendPacket(ping("probe"));
    for (;;) {
      const payload = await client.nextPacket();
      if (payload[0] === M.DISCONNECT) throw new Disconnected(payload);
      if (payload[0] === M.PONG && number !== M.PING) break;
      if (payload[0] === M.PONG && answers.at(-1)?.[0] === M.PONG) break;
      if (payload[0] !== M.EXT_INFO) answers.push(payload);
    }
  } catch (error) {
    if (error instanceof Disconnected) return { kind: "ended", reason: error.disconnect.reason };
    if (error instanceof StreamEnded) return { kind: "ended", reason: undefined };
    throw error;
  }
  const [only] = answers;
  if (only?.[0] === M.UNIMPLEMENTED && answers.length === 1 && readUnimplemented(only) === sequenceNumber) {
    return { kind: "unimplemented" };
  }
  return { kind: "goes-on", answers: answers.map((payload) => payload[0] ?? -1) };
}

describe.each(Object.entries(moments))("every message number %s", (_, moment) => {
  const { allowed, either = [], next = [], unassigned, hooks = {} } = moment;
  // KEXINIT starts an exchange wherever none is on: test/attack/rekey.test.ts.
  const numbers = range(0, 255).filter((number) => number !== M.KEXINIT && !next.includes(number));

  it("reaches a handler only where it has business", { timeout: 120_000 }, async () => {
    const attacked = await Attacked.start(new TargetServer());
    const wrong: string[] = [];
    for (const number of numbers) {
      const client = await moment.reach(attacked);
      attacked.forgetCalls();
      const outcome = await sendAndObserve(moment, client, number);
      const report = `message ${number}: ${JSON.stringify(outcome)} ${attacked.callNames}`;
      const ran = attacked.callNames.filter((name) => hooks[number]?.includes(name) !== true);
      if (ran.length > 0) wrong.push(`${report} ran ${ran}`);
      if (!isRight(outcome, number)) wrong.push(report);
      client.reset();
    }
    expect(wrong).toEqual([]);
    await attacked.expectUnharmed();
  });

  function isRight(outcome: Outcome, number: number): boolean {
    if (either.includes(number)) return true;
    if (allowed.includes(number)) return outcome.kind === "goes-on";
    if (UNASSIGNED.has(number) && unassigned === "unimplemented") return outcome.kind === "unimplemented";
    if (number === M.DISCONNECT) return outcome.kind === "ended" && outcome.reason === undefined;
    return outcome.kind === "ended" && acceptable.includes(outcome.reason);
  }
});

/** Writing on after the end may cost the client the DISCONNECT that was on its way. */
const acceptable: readonly (number | undefined)[] = [
  DisconnectReason.PROTOCOL_ERROR,
  DisconnectReason.KEY_EXCHANGE_FAILED,
  undefined,
];

import { describe, expect, it } from "vitest";
import type { Prompt } from "../../src/index.js";
import {
  AUTH_FAILED,
  AUTH_SUCCESSFUL,
  type AuthResult,
  DisconnectReason,
  MessageNumber as M,
} from "../../src/protocol/constants.js";
import { isLong } from "../support/extent.js";
import { PacketClient } from "../support/packet-client.js";
import { keyboardInteractiveRequest, ping, readUnimplemented } from "../support/packet-messages.js";
import { StreamEnded } from "../support/packet-socket.js";
import { Disconnected, type PacketClientOptions } from "../support/packet-transport.js";
import { Attacked, type ManagerOptions, PASSWORD, TargetServer, USERNAME } from "./attacked-server.js";
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
  /** Of a server that is not as any other. */
  readonly server?: () => TargetServer;
  readonly options?: Partial<ManagerOptions>;
  /** Goes on from there in the ordinary way, to a point where pings are answered. */
  goOn(client: PacketClient): Promise<void>;
  /** Numbers that are handled there. The connection goes on; what comes of them is another test's. */
  readonly allowed: readonly number[];
  /** Numbers that are the next step of the way, which `goOn` goes. */
  readonly next?: readonly number[];
  /** What KEXINIT does: it is the next step, or begins an exchange, or comes inside one and ends the connection. */
  readonly kexInit: "next" | "begins" | "ends";
  /** Numbers that may end the connection or not: what comes of them depends on their content. */
  readonly either?: readonly number[];
  /** What becomes of numbers that mean nothing to anyone. */
  readonly unassigned: "unimplemented" | "ended";
  /** Hooks that may run there. */
  readonly hooks?: Readonly<Record<number, readonly string[]>>;
}

const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

/** Numbers that mean nothing to anyone (RFC 4250 §4.1.2, RFC 8308, OpenSSH PROTOCOL), from and to. */
const UNASSIGNED_RANGES: readonly (readonly [first: number, last: number])[] = [
  [0, 0],
  [9, 19],
  [22, 29],
  [54, 59],
  [62, 79],
  [83, 89],
  [101, 191],
  [194, 255],
];
const UNASSIGNED = new Set(UNASSIGNED_RANGES.flatMap(([first, last]) => range(first, last)));
/** Of the numbers of a range the first; the others, which nothing tells apart, only in the long run. */
const TRIED_ANYWHERE = range(0, 255).filter(
  (number) => isLong || !UNASSIGNED.has(number) || UNASSIGNED_RANGES.some(([first]) => first === number),
);

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

async function afterRekeyInit(reaching: Promise<PacketClient>): Promise<PacketClient> {
  const client = await reaching;
  client.sendKexInit();
  await client.readServerKexInit();
  return client;
}

/** Bytes after which the server asks for new keys. */
const REKEY_BYTES = 64 * 1024;

async function askedForNewKeys(attacked: Attacked): Promise<PacketClient> {
  const client = await running(attacked);
  client.sendPacket(ping(Buffer.alloc(REKEY_BYTES)));
  await client.expect(M.PONG);
  await client.readServerKexInit();
  return client;
}

/** Asks for the password in a dialogue too. */
class AskingServer extends TargetServer {
  override getAllowedAuths(): string[] {
    return ["password", "keyboard-interactive"];
  }

  override async checkAuthKeyboardInteractive(
    username: string,
    _submethods: string,
    prompt: Prompt,
  ): Promise<AuthResult> {
    const [answer] = await prompt({ prompts: [{ prompt: "Password: ", echo: false }] });
    return username === USERNAME && answer === PASSWORD ? AUTH_SUCCESSFUL : AUTH_FAILED;
  }
}

async function inDialogue(attacked: Attacked): Promise<PacketClient> {
  const client = await attacked.authenticating();
  client.sendPacket(keyboardInteractiveRequest(USERNAME));
  await client.expect(M.USERAUTH_INFO_REQUEST);
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

const whileRunning = {
  allowed: [
    // Authentication is over: requests and answers that come too late are passed over (RFC 4252 §5.1).
    ...[...chatter, M.PING, M.USERAUTH_REQUEST, M.USERAUTH_INFO_RESPONSE, M.GLOBAL_REQUEST, M.CHANNEL_OPEN],
    ...range(M.CHANNEL_WINDOW_ADJUST, M.CHANNEL_REQUEST),
    // Replies to what nobody asked for change nothing.
    ...[M.REQUEST_SUCCESS, M.REQUEST_FAILURE, M.CHANNEL_SUCCESS, M.CHANNEL_FAILURE, M.PONG],
  ],
  unassigned: "unimplemented",
  // The answer is UNIMPLEMENTED, as sshd's.
  either: [M.SERVICE_REQUEST],
  hooks: {
    [M.GLOBAL_REQUEST]: ["checkGlobalRequest"],
    [M.CHANNEL_OPEN]: ["checkChannelRequest", "onChannelOpened"],
    [M.CHANNEL_REQUEST]: ["checkChannelExecRequest"],
  },
} as const;

const moments: Readonly<Record<string, Moment>> = {
  "before KEXINIT, where strict key exchange is still to come": {
    reach: (attacked) => beforeKexInit(attacked, strict),
    goOn: fromKexInit,
    kexInit: "next",
    allowed: [],
    unassigned: "ended",
  },
  "before KEXINIT, without strict key exchange": {
    reach: (attacked) => beforeKexInit(attacked, loose),
    goOn: fromKexInit,
    kexInit: "next",
    allowed: chatter,
    unassigned: "unimplemented",
  },
  "after KEXINIT under strict key exchange": {
    reach: (attacked) => afterKexInit(attacked, strict),
    goOn: fromExchange,
    next: [M.KEX_ECDH_INIT],
    kexInit: "ends",
    allowed: [],
    unassigned: "ended",
  },
  "after KEXINIT without strict key exchange": {
    reach: (attacked) => afterKexInit(attacked, loose),
    goOn: fromExchange,
    next: [M.KEX_ECDH_INIT],
    kexInit: "ends",
    allowed: chatter,
    unassigned: "unimplemented",
  },
  "before NEWKEYS under strict key exchange": {
    reach: (attacked) => beforeNewKeys(afterKexInit(attacked, strict)),
    goOn: async (client) => client.sendNewKeys(),
    next: [M.NEWKEYS],
    kexInit: "ends",
    allowed: [],
    unassigned: "ended",
  },
  "before NEWKEYS without strict key exchange": {
    reach: (attacked) => beforeNewKeys(afterKexInit(attacked, loose)),
    goOn: async (client) => client.sendNewKeys(),
    next: [M.NEWKEYS],
    kexInit: "ends",
    allowed: chatter,
    unassigned: "unimplemented",
  },
  "before any service": {
    reach: (attacked) => PacketClient.handshake(attacked.port),
    goOn: nothing,
    kexInit: "begins",
    allowed: [...chatter, M.EXT_INFO, M.PING, M.SERVICE_REQUEST],
    unassigned: "unimplemented",
  },
  "while authenticating": {
    reach: (attacked) => attacked.authenticating(),
    goOn: nothing,
    kexInit: "begins",
    allowed: [...chatter, M.PING, M.USERAUTH_REQUEST],
    // Asking for the same service again, and an answer to a question that was never asked.
    either: [M.SERVICE_REQUEST, M.USERAUTH_INFO_RESPONSE],
    unassigned: "unimplemented",
    hooks: { [M.USERAUTH_REQUEST]: ["checkAuthPassword", "onAuthenticationSuccessful"] },
  },
  "in a keyboard-interactive dialogue": {
    server: () => new AskingServer(),
    reach: inDialogue,
    goOn: nothing,
    kexInit: "begins",
    allowed: [...chatter, M.PING, M.USERAUTH_REQUEST, M.USERAUTH_INFO_RESPONSE],
    // Asking for the same service again.
    either: [M.SERVICE_REQUEST],
    unassigned: "unimplemented",
    hooks: {
      [M.USERAUTH_REQUEST]: ["checkAuthPassword", "onAuthenticationSuccessful"],
      [M.USERAUTH_INFO_RESPONSE]: ["onAuthenticationSuccessful"],
    },
  },
  "after KEXINIT of a later exchange before any service": {
    reach: (attacked) => afterRekeyInit(PacketClient.handshake(attacked.port)),
    goOn: fromExchange,
    next: [M.KEX_ECDH_INIT],
    kexInit: "ends",
    allowed: chatter,
    unassigned: "unimplemented",
  },
  "after KEXINIT of a later exchange while authenticating": {
    reach: (attacked) => afterRekeyInit(attacked.authenticating()),
    goOn: fromExchange,
    next: [M.KEX_ECDH_INIT],
    kexInit: "ends",
    allowed: chatter,
    unassigned: "unimplemented",
  },
  "before NEWKEYS of a later exchange while authenticating": {
    reach: (attacked) => beforeNewKeys(afterRekeyInit(attacked.authenticating())),
    goOn: async (client) => client.sendNewKeys(),
    next: [M.NEWKEYS],
    kexInit: "ends",
    allowed: chatter,
    unassigned: "unimplemented",
  },
  "after KEXINIT of a later exchange in a dialogue": {
    server: () => new AskingServer(),
    reach: (attacked) => afterRekeyInit(inDialogue(attacked)),
    goOn: fromExchange,
    next: [M.KEX_ECDH_INIT],
    kexInit: "ends",
    allowed: chatter,
    unassigned: "unimplemented",
  },
  "once authenticated, with an open session": { ...whileRunning, reach: running, goOn: nothing, kexInit: "begins" },
  "after the server's KEXINIT of a later exchange": {
    ...whileRunning,
    options: { rekeyLimit: { bytes: REKEY_BYTES } },
    reach: askedForNewKeys,
    goOn: fromKexInit,
    kexInit: "next",
  },
  "after KEXINIT of a later exchange": {
    reach: (attacked) => afterRekeyInit(running(attacked)),
    goOn: fromExchange,
    next: [M.KEX_ECDH_INIT],
    kexInit: "ends",
    allowed: [...chatter, ...onChannels],
    unassigned: "unimplemented",
  },
  "before NEWKEYS of a later exchange": {
    reach: (attacked) => beforeNewKeys(afterRekeyInit(running(attacked))),
    goOn: async (client) => client.sendNewKeys(),
    next: [M.NEWKEYS],
    kexInit: "ends",
    allowed: [...chatter, ...onChannels],
    unassigned: "unimplemented",
  },
};

async function sendAndObserve(moment: Moment, client: PacketClient, number: number, ends: boolean): Promise<Outcome> {
  client.sendPacket(plausibleMessage(number, 0));
  // Writing on may cost the client the DISCONNECT that is on its way.
  if (ends && moment.goOn === nothing) return { kind: "ended", reason: (await client.waitEnd()).disconnect?.reason };
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
  const { allowed, either = [], next = [], unassigned, hooks = {}, server = () => new TargetServer() } = moment;
  // Where one connection bears them all, it is asked of all.
  const candidates = moment.goOn === nothing && unassigned === "unimplemented" ? range(0, 255) : TRIED_ANYWHERE;
  const numbers = candidates.filter((number) => number !== M.KEXINIT && !next.includes(number));
  const start = () => Attacked.start(server(), moment.options);

  it("reaches a handler only where it has business", { timeout: 120_000 }, async () => {
    const attacked = await start();
    const wrong: string[] = [];
    let same: PacketClient | undefined;
    for (const number of numbers) {
      const client = same ?? (await moment.reach(attacked));
      attacked.forgetCalls();
      const outcome = await sendAndObserve(moment, client, number, mustEnd(number));
      const report = `message ${number}: ${JSON.stringify(outcome)} ${attacked.callNames}`;
      const ran = attacked.callNames.filter((name) => hooks[number]?.includes(name) !== true);
      if (ran.length > 0) wrong.push(`${report} ran ${ran}`);
      if (!isRight(outcome, number)) wrong.push(report);
      // A client that is told that a message means nothing is in the same phase as before.
      same = outcome.kind === "unimplemented" && moment.goOn === nothing ? client : undefined;
      if (same === undefined) client.reset();
    }
    same?.reset();
    expect(wrong).toEqual([]);
    await attacked.expectUnharmed();
  });

  it("that is the next step is taken", async () => {
    const attacked = await start();
    const client = await moment.reach(attacked);
    await moment.goOn(client);
    client.sendPacket(ping("probe"));
    await client.expect(M.PONG);
    await client.close();
    await attacked.expectUnharmed();
  });

  if (moment.kexInit === "begins") it("is not disturbed by a key exchange", goesOnUnderNewKeys);
  if (moment.kexInit === "ends") it("is no second KEXINIT", endsAtKexInit);

  async function goesOnUnderNewKeys(): Promise<void> {
    const attacked = await start();
    const client = await moment.reach(attacked);
    await client.exchangeKeys();
    client.sendPacket(ping("probe"));
    await client.expect(M.PONG);
    await client.close();
    await attacked.expectUnharmed();
  }

  async function endsAtKexInit(): Promise<void> {
    const attacked = await start();
    const client = await moment.reach(attacked);
    attacked.forgetCalls();
    client.sendKexInit();
    expect((await client.waitDisconnect()).reason).toBe(DisconnectReason.PROTOCOL_ERROR);
    expect(attacked.callNames).toEqual([]);
    await attacked.expectUnharmed();
  }

  function mustEnd(number: number): boolean {
    if (either.includes(number) || allowed.includes(number)) return false;
    return !UNASSIGNED.has(number) || unassigned === "ended";
  }

  function isRight(outcome: Outcome, number: number): boolean {
    if (either.includes(number)) return true;
    if (!mustEnd(number)) return outcome.kind === (allowed.includes(number) ? "goes-on" : "unimplemented");
    if (outcome.kind !== "ended") return false;
    if (number === M.DISCONNECT) return outcome.reason === undefined;
    if (moment.goOn === nothing) return outcome.reason === DisconnectReason.PROTOCOL_ERROR;
    return acceptable.includes(outcome.reason);
  }
});

/** Writing on after the end may cost the client the DISCONNECT that was on its way. */
const acceptable: readonly (number | undefined)[] = [
  DisconnectReason.PROTOCOL_ERROR,
  DisconnectReason.KEY_EXCHANGE_FAILED,
  undefined,
];

import { describe, expect, it } from "vitest";
import { MessageNumber as M } from "../../src/protocol/constants.js";
import { extent, sample } from "../support/extent.js";
import { PacketClient } from "../support/packet-client.js";
import { ping } from "../support/packet-messages.js";
import { Attacked, TargetServer } from "./attacked-server.js";
import {
  authenticationMessages,
  type DescribedMessage,
  kexInit,
  kexMessage,
  messagesAnywhere,
  runningMessages,
  serviceMessages,
} from "./message-fields.js";

/** Allows what can be asked for, so that everything that is asked gets as far as it can. */
class GenerousServer extends TargetServer {
  /** Numbers that reached a hook and cannot be what they are said to be. */
  readonly impossible: unknown[] = [];

  override getAllowedAuths(): string[] {
    return ["publickey", "password", "keyboard-interactive"];
  }
  override checkChannelEnvRequest(): boolean {
    return true;
  }
  override checkChannelPtyRequest(): boolean {
    return true;
  }
  override checkChannelWindowChangeRequest(): boolean {
    return true;
  }
  override checkPortForwardRequest(_address: string, port: number): number | false {
    if (port > 65_535) this.impossible.push(port);
    return port > 0 && port;
  }
  override checkPortForwardCancelRequest(_address: string, port: number): boolean {
    if (port > 65_535) this.impossible.push(port);
    return true;
  }
}

const VALUES = sample([2 ** 32 - 1, 2 ** 31, 2 ** 31 - 1, 0], 2);

/** The message with each of its lengths and numbers replaced by each of the values. */
const withOtherNumbers = ({ payload, numbers }: DescribedMessage): Buffer[] =>
  numbers.flatMap((offset) =>
    VALUES.map((value) => {
      const changed = Buffer.from(payload);
      changed.writeUInt32BE(value, offset);
      return changed;
    }),
  );

/** Bytes from one cut to the next: test/protocol/messages/round-trips.test.ts cuts behind each of them. */
const STEP = extent(7, 1);

/** The message cut behind its bytes, and with bytes behind it. */
const cutOrExtended = ({ payload }: DescribedMessage): Buffer[] => [
  ...Array.from({ length: Math.ceil((payload.length - 1) / STEP) }, (_, index) =>
    payload.subarray(0, index * STEP + 1),
  ),
  ...[1, 4, 1000].map((count) => Buffer.concat([payload, Buffer.alloc(count)])),
  Buffer.concat([payload, Buffer.alloc(4, 0xff)]),
];

/** Whether the connection still answers. */
async function goesOn(client: PacketClient): Promise<boolean> {
  client.sendPacket(ping("probe"));
  for (;;) {
    const payload = await client.nextPacket().catch(() => undefined);
    if (payload === undefined || payload[0] === M.DISCONNECT) return false;
    if (payload[0] === M.PONG && payload.subarray(5).toString() === "probe") return true;
  }
}

const phases: Readonly<
  Record<
    string,
    { readonly messages: readonly DescribedMessage[]; readonly reach: (attacked: Attacked) => Promise<PacketClient> }
  >
> = {
  "before any service": {
    messages: [...serviceMessages, ...messagesAnywhere],
    reach: (attacked) => PacketClient.handshake(attacked.port),
  },
  "in authentication": {
    messages: [...authenticationMessages, ...messagesAnywhere],
    reach: (attacked) => attacked.authenticating(),
  },
  "in a session": {
    messages: [...runningMessages, ...messagesAnywhere],
    reach: async (attacked) => {
      const client = await attacked.login();
      await client.openSession();
      return client;
    },
  },
};

async function start() {
  const errors: unknown[] = [];
  const quiet = (): void => {};
  const logger = { debug: quiet, info: quiet, warn: quiet, error: (...entry: unknown[]) => errors.push(entry) };
  const attacked = await Attacked.start(new GenerousServer(), { logger, maxAuthTries: 100 });
  return { attacked, errors };
}

describe.each(Object.entries(phases))("%s,", (_, { messages, reach }) => {
  async function sendAll(payloads: readonly Buffer[]): Promise<void> {
    const { attacked, errors } = await start();
    let client = await reach(attacked);
    for (const payload of payloads) {
      client.sendPacket(payload);
      if (await goesOn(client)) continue;
      client.reset();
      client = await reach(attacked);
    }
    client.reset();
    // What a peer sends is never the fault of a hook or of the server.
    expect(errors).toEqual([]);
    expect(attacked.server.impossible).toEqual([]);
    await attacked.expectUnharmed();
  }

  const cases = messages.map((message) => [message.what, message] as const);
  it.each(cases)("%s cut and extended harms nobody", async (_what, message) => {
    await sendAll(cutOrExtended(message));
  });
  it.each(cases.filter(([, { numbers }]) => numbers.length > 0))(
    "%s with each length and number at its extremes harms nobody",
    async (_what, message) => {
      await sendAll(withOtherNumbers(message));
    },
  );
});

describe("in a key exchange,", () => {
  const exchanges = {
    KEXINIT: { message: kexInit, before: (_client: PacketClient) => {} },
    KEX_ECDH_INIT: { message: kexMessage, before: (client: PacketClient) => client.sendKexInit() },
  };
  for (const [what, { message, before }] of Object.entries(exchanges)) {
    it.each([
      ["cut and extended", cutOrExtended(message)],
      ["with each length and number at its extremes", withOtherNumbers(message)],
    ])(`${what} %s ends the connection or goes on, and harms nobody`, async (_, payloads) => {
      const { attacked, errors } = await start();
      for (const payload of payloads) {
        const client = await attacked.connect();
        await client.exchangeIdentifications();
        await client.readServerKexInit();
        before(client);
        client.sendPacket(payload);
        // Not an answer to any of this: it ends whatever has not ended yet.
        client.sendPacket(Buffer.of(M.USERAUTH_REQUEST));
        await client.waitEnd();
      }
      expect(errors).toEqual([]);
      expect(attacked.callNames).toEqual([]);
      await attacked.expectUnharmed();
    });
  }
});

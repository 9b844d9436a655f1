import { expect, it, vi } from "vitest";
import type { Logger } from "../../src/index.js";
import { MessageNumber as M } from "../../src/protocol/constants.js";
import { Writer } from "../../src/protocol/writer.js";
import { extent, sample } from "../support/extent.js";
import {
  channelEof,
  channelRequest,
  execRequest,
  message,
  noneRequest,
  ping,
  windowAdjust,
} from "../support/packet-messages.js";
import { Attacked, TargetServer } from "./attacked-server.js";
import { MIB } from "./memory.js";

/** Too many to remember within a mebibyte. */
const MANY = extent(20_000, 1_000_000);
const TIMEOUT = extent(60_000, 600_000);
/** Of the attacker's connection: it connects, exchanges keys, logs in, sends the first of a kind, leaves. */
const MAX_LINES = 5;
const NEVER_OPEN = 1234;

interface Line {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly text: string;
}

function recordingLogger(): { readonly logger: Logger; readonly lines: Line[] } {
  const lines: Line[] = [];
  const record = (fields: object, text: string): void => void lines.push({ fields: { ...fields }, text });
  return { logger: { debug: record, info: record, warn: record, error: record }, lines };
}

const onChannel = (number: number, channel: number): Buffer =>
  new Writer().writeByte(number).writeUint32(channel).toBuffer();
const text = (bytes: Uint8Array | string): Buffer => new Writer().writeString(bytes).toBuffer();

/** What the log counts them as, where it counts them. */
interface Count {
  readonly ignored?: string;
  readonly refused?: string;
}

const NO_GLOBAL_REQUEST = { ignored: "reply to no global request" };
const NO_CHANNEL_REQUEST = { ignored: "reply to no channel request" };

const kinds: readonly (readonly [what: string, make: (channel: number) => Buffer, count: Count])[] = [
  ["REQUEST_SUCCESS", () => new Writer().writeByte(M.REQUEST_SUCCESS).writeUint32(22).toBuffer(), NO_GLOBAL_REQUEST],
  ["REQUEST_FAILURE", () => message(M.REQUEST_FAILURE), NO_GLOBAL_REQUEST],
  ["CHANNEL_SUCCESS for an open channel", (id) => onChannel(M.CHANNEL_SUCCESS, id), NO_CHANNEL_REQUEST],
  ["CHANNEL_FAILURE for no channel", () => onChannel(M.CHANNEL_FAILURE, NEVER_OPEN), NO_CHANNEL_REQUEST],
  [
    "WINDOW_ADJUST for no channel",
    () => windowAdjust(NEVER_OPEN, 2 ** 32 - 1),
    { ignored: "window adjustment for a channel that is not open" },
  ],
  ["a second EOF", channelEof, { ignored: "second EOF on a channel" }],
  [
    "signals whose name is not UTF-8",
    (id) => channelRequest(id, "signal", "no-reply", text(Buffer.of(0xff))),
    { refused: "a text is not UTF-8" },
  ],
  [
    "exit-status from the client",
    (id) => channelRequest(id, "exit-status", "no-reply", Buffer.alloc(4)),
    { refused: "channel request of another kind: refused" },
  ],
  ["attempts to log in", () => noneRequest("somebody"), {}],
];

it.each(sample(kinds, 2))(
  "what is ignored may come without end, and costs no memory and no log: %s",
  async (_, make, { ignored, refused }) => {
    const { logger, lines } = recordingLogger();
    const attacked = await Attacked.start(new TargetServer(), { logger });
    const client = await attacked.login();
    const { id } = await client.openSession();
    client.sendPacket(execRequest(id, "hold"));
    await client.expect(M.CHANNEL_SUCCESS);
    client.sendPacket(channelEof(id));
    const other = await attacked.login();
    const before = attacked.memoryInUse();

    const payload = make(id);
    const flood = client.flood(() => payload, MANY, 20_000);
    expect((await other.exec("hello")).exitStatus).toBe(0);
    expect(await flood).toBe(MANY);
    client.sendPacket(ping("all is read"));
    await client.expect(M.PONG);
    expect(attacked.memoryInUse() - before).toBeLessThan(MIB);

    await client.close();
    await vi.waitFor(() => expect(lines.some(isEnd)).toBe(true));
    const { fields } = lines.find(isEnd) ?? {};
    const own = lines.filter((line) => line.fields.connection === fields?.connection);
    expect(own.length).toBeLessThanOrEqual(MAX_LINES);
    expect([fields?.ignored, fields?.refused]).toEqual([
      ignored && { [ignored]: MANY },
      refused && { [refused]: MANY },
    ]);
    await other.close();
    await attacked.expectUnharmed();
  },
  TIMEOUT,
);

function isEnd({ text: said }: Line): boolean {
  return said === "a connection has ended";
}

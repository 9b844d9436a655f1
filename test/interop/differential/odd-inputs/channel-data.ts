import { MessageNumber as M } from "../../../../src/protocol/constants.js";
import * as messages from "../../../support/packet-messages.js";
import { cut, message, withTail } from "./bytes.js";
import type { OddInput } from "./odd-input.js";
import type { Peer } from "./peer.js";
import { sending } from "./sending.js";

/** Data that the program is to get. */
function echoed(name: string, length: number, make: (peer: Peer) => readonly Uint8Array[]): OddInput {
  return { ...sending("echo", name, make), echo: length };
}

/** Messages behind the client's CLOSE, which the server answers by its own. */
function afterClose(name: string, make: (id: number) => Uint8Array): OddInput {
  return { ...sending("deaf", name, ({ id }) => [messages.channelClose(id), make(id)]), closes: true };
}

/** What both servers say they take at once. */
const MAXIMUM = 32 * 1024;
/** What a program of both takes before it reads; sshd gives it when the program starts. */
const WINDOW = 2 * 1024 * 1024;

function ofLength(length: number): (peer: Peer) => Uint8Array[] {
  return ({ id }) => [messages.channelData(id, Buffer.alloc(length, "x"))];
}

const notOpen: readonly (readonly [name: string, channel: number])[] = [
  ["a channel that was never open", 9],
  ["channel 2^32 - 1", 0xffffffff],
];

const strangers: readonly OddInput[] = notOpen.flatMap(([name, channel]) => [
  sending("session", `data for ${name}`, () => [messages.channelData(channel, "x")]),
  sending("session", `extended data for ${name}`, () => [messages.channelExtendedData(channel, 1, "x")]),
  sending("session", `WINDOW_ADJUST for ${name}`, () => [messages.windowAdjust(channel, 1)]),
  sending("session", `EOF for ${name}`, () => [messages.channelEof(channel)]),
  sending("session", `CLOSE for ${name}`, () => [messages.channelClose(channel)]),
]);

export const channelDataInputs: readonly OddInput[] = [
  ...strangers,
  echoed("data of no bytes", 0, ({ id }) => [messages.channelData(id, "")]),
  echoed("data of the maximum packet size", MAXIMUM, ofLength(MAXIMUM)),
  echoed("data of 4 bytes more than the maximum packet size", MAXIMUM + 4, ofLength(MAXIMUM + 4)),
  echoed("data of 1,000 bytes more than the maximum packet size", MAXIMUM + 1_000, ofLength(MAXIMUM + 1_000)),
  echoed("data of twice the maximum packet size", MAXIMUM * 2, ofLength(MAXIMUM * 2)),
  echoed("data of 200,000 bytes", 200_000, ofLength(200_000)),
  sending("deaf", "data beyond the window", ({ id }) =>
    Array((2 * WINDOW) / MAXIMUM).fill(messages.channelData(id, Buffer.alloc(MAXIMUM))),
  ),
  sending("echo", "data with bytes behind it", ({ id }) => [withTail(messages.channelData(id, "x"))]),
  sending("echo", "data cut short", ({ id }) => [cut(messages.channelData(id, "xyz"))]),
  sending("session", "data before a program", ({ id }) => [messages.channelData(id, "x")]),
  sending("echo", "extended data", ({ id }) => [messages.channelExtendedData(id, 1, "x")]),
  sending("echo", "extended data of type 0", ({ id }) => [messages.channelExtendedData(id, 0, "x")]),
  sending("echo", "extended data of type 2^32 - 1", ({ id }) => [messages.channelExtendedData(id, 0xffffffff, "x")]),
  sending("echo", "extended data of no bytes", ({ id }) => [messages.channelExtendedData(id, 1, "")]),
  sending("echo", "extended data of more than the maximum packet size", ({ id }) => [
    messages.channelExtendedData(id, 1, Buffer.alloc(MAXIMUM + 4)),
  ]),
  sending("echo", "extended data with bytes behind it", ({ id }) => [
    withTail(messages.channelExtendedData(id, 1, "x")),
  ]),

  sending("deaf", "EOF twice", ({ id }) => [messages.channelEof(id), messages.channelEof(id)]),
  sending("session", "EOF before a program, twice", ({ id }) => [messages.channelEof(id), messages.channelEof(id)]),
  sending("deaf", "EOF with bytes behind it", ({ id }) => [withTail(messages.channelEof(id))]),
  sending("deaf", "EOF without a channel", () => [message(M.CHANNEL_EOF)]),
  sending("deaf", "data after EOF", ({ id }) => [messages.channelEof(id), messages.channelData(id, "x")]),
  sending("deaf", "extended data after EOF", ({ id }) => [
    messages.channelEof(id),
    messages.channelExtendedData(id, 1, "x"),
  ]),
  sending("deaf", "WINDOW_ADJUST after EOF", ({ id }) => [messages.channelEof(id), messages.windowAdjust(id, 1)]),
  sending("deaf", "a signal after EOF", ({ id }) => [
    messages.channelEof(id),
    messages.channelRequest(id, "signal", "want-reply", message(0, "X").subarray(1)),
  ]),

  { ...sending("deaf", "CLOSE with bytes behind it", ({ id }) => [withTail(messages.channelClose(id))]), closes: true },
  afterClose("CLOSE twice", messages.channelClose),
  afterClose("EOF after CLOSE", messages.channelEof),
  afterClose("data after CLOSE", (id) => messages.channelData(id, "x")),
  afterClose("extended data after CLOSE", (id) => messages.channelExtendedData(id, 1, "x")),
  afterClose("WINDOW_ADJUST after CLOSE", (id) => messages.windowAdjust(id, 1)),
  afterClose("a request after CLOSE", (id) => messages.execRequest(id, "true")),
  afterClose("a request that wants no reply after CLOSE", (id) => messages.execRequest(id, "true", "no-reply")),
  afterClose("CHANNEL_SUCCESS after CLOSE", (id) => message(M.CHANNEL_SUCCESS, id)),

  sending("echo", "WINDOW_ADJUST by 0", ({ id }) => [messages.windowAdjust(id, 0)]),
  sending("echo", "WINDOW_ADJUST beyond 2^32 - 1", ({ id }) => [messages.windowAdjust(id, 0xffffffff)]),
  sending("echo", "WINDOW_ADJUST with bytes behind it", ({ id }) => [withTail(messages.windowAdjust(id, 1))]),
  sending("echo", "WINDOW_ADJUST cut short", ({ id }) => [cut(messages.windowAdjust(id, 1))]),
];

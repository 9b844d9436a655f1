import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MessageNumber as M } from "../../../src/protocol/constants.js";
import { ProtocolError } from "../../../src/protocol/errors.js";
import * as channelOpen from "../../../src/protocol/messages/channel-open.js";
import { decodeExtInfo, encodeExtInfo } from "../../../src/protocol/messages/ext-info.js";
import { decodeKexInit, encodeKexInit } from "../../../src/protocol/messages/kex-init.js";
import * as requests from "../../../src/protocol/messages/requests.js";
import * as service from "../../../src/protocol/messages/service.js";
import { bytesArbitrary, nameArbitrary, textArbitrary, uint32Arbitrary } from "../fields.js";

/*
 * Each message, written and read. Some of these functions are for a role that src/ does not have yet: until then this
 * test is all that uses them.
 */

interface Message<T> {
  readonly number: number;
  readonly values: fc.Arbitrary<T>;
  encode(value: T): Buffer;
  decode(payload: Buffer): T;
  /** Bytes at the end of which any number is taken: fields that the message leaves to others. */
  openEnd?(value: T): number;
}

/** What is written is read as it was; cut anywhere, or followed by anything, it is refused. */
function check<T>({ number, values, encode, decode, openEnd }: Message<T>): void {
  fc.assert(
    fc.property(values, (value) => {
      const payload = encode(value);
      expect(payload[0]).toBe(number);
      expect(decode(payload)).toEqual(value);
      const malformed = range(1, payload.length - (openEnd?.(value) ?? 0)).map((length) => payload.subarray(0, length));
      if (openEnd === undefined) malformed.push(Buffer.concat([payload, Buffer.of(0)]));
      expect(malformed.filter((bytes) => !isRefused(() => decode(bytes)))).toEqual([]);
    }),
  );
}

const range = (first: number, end: number) => Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i);

function isRefused(decode: () => unknown): boolean {
  try {
    decode();
    return false;
  } catch (error) {
    if (error instanceof ProtocolError) return true;
    throw error;
  }
}

/** A message of the list; its type parameter is only of its own concern. */
const message = <T>(fields: Message<T>) => ({ number: fields.number, check: () => check(fields) });

const nothing = fc.constant(undefined);
const names = fc.array(nameArbitrary, { maxLength: 4 });
const reply = (wantReply: boolean) => (wantReply ? "wanted" : "unwanted");

const messages = {
  SERVICE_REQUEST: message({
    number: M.SERVICE_REQUEST,
    values: textArbitrary,
    encode: service.encodeServiceRequest,
    decode: service.decodeServiceRequest,
  }),
  SERVICE_ACCEPT: message({
    number: M.SERVICE_ACCEPT,
    values: textArbitrary,
    encode: service.encodeServiceAccept,
    decode: service.decodeServiceAccept,
  }),
  EXT_INFO: message({
    number: M.EXT_INFO,
    values: fc.array(fc.tuple(textArbitrary, bytesArbitrary), { maxLength: 5 }).map((entries) => new Map(entries)),
    encode: encodeExtInfo,
    decode: decodeExtInfo,
  }),
  KEXINIT: message({
    number: M.KEXINIT,
    values: fc.record({
      kex: names,
      hostKey: names,
      cipherClientToServer: names,
      cipherServerToClient: names,
      macClientToServer: names,
      macServerToClient: names,
      compressionClientToServer: names,
      compressionServerToClient: names,
      firstKexPacketFollows: fc.boolean(),
    }),
    encode: (kexInit) => encodeKexInit(kexInit, Buffer.alloc(16, 1)),
    decode: decodeKexInit,
  }),
  GLOBAL_REQUEST: message({
    number: M.GLOBAL_REQUEST,
    values: fc.record({ kind: nameArbitrary, wantReply: fc.boolean(), fields: bytesArbitrary }),
    encode: ({ kind, wantReply, fields }) => requests.encodeGlobalRequest(kind, reply(wantReply), fields),
    decode: (payload) => {
      const { fields, ...request } = requests.decodeGlobalRequest(payload);
      return { ...request, fields: fields.readRest() };
    },
    openEnd: ({ fields }) => fields.length,
  }),
  REQUEST_SUCCESS: message({
    number: M.REQUEST_SUCCESS,
    values: bytesArbitrary,
    encode: (fields) => requests.encodeRequestSuccess(fields),
    decode: requests.decodeRequestSuccess,
    openEnd: (fields) => fields.length,
  }),
  REQUEST_FAILURE: message({
    number: M.REQUEST_FAILURE,
    values: nothing,
    encode: requests.encodeRequestFailure,
    decode: requests.decodeRequestFailure,
  }),
  CHANNEL_OPEN: message({
    number: M.CHANNEL_OPEN,
    values: fc.record({
      kind: nameArbitrary,
      senderChannel: uint32Arbitrary,
      initialWindowSize: uint32Arbitrary,
      maximumPacketSize: uint32Arbitrary,
      fields: bytesArbitrary,
    }),
    encode: channelOpen.encodeChannelOpen,
    decode: channelOpen.decodeChannelOpen,
    openEnd: ({ fields }) => fields.length,
  }),
  CHANNEL_OPEN_CONFIRMATION: message({
    number: M.CHANNEL_OPEN_CONFIRMATION,
    values: fc.record({
      recipientChannel: uint32Arbitrary,
      senderChannel: uint32Arbitrary,
      initialWindowSize: uint32Arbitrary,
      maximumPacketSize: uint32Arbitrary,
      fields: bytesArbitrary,
    }),
    encode: channelOpen.encodeChannelOpenConfirmation,
    decode: channelOpen.decodeChannelOpenConfirmation,
    openEnd: ({ fields }) => fields.length,
  }),
  CHANNEL_OPEN_FAILURE: message({
    number: M.CHANNEL_OPEN_FAILURE,
    values: fc.record({ recipientChannel: uint32Arbitrary, reason: uint32Arbitrary, description: textArbitrary }),
    encode: channelOpen.encodeChannelOpenFailure,
    decode: channelOpen.decodeChannelOpenFailure,
  }),
  CHANNEL_REQUEST: message({
    number: M.CHANNEL_REQUEST,
    values: fc.record({
      recipientChannel: uint32Arbitrary,
      kind: nameArbitrary,
      wantReply: fc.boolean(),
      fields: bytesArbitrary,
    }),
    encode: ({ recipientChannel, kind, wantReply, fields }) =>
      requests.encodeChannelRequest(recipientChannel, kind, reply(wantReply), fields),
    decode: (payload) => {
      const { fields, ...request } = requests.decodeChannelRequest(payload);
      return { ...request, fields: fields.readRest() };
    },
    openEnd: ({ fields }) => fields.length,
  }),
};

describe("what is written is read as it was; cut, or followed by anything, it is refused", () => {
  it.each(Object.entries(messages))("%s", (_, { check }) => check());
});

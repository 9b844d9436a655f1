import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DisconnectReason, MessageNumber as M } from "../../../src/protocol/constants.js";
import * as channelOpen from "../../../src/protocol/messages/channel-open.js";
import * as channels from "../../../src/protocol/messages/channels.js";
import { decodeExtInfo, encodeExtInfo } from "../../../src/protocol/messages/ext-info.js";
import { decodeKexInit, encodeKexInit } from "../../../src/protocol/messages/kex-init.js";
import * as requests from "../../../src/protocol/messages/requests.js";
import * as service from "../../../src/protocol/messages/service.js";
import * as transport from "../../../src/protocol/messages/transport.js";
import * as userauth from "../../../src/protocol/messages/userauth.js";
import * as keyboardInteractive from "../../../src/protocol/messages/userauth-keyboard-interactive.js";
import {
  decodePasswordChangeRequest,
  decodePasswordFields,
  encodePasswordChangeRequest,
  encodePasswordFields,
} from "../../../src/protocol/messages/userauth-password.js";
import * as publicKey from "../../../src/protocol/messages/userauth-public-key.js";
import type { Reader } from "../../../src/protocol/reader.js";
import { bytesArbitrary, nameArbitrary, textArbitrary, uint32Arbitrary } from "../fields.js";
import { checkRoundTrip, type RoundTrip } from "./round-trip.js";

/*
 * Each message, written and read. Some of these functions are for a role that src/ does not have yet: until then this
 * test is all that uses them.
 */

/** A message of the list; its type parameter is only of its own concern. */
const message = <T>(fields: RoundTrip<T>) => ({ number: fields.number, check: () => checkRoundTrip(fields) });

const nothing = fc.constant(undefined);
/** Of the language in DISCONNECT, which need not be there. */
const EMPTY_STRING_LENGTH = 4;
const names = fc.array(nameArbitrary, { maxLength: 4 });
const reply = (wantReply: boolean) => (wantReply ? "wanted" : "unwanted");

const recipientChannel = uint32Arbitrary;

/** A message that has only its number. */
const bare = (number: number, encode: () => Buffer, decode: (payload: Buffer) => void) =>
  message({ number, values: nothing, encode, decode });

/** One that has only the number of a channel. */
const onlyRecipient = (number: channels.ChannelMessageNumber) =>
  message({
    number,
    values: recipientChannel,
    encode: (channel) => channels.encodeChannelMessage(number, channel),
    decode: channels.decodeChannelMessage,
  });

/** An attempt by one of the methods. */
const request = <T>(
  method: string,
  values: fc.Arbitrary<T>,
  write: (fields: T) => Buffer,
  read: (fields: Reader) => unknown,
) =>
  message({
    number: M.USERAUTH_REQUEST,
    values: fc.record({ username: textArbitrary, service: nameArbitrary, method: fc.constant(method), fields: values }),
    encode: ({ fields, ...head }) => userauth.encodeUserauthRequest(head, write(fields)),
    decode: (payload) => {
      const { fields, ...head } = userauth.decodeUserauthRequest(payload);
      return { ...head, fields: read(fields) };
    },
  });

const keyFields = { algorithm: nameArbitrary, keyBlob: bytesArbitrary };
const signature = fc.option(bytesArbitrary, { nil: undefined });

const messages = {
  DISCONNECT: message({
    number: M.DISCONNECT,
    values: fc.record({ reason: fc.constantFrom(...Object.values(DisconnectReason)), description: textArbitrary }),
    encode: ({ reason, description }) => transport.encodeDisconnect(reason, description),
    decode: transport.decodeDisconnect,
    openEnd: () => EMPTY_STRING_LENGTH,
  }),
  IGNORE: message({
    number: M.IGNORE,
    values: bytesArbitrary,
    encode: (data) => transport.encodeIgnore(data),
    decode: transport.decodeIgnore,
  }),
  UNIMPLEMENTED: message({
    number: M.UNIMPLEMENTED,
    values: uint32Arbitrary,
    encode: transport.encodeUnimplemented,
    decode: transport.decodeUnimplemented,
  }),
  DEBUG: message({
    number: M.DEBUG,
    values: fc.record({ alwaysDisplay: fc.boolean(), message: textArbitrary }),
    encode: transport.encodeDebug,
    decode: transport.decodeDebug,
  }),
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
  NEWKEYS: bare(M.NEWKEYS, transport.encodeNewKeys, transport.decodeNewKeys),
  "USERAUTH_REQUEST, none": request(
    "none",
    nothing,
    () => Buffer.alloc(0),
    (fields) => fields.end(),
  ),
  "USERAUTH_REQUEST, password": request(
    "password",
    fc.oneof(
      fc.record({ password: bytesArbitrary }),
      fc.record({ password: bytesArbitrary, newPassword: bytesArbitrary }),
    ),
    encodePasswordFields,
    decodePasswordFields,
  ),
  "USERAUTH_REQUEST, publickey": request(
    "publickey",
    fc.record({ ...keyFields, hostKeyBlob: nothing, signature }),
    publicKey.encodePublicKeyFields,
    (fields) => publicKey.decodePublicKeyFields(fields, "plain"),
  ),
  "USERAUTH_REQUEST, publickey-hostbound-v00@openssh.com": request(
    "publickey-hostbound-v00@openssh.com",
    fc.record({ ...keyFields, hostKeyBlob: bytesArbitrary, signature }),
    publicKey.encodePublicKeyFields,
    (fields) => publicKey.decodePublicKeyFields(fields, "host-bound"),
  ),
  "USERAUTH_REQUEST, keyboard-interactive": request(
    "keyboard-interactive",
    fc.record({ submethods: textArbitrary }),
    keyboardInteractive.encodeKeyboardInteractiveFields,
    keyboardInteractive.decodeKeyboardInteractiveFields,
  ),
  USERAUTH_FAILURE: message({
    number: M.USERAUTH_FAILURE,
    values: fc.record({ methods: names, partialSuccess: fc.boolean() }),
    encode: ({ methods, partialSuccess }) => userauth.encodeUserauthFailure(methods, partialSuccess),
    decode: userauth.decodeUserauthFailure,
  }),
  USERAUTH_SUCCESS: bare(M.USERAUTH_SUCCESS, userauth.encodeUserauthSuccess, userauth.decodeUserauthSuccess),
  USERAUTH_BANNER: message({
    number: M.USERAUTH_BANNER,
    values: textArbitrary,
    encode: userauth.encodeBanner,
    decode: userauth.decodeBanner,
  }),
  USERAUTH_PK_OK: message({
    number: M.USERAUTH_PK_OK,
    values: fc.record(keyFields),
    encode: ({ algorithm, keyBlob }) => publicKey.encodePublicKeyOk(algorithm, keyBlob),
    decode: publicKey.decodePublicKeyOk,
  }),
  USERAUTH_PASSWD_CHANGEREQ: message({
    number: M.USERAUTH_PASSWD_CHANGEREQ,
    values: textArbitrary,
    encode: encodePasswordChangeRequest,
    decode: decodePasswordChangeRequest,
  }),
  USERAUTH_INFO_REQUEST: message({
    number: M.USERAUTH_INFO_REQUEST,
    values: fc.record({
      name: textArbitrary,
      instruction: textArbitrary,
      prompts: fc.array(fc.record({ prompt: textArbitrary, echo: fc.boolean() }), { maxLength: 4 }),
    }),
    encode: keyboardInteractive.encodeInfoRequest,
    decode: keyboardInteractive.decodeInfoRequest,
  }),
  USERAUTH_INFO_RESPONSE: message({
    number: M.USERAUTH_INFO_RESPONSE,
    values: fc.array(textArbitrary, { minLength: 3, maxLength: 3 }),
    encode: keyboardInteractive.encodeInfoResponse,
    decode: (payload) => keyboardInteractive.decodeInfoResponse(payload, 3),
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
  REQUEST_FAILURE: bare(M.REQUEST_FAILURE, requests.encodeRequestFailure, requests.decodeRequestFailure),
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
  CHANNEL_WINDOW_ADJUST: message({
    number: M.CHANNEL_WINDOW_ADJUST,
    values: fc.record({ recipientChannel, bytes: uint32Arbitrary }),
    encode: ({ recipientChannel, bytes }) => channels.encodeWindowAdjust(recipientChannel, bytes),
    decode: channels.decodeWindowAdjust,
  }),
  CHANNEL_DATA: message({
    number: M.CHANNEL_DATA,
    values: fc.record({ recipientChannel, data: bytesArbitrary }),
    encode: ({ recipientChannel, data }) => withData(channels.encodeDataHead(recipientChannel), data),
    decode: channels.decodeData,
  }),
  CHANNEL_EXTENDED_DATA: message({
    number: M.CHANNEL_EXTENDED_DATA,
    values: fc.record({ recipientChannel, dataType: uint32Arbitrary, data: bytesArbitrary }),
    encode: ({ recipientChannel, dataType, data }) =>
      withData(channels.encodeExtendedDataHead(recipientChannel, dataType), data),
    decode: channels.decodeExtendedData,
  }),
  CHANNEL_EOF: onlyRecipient(M.CHANNEL_EOF),
  CHANNEL_CLOSE: onlyRecipient(M.CHANNEL_CLOSE),
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
  CHANNEL_SUCCESS: onlyRecipient(M.CHANNEL_SUCCESS),
  CHANNEL_FAILURE: onlyRecipient(M.CHANNEL_FAILURE),
  PING: message({ number: M.PING, values: bytesArbitrary, encode: transport.encodePing, decode: transport.decodePing }),
  PONG: message({ number: M.PONG, values: bytesArbitrary, encode: transport.encodePong, decode: transport.decodePong }),
};

function withData(head: Buffer, data: Buffer): Buffer {
  channels.setDataLength(head, data.length);
  return Buffer.concat([head, data]);
}

describe("what is written is read as it was; cut, or followed by anything, it is refused", () => {
  it.each(Object.entries(messages))("%s", (_, { check }) => check());

  it("all messages but those of the methods of key exchange, and NEWCOMPRESS, which nobody sends", () => {
    const all = new Set(Object.values(M).filter((number) => number < M.KEX_FIRST || number > M.KEX_LAST));
    all.delete(M.NEWCOMPRESS);
    expect(new Set(Object.values(messages).map(({ number }) => number))).toEqual(all);
  });
});

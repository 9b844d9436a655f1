import { ProtocolError } from "../../../src/protocol/errors.js";
import {
  decodeChannelOpen,
  decodeChannelOpenConfirmation,
  decodeChannelOpenFailure,
  encodeChannelOpenFailure,
} from "../../../src/protocol/messages/channel-open.js";
import {
  decodeChannelMessage,
  decodeData,
  decodeExtendedData,
  decodeWindowAdjust,
} from "../../../src/protocol/messages/channels.js";
import { decodeExtInfo } from "../../../src/protocol/messages/ext-info.js";
import { decodeKexInit, encodeKexInit } from "../../../src/protocol/messages/kex-init.js";
import { decodeChannelRequest, decodeGlobalRequest } from "../../../src/protocol/messages/requests.js";
import { decodeServiceRequest, encodeServiceAccept } from "../../../src/protocol/messages/service.js";
import {
  decodeDebug,
  decodeDisconnect,
  decodePing,
  decodeUnimplemented,
  encodePing,
} from "../../../src/protocol/messages/transport.js";
import {
  decodeBanner,
  decodeUserauthFailure,
  decodeUserauthRequest,
  encodeUserauthFailure,
} from "../../../src/protocol/messages/userauth.js";
import {
  decodeInfoRequest,
  decodeInfoResponse,
  decodeKeyboardInteractiveFields,
  encodeInfoRequest,
} from "../../../src/protocol/messages/userauth-keyboard-interactive.js";
import { decodePasswordChangeRequest, decodePasswordFields } from "../../../src/protocol/messages/userauth-password.js";
import { decodePublicKeyFields, decodePublicKeyOk } from "../../../src/protocol/messages/userauth-public-key.js";
import { Reader } from "../../../src/protocol/reader.js";
import { Writer } from "../../../src/protocol/writer.js";
import * as messages from "../../support/packet-messages.js";
import { assertEqual, assertTrue, type Harness, refusable } from "../engine/harness.js";

const COOKIE = Buffer.alloc(16, 1);
const KEX_INIT_HEAD = 17;
const KEX_INIT_LISTS = 8;

/** All that is decoded of a payload, whatever its number says: each decoder has to bear any bytes. */
const decoders: readonly ((payload: Buffer) => void)[] = [
  checkKexInit,
  decodeDisconnect,
  decodeUnimplemented,
  decodeDebug,
  checkExtInfo,
  (payload) => {
    const name = decodeServiceRequest(payload);
    assertEqual(encodeServiceAccept(name).subarray(1), payload.subarray(1), "a service name changes");
  },
  (payload) => assertEqual(encodePing(decodePing(payload)).subarray(1), payload.subarray(1), "a PING changes"),
  checkChannelOpen,
  decodeChannelOpenConfirmation,
  decodeChannelOpenFailure,
  decodeWindowAdjust,
  decodeData,
  decodeExtendedData,
  decodeChannelMessage,
  (payload) => decodeGlobalRequest(payload).fields.readRest(),
  (payload) => decodeChannelRequest(payload).fields.readRest(),
  decodeUserauthFailure,
  decodeBanner,
  decodePublicKeyOk,
  decodePasswordChangeRequest,
  checkInfoRequest,
  (payload) => decodePasswordFields(decodeUserauthRequest(payload).fields),
  (payload) => decodePublicKeyFields(decodeUserauthRequest(payload).fields, "plain"),
  (payload) => decodePublicKeyFields(decodeUserauthRequest(payload).fields, "host-bound"),
  (payload) => decodeKeyboardInteractiveFields(decodeUserauthRequest(payload).fields),
  checkInfoResponse,
  (payload) => new Reader(payload).readMpint(),
];

function checkKexInit(payload: Buffer): void {
  const kexInit = decodeKexInit(payload);
  const again = encodeKexInit(kexInit, COOKIE);
  assertTrue(JSON.stringify(decodeKexInit(again)) === JSON.stringify(kexInit), "a KEXINIT changes");
  assertEqual(namesOf(again), namesOf(payload), "KEXINIT");
}

/** The lists of a KEXINIT, as they were sent but for empty names. */
function namesOf(payload: Buffer): Buffer {
  const reader = new Reader(payload, KEX_INIT_HEAD);
  const lists = Array.from({ length: KEX_INIT_LISTS }, () => reader.readName().split(",").filter(Boolean).join(","));
  return Buffer.from(lists.join("\n"), "latin1");
}

function checkExtInfo(payload: Buffer): void {
  const extensions = decodeExtInfo(payload);
  assertTrue(extensions.size * 8 <= payload.length, "more extensions than there are bytes");
}

function checkChannelOpen(payload: Buffer): void {
  const open = decodeChannelOpen(payload);
  const again = new Writer()
    .writeString(Buffer.from(open.kind, "latin1"))
    .writeUint32(open.senderChannel)
    .writeUint32(open.initialWindowSize)
    .writeUint32(open.maximumPacketSize)
    .writeBytes(open.fields)
    .toBuffer();
  assertEqual(again, payload.subarray(1), "a CHANNEL_OPEN changes");
}

function checkInfoRequest(payload: Buffer): void {
  const request = decodeInfoRequest(payload);
  assertTrue(request.prompts.length * 5 <= payload.length, "more prompts than there are bytes");
  assertEqual(
    encodeInfoRequest(decodeInfoRequest(encodeInfoRequest(request))),
    encodeInfoRequest(request),
    "prompts change",
  );
}

function checkInfoResponse(payload: Buffer): void {
  const count = Math.min(4, new Reader(payload, 1).readUint32());
  const responses = decodeInfoResponse(payload, count);
  assertEqual(messages.infoResponse(responses).subarray(1), payload.subarray(1), "answers change");
}

export const harness: Harness = {
  name: "messages",
  seeds: [
    messages.passwordRequest("admin", "secret"),
    messages.infoResponse(["one", "two"]),
    messages.serviceRequest("ssh-userauth"),
    messages.channelOpen(),
    messages.execRequest(0, "ls"),
    encodeInfoRequest({ name: "n", instruction: "i", prompts: [{ prompt: "p", echo: true }] }),
    encodeUserauthFailure(["password", "publickey"], true),
    encodeChannelOpenFailure({ recipientChannel: 0, reason: 1, description: "no" }),
  ],
  memory: { base: 1024 * 1024, perByte: 256 },
  shortRun: 3000,
  run(bytes) {
    // Without its number there is no message.
    if (bytes.length === 0) return;
    for (const decode of decoders) refusable(() => decode(bytes), ProtocolError);
  },
};

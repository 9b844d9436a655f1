import { MessageNumber as M } from "../../../../src/protocol/constants.js";
import { initPayload, x25519Pair } from "../../../support/kex-client.js";
import type { KexInit } from "../../../support/packet-messages.js";
import * as messages from "../../../support/packet-messages.js";
import { message, withTail } from "./bytes.js";
import type { OddInput, Stage } from "./odd-input.js";
import type { Peer } from "./peer.js";

function on(stage: Stage, name: string, ...make: readonly ((peer: Peer) => Uint8Array)[]): OddInput {
  return { name, stage, send: (peer) => peer.send(...make.map((one) => one(peer))) };
}

const inside = (name: string, make: (peer: Peer) => Uint8Array): OddInput =>
  on("rekeying", `${name} inside a re-key`, make);
const beforeNewKeys = (name: string, make: (peer: Peer) => Uint8Array): OddInput =>
  on("rekeyed", `${name} before NEWKEYS of a re-key`, make);

/** The KEXINIT of a re-key, and what the client goes on with. */
function rekey(name: string, change: Partial<KexInit>, alter = (payload: Buffer) => payload): OddInput {
  return {
    name,
    stage: "echo",
    send: ({ client }) => client.sendKexInitPayload(alter(client.kexInit(change))),
    next: "kexinit-sent",
  };
}

/** One that leads to no keys. */
function hopeless(name: string, change: Partial<KexInit>, alter?: (payload: Buffer) => Buffer): OddInput {
  return { ...rekey(name, change, alter), next: "over" };
}

export const rekeyingInputs: readonly OddInput[] = [
  rekey("a re-key with an empty name at the end of its ciphers", {
    cipherClientToServer: ["aes128-gcm@openssh.com", ""],
  }),
  rekey("a re-key with the markers of the first exchange", {
    kex: ["curve25519-sha256", "ext-info-c", "kex-strict-c-v00@openssh.com"],
  }),
  rekey("a re-key with other algorithms", {
    cipherClientToServer: ["aes256-ctr"],
    cipherServerToClient: ["chacha20-poly1305@openssh.com"],
  }),
  hopeless("a re-key without a method in common", { kex: ["x"] }),
  hopeless("a re-key without a cipher in common", { cipherClientToServer: ["x"] }),
  rekey("a re-key with bytes behind KEXINIT", {}, withTail),
  hopeless("a re-key with KEXINIT cut short", {}, (payload) => payload.subarray(0, 40)),
  {
    name: "a re-key before a service",
    stage: "encrypted",
    send: ({ client }) => client.sendKexInit(),
    next: "rekeying-early",
  },
  inside("IGNORE", () => messages.ignore("x")),
  inside("DEBUG", () => messages.debug("x")),
  inside("UNIMPLEMENTED", () => message(M.UNIMPLEMENTED, 0)),
  inside("a message of unknown number", () => message(150)),
  inside("PING", () => messages.ping("x")),
  inside("EXT_INFO", () => message(M.EXT_INFO, 0)),
  inside("SERVICE_REQUEST", () => messages.serviceRequest("ssh-userauth")),
  inside("USERAUTH_REQUEST", () => messages.noneRequest("root")),
  inside("a global request", () => messages.globalRequest("x@spindlex", "want-reply")),
  inside("REQUEST_FAILURE that answers nothing", () => message(M.REQUEST_FAILURE)),
  inside("CHANNEL_OPEN", () => messages.channelOpen()),
  inside("data", ({ id }) => messages.channelData(id, "x")),
  inside("extended data", ({ id }) => messages.channelExtendedData(id, 1, "x")),
  inside("WINDOW_ADJUST", ({ id }) => messages.windowAdjust(id, 1)),
  inside("a channel request", ({ id }) => messages.channelRequest(id, "x@spindlex", "want-reply")),
  inside("CHANNEL_SUCCESS", ({ id }) => message(M.CHANNEL_SUCCESS, id)),
  inside("a second KEXINIT", ({ client }) => client.kexInit()),
  inside("NEWKEYS without keys", () => message(M.NEWKEYS)),
  inside("a public value of zeros", () => message(M.KEX_ECDH_INIT, Buffer.alloc(32))),
  beforeNewKeys("IGNORE", () => messages.ignore("x")),
  beforeNewKeys("data", ({ id }) => messages.channelData(id, "x")),
  beforeNewKeys("a message of unknown number", () => message(150)),
  beforeNewKeys("a channel request", ({ id }) => messages.channelRequest(id, "x@spindlex", "want-reply")),
  beforeNewKeys("KEXINIT", ({ client }) => client.kexInit()),
  beforeNewKeys("a second public value", () => initPayload(x25519Pair().publicValue)),
  on("logged-in", "NEWKEYS without a re-key", () => message(M.NEWKEYS)),
  on("logged-in", "a method's message without a re-key", () => initPayload(x25519Pair().publicValue)),
];

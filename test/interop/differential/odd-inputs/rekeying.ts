import { MessageNumber as M } from "../../../../src/protocol/constants.js";
import { initPayload, x25519Pair } from "../../../support/kex-client.js";
import * as messages from "../../../support/packet-messages.js";
import { message, withTail } from "./bytes.js";
import type { OddInput } from "./odd-input.js";
import type { Peer } from "./peer.js";
import { loggedIn, sending, sendingKexInit } from "./sending.js";

const inside = (name: string, make: (peer: Peer) => Uint8Array): OddInput =>
  sending("rekeying", `${name} inside a re-key`, (peer) => [make(peer)]);
const beforeNewKeys = (name: string, make: (peer: Peer) => Uint8Array): OddInput =>
  sending("rekeyed", `${name} before NEWKEYS of a re-key`, (peer) => [make(peer)]);

/** The KEXINIT of a re-key, and what the client goes on with. */
const rekey = sendingKexInit.bind(undefined, { stage: "echo", next: "kexinit-sent" });

/** One that leads to no keys. */
const hopeless = sendingKexInit.bind(undefined, { stage: "echo", next: "over" });

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
  loggedIn("NEWKEYS without a re-key", message(M.NEWKEYS)),
  loggedIn("a method's message without a re-key", initPayload(x25519Pair().publicValue)),
];

import { MessageNumber as M } from "../../../../src/protocol/constants.js";
import * as messages from "../../../support/packet-messages.js";
import type { PacketClientOptions } from "../../../support/packet-transport.js";
import { cut, message, NO, withTail } from "./bytes.js";
import type { OddInput } from "./odd-input.js";
import { sendingKexInit } from "./sending.js";

const KEX = "curve25519-sha256";
const MARKERS = ["ext-info-c", "kex-strict-c-v00@openssh.com"];
const CIPHER = "aes128-gcm@openssh.com";

/** Without strict key exchange. */
export const LOOSE: PacketClientOptions = { markers: ["ext-info-c"] };

const kexInit = sendingKexInit.bind(undefined, { stage: "identified", next: "exchanging-keys" });

/** One that leads to no keys. */
const hopeless = sendingKexInit.bind(undefined, { stage: "identified", next: "over" });

/** The last 5 bytes are the boolean and the number that is kept for later. */
const RESERVED = 4;

function withReserved(payload: Buffer): Buffer {
  const changed = Buffer.from(payload);
  changed.writeUInt32BE(7, payload.length - RESERVED);
  return changed;
}

const beforeIt = (name: string, payload: Uint8Array, options?: PacketClientOptions): OddInput => ({
  name: `${name} before KEXINIT${options === undefined ? "" : ", without strict key exchange"}`,
  stage: "identified",
  ...(options && { options }),
  send: (peer) => peer.send(payload),
});

export const kexInitInputs: readonly OddInput[] = [
  kexInit("KEXINIT with an empty name at the end of its ciphers", {
    cipherClientToServer: [CIPHER, ""],
    cipherServerToClient: [CIPHER, ""],
  }),
  kexInit("KEXINIT with an empty name at the end of its methods", { kex: [KEX, ...MARKERS, ""] }),
  kexInit("KEXINIT with an empty name in front of its methods", { kex: ["", KEX, ...MARKERS] }),
  kexInit("KEXINIT with an empty name among its methods", { kex: [KEX, "", ...MARKERS] }),
  kexInit("KEXINIT with an empty name among its host keys", { hostKey: ["ssh-ed25519", "", "ssh-rsa"] }),
  hopeless("KEXINIT with a comma for its compression", {
    compressionClientToServer: ["", ""],
  }),
  hopeless("KEXINIT without methods", { kex: [] }),
  hopeless("KEXINIT without ciphers", { cipherClientToServer: [] }),
  hopeless("KEXINIT without host keys", { hostKey: [] }),
  hopeless("KEXINIT without compression", { compressionServerToClient: [] }),
  kexInit("KEXINIT without MACs, where the cipher needs none", { macClientToServer: [], macServerToClient: [] }),
  kexInit("KEXINIT with unknown MACs, where the cipher needs none", { macClientToServer: ["x"] }),
  hopeless("KEXINIT with unknown ciphers", { cipherServerToClient: ["x"] }),
  kexInit("KEXINIT with a space inside a name", { kex: ["a b", KEX, ...MARKERS] }),
  kexInit("KEXINIT with a space around a name", { kex: [` ${KEX}`, KEX, ...MARKERS] }),
  kexInit("KEXINIT with a name that is not ASCII", { kex: ["naïve", KEX, ...MARKERS] }),
  kexInit("KEXINIT with a control character in a name", { kex: ["a\x01b", KEX, ...MARKERS] }),
  kexInit("KEXINIT with NUL in a name", { kex: ["a\0b", KEX, ...MARKERS] }),
  kexInit("KEXINIT with a name of 70 characters", { kex: ["x".repeat(70), KEX, ...MARKERS] }),
  kexInit("KEXINIT with a name of 20,000 characters", { kex: ["x".repeat(20_000), KEX, ...MARKERS] }),
  kexInit("KEXINIT with 2,000 names", { kex: [...Array.from({ length: 2_000 }, (_, n) => `x${n}`), KEX, ...MARKERS] }),
  kexInit("KEXINIT with a name twice", { kex: [KEX, KEX, ...MARKERS, ...MARKERS] }),
  hopeless("KEXINIT with the method in capitals", { kex: [KEX.toUpperCase(), ...MARKERS] }),
  kexInit("KEXINIT with the server's markers", {
    kex: [KEX, ...MARKERS, "ext-info-s", "kex-strict-s-v00@openssh.com"],
  }),
  hopeless("KEXINIT with a marker alone", { kex: MARKERS }),
  kexInit("KEXINIT with a number where 0 is kept for later", {}, withReserved),
  kexInit("KEXINIT with bytes behind it", {}, withTail),
  hopeless("KEXINIT without its last number", {}, (payload) => cut(payload, 4)),
  hopeless("KEXINIT without its last two fields", {}, (payload) => cut(payload, 5)),
  hopeless("KEXINIT cut short", {}, (payload) => payload.subarray(0, 40)),
  hopeless("KEXINIT of its number alone", {}, (payload) => payload.subarray(0, 1)),
  {
    name: "a guess that is right",
    stage: "identified",
    send: ({ client }) => client.sendKexInit({ firstKexPacketFollows: true }),
    next: "exchanging-keys",
  },
  {
    name: "a guess that is wrong",
    stage: "identified",
    send: (peer) => {
      peer.client.sendKexInit({ kex: ["x", KEX, ...MARKERS], firstKexPacketFollows: true });
      peer.send(message(M.KEX_ECDH_INIT, "a guess"));
    },
    next: "exchanging-keys",
  },
  {
    name: "a guess that is wrong and of another number",
    stage: "identified",
    send: (peer) => {
      peer.client.sendKexInit({ kex: ["x", KEX, ...MARKERS], firstKexPacketFollows: true });
      peer.send(message(M.KEX_DH_GEX_REQUEST, 1, 2, 3));
    },
    next: "exchanging-keys",
  },

  beforeIt("IGNORE", messages.ignore("x")),
  beforeIt("IGNORE", messages.ignore("x"), LOOSE),
  beforeIt("DEBUG", messages.debug("x"), LOOSE),
  beforeIt("UNIMPLEMENTED", message(M.UNIMPLEMENTED, 0), LOOSE),
  beforeIt("a message of unknown number", message(150)),
  beforeIt("a message of unknown number", message(150), LOOSE),
  beforeIt("PING", messages.ping("x"), LOOSE),
  beforeIt("EXT_INFO", message(M.EXT_INFO, 0), LOOSE),
  beforeIt("NEWKEYS", message(M.NEWKEYS), LOOSE),
  beforeIt("SERVICE_REQUEST", messages.serviceRequest("ssh-userauth"), LOOSE),
  beforeIt("USERAUTH_REQUEST", messages.noneRequest("root"), LOOSE),
  beforeIt("CHANNEL_OPEN", messages.channelOpen(), LOOSE),
  beforeIt("a method's message", message(M.KEX_ECDH_INIT, Buffer.alloc(32, 9)), LOOSE),
  beforeIt("DEBUG without its fields", message(M.DEBUG, NO), LOOSE),
  beforeIt("an empty packet", Buffer.alloc(0), LOOSE),
];

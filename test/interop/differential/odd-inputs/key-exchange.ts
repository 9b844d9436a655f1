import { MessageNumber as M } from "../../../../src/protocol/constants.js";
import { Writer } from "../../../../src/protocol/writer.js";
import { initPayload, x25519Pair } from "../../../support/kex-client.js";
import * as messages from "../../../support/packet-messages.js";
import type { PacketClientOptions } from "../../../support/packet-transport.js";
import { message, withTail } from "./bytes.js";
import { LOOSE } from "./kexinit.js";
import type { OddInput, Stage } from "./odd-input.js";

function inside(
  name: string,
  payload: Uint8Array,
  options: PacketClientOptions = {},
  stage: Stage = "exchanging-keys",
): OddInput {
  return { name, stage, options, send: (peer) => peer.send(payload) };
}

const beforeNewKeys = (name: string, payload: Uint8Array, options?: PacketClientOptions): OddInput =>
  inside(name, payload, options, "keys-agreed");

/** A client's public value of X25519, of any bytes. */
const publicValue = (bytes: Uint8Array): Buffer => message(M.KEX_ECDH_INIT, bytes);
const mpint = (number: number, magnitude: Uint8Array): Buffer =>
  new Writer().writeByte(number).writeMpint(magnitude).toBuffer();

const NIST: PacketClientOptions = { kex: ["ecdh-sha2-nistp256"] };
const GROUP: PacketClientOptions = { kex: ["diffie-hellman-group14-sha256"] };
const GROUP_EXCHANGE: PacketClientOptions = { kex: ["diffie-hellman-group-exchange-sha256"] };

export const keyExchangeInputs: readonly OddInput[] = [
  inside("a public value of 31 bytes", publicValue(Buffer.alloc(31, 9))),
  inside("a public value of 33 bytes", publicValue(Buffer.alloc(33, 9))),
  inside("a public value of no bytes", publicValue(Buffer.alloc(0))),
  inside("a public value of zeros", publicValue(Buffer.alloc(32))),
  inside("a public value with bytes behind it", withTail(initPayload(x25519Pair().publicValue))),
  inside("a public value cut short", publicValue(Buffer.alloc(32, 9)).subarray(0, 20)),
  inside("a point of P-256 at infinity", publicValue(Buffer.alloc(1)), NIST),
  inside("a point that is not on P-256", publicValue(Buffer.concat([Buffer.of(4), Buffer.alloc(64, 7)])), NIST),
  inside("a public value of 0 in group 14", mpint(M.KEX_ECDH_INIT, Buffer.alloc(1)), GROUP),
  inside("a public value of 1 in group 14", mpint(M.KEX_ECDH_INIT, Buffer.of(1)), GROUP),
  inside("a public value of 3,000 bits in group 14", mpint(M.KEX_ECDH_INIT, Buffer.alloc(375, 255)), GROUP),
  inside("a request for a group of 100 bits", message(M.KEX_DH_GEX_REQUEST, 50, 100, 200), GROUP_EXCHANGE),
  inside(
    "a request for a group of sizes in the wrong order",
    message(M.KEX_DH_GEX_REQUEST, 8192, 4096, 2048),
    GROUP_EXCHANGE,
  ),
  inside("a reply of the server's in place of the public value", message(M.KEX_ECDH_REPLY, "x")),
  inside("a message of another method", message(M.KEX_DH_GEX_REQUEST, 2048, 3072, 8192)),
  inside("a second KEXINIT", Buffer.concat([Buffer.of(M.KEXINIT), Buffer.alloc(16 + 40 + 5)])),
  inside("NEWKEYS before any keys", message(M.NEWKEYS)),
  inside("IGNORE inside the key exchange", messages.ignore("x")),
  inside("IGNORE inside the key exchange, without strict key exchange", messages.ignore("x"), LOOSE),
  inside("DEBUG inside the key exchange, without strict key exchange", messages.debug("x"), LOOSE),
  inside("a message of unknown number inside the key exchange", message(150)),
  inside("a message of unknown number inside the key exchange, without strict key exchange", message(150), LOOSE),
  inside("SERVICE_REQUEST inside the key exchange", messages.serviceRequest("ssh-userauth"), LOOSE),
  inside("PING inside the key exchange", messages.ping("x"), LOOSE),
  inside("EXT_INFO inside the key exchange", message(M.EXT_INFO, 0), LOOSE),
  beforeNewKeys("a second public value", initPayload(x25519Pair().publicValue), LOOSE),
  beforeNewKeys("IGNORE before NEWKEYS", messages.ignore("x")),
  beforeNewKeys("IGNORE before NEWKEYS, without strict key exchange", messages.ignore("x"), LOOSE),
  beforeNewKeys("UNIMPLEMENTED before NEWKEYS, without strict key exchange", message(M.UNIMPLEMENTED, 0), LOOSE),
  beforeNewKeys("a message of unknown number before NEWKEYS, without strict key exchange", message(150), LOOSE),
  beforeNewKeys("SERVICE_REQUEST before NEWKEYS", messages.serviceRequest("ssh-userauth"), LOOSE),
  beforeNewKeys("KEXINIT before NEWKEYS", Buffer.concat([Buffer.of(M.KEXINIT), Buffer.alloc(16 + 40 + 5)]), LOOSE),
  beforeNewKeys("NEWKEYS with bytes behind it", withTail(message(M.NEWKEYS))),
];

import { MessageNumber as M } from "../../../../src/protocol/constants.js";
import type { PacketShape } from "../../../support/packet-framing.js";
import * as messages from "../../../support/packet-messages.js";
import { cut, message, NO, NOT_UTF8, withTail } from "./bytes.js";
import type { OddInput } from "./odd-input.js";
import { loggedIn } from "./sending.js";

/** A packet whose frame lies. The ciphers that authenticate would find out at once what none finds out later. */
function framed(name: string, shape: PacketShape, payload: Uint8Array = messages.ignore("x")): OddInput {
  return { name, stage: "logged-in", send: ({ client }) => client.sendPacket(payload, shape) };
}

const debug = message(M.DEBUG, NO, "x", "");

export const transportMessageInputs: readonly OddInput[] = [
  loggedIn("IGNORE of no bytes", messages.ignore("")),
  loggedIn("IGNORE without its field", message(M.IGNORE)),
  loggedIn("IGNORE cut short", cut(messages.ignore("xyz"))),
  loggedIn("IGNORE with bytes behind it", withTail(messages.ignore("x"))),
  loggedIn("IGNORE of 200,000 bytes", messages.ignore(Buffer.alloc(200_000))),
  loggedIn("DEBUG with text that is not UTF-8", message(M.DEBUG, NO, NOT_UTF8, "")),
  loggedIn("DEBUG without its fields after the login", message(M.DEBUG)),
  loggedIn("DEBUG cut short", cut(debug, 5)),
  loggedIn("DEBUG with bytes behind it", withTail(debug)),
  loggedIn("UNIMPLEMENTED about what was never sent", message(M.UNIMPLEMENTED, 0xffffffff)),
  loggedIn("UNIMPLEMENTED without its field", message(M.UNIMPLEMENTED)),
  loggedIn("UNIMPLEMENTED with bytes behind it", withTail(message(M.UNIMPLEMENTED, 1))),
  loggedIn("PING after the login", messages.ping("x")),
  loggedIn("PING of no bytes", messages.ping("")),
  loggedIn("PING of 30,000 bytes", messages.ping("x".repeat(30_000))),
  loggedIn("PING without its field", message(M.PING)),
  loggedIn("PING with bytes behind it", withTail(messages.ping("x"))),
  loggedIn("PONG that answers nothing", message(M.PONG, "x")),
  loggedIn("a message of number 0", message(0)),
  loggedIn("a message of number 9", message(9)),
  loggedIn("a message of unknown number after the login", message(150, "x")),
  loggedIn("a message of number 255", message(255)),
  loggedIn("a message of a method of authentication after the login", message(65)),
  loggedIn("NEWCOMPRESS", message(M.NEWCOMPRESS)),
  loggedIn("EXT_INFO after the login", message(M.EXT_INFO, 0)),
  loggedIn("SERVICE_REQUEST after the login", messages.serviceRequest("ssh-userauth")),
  loggedIn("SERVICE_ACCEPT after the login", message(M.SERVICE_ACCEPT, "ssh-userauth")),
  loggedIn("USERAUTH_REQUEST after the login", messages.noneRequest("root")),
  loggedIn("USERAUTH_REQUEST without its fields after the login", message(M.USERAUTH_REQUEST)),
  loggedIn("INFO_RESPONSE after the login", messages.infoResponse(["x"])),
  loggedIn("USERAUTH_SUCCESS after the login", message(M.USERAUTH_SUCCESS)),
  loggedIn("USERAUTH_FAILURE after the login", message(M.USERAUTH_FAILURE, "x", NO)),
  loggedIn("USERAUTH_BANNER after the login", message(M.USERAUTH_BANNER, "x", "")),
  loggedIn("DISCONNECT", messages.writeDisconnect(11, "bye")),
  loggedIn("DISCONNECT without its fields", message(M.DISCONNECT)),
  loggedIn("DISCONNECT with text that is not UTF-8", message(M.DISCONNECT, 11, NOT_UTF8, "")),
  loggedIn("an empty packet after the login", Buffer.alloc(0)),
  framed("a packet with 255 bytes of padding", { padding: 255 }, messages.ignore("x".repeat(11))),
  framed("a packet whose length does not fit the cipher's blocks", { padding: 5 }),
  framed("a packet with more padding than bytes", { paddingLength: 255 }),
  framed("a packet with 3 bytes of padding", { padding: 3 }, messages.ignore("x".repeat(7))),
  framed("a packet that is forged", {
    tamper: (packet) => {
      packet[8] = (packet[8] ?? 0) ^ 1;
    },
  }),
  framed("a packet of 2^31 bytes", { packetLength: 2 ** 31 }),
  framed("a packet of no bytes", { packetLength: 0 }),
  framed("a packet of 300,000 bytes", {}, messages.ignore(Buffer.alloc(300_000))),
];

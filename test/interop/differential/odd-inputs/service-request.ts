import { MessageNumber as M } from "../../../../src/protocol/constants.js";
import * as messages from "../../../support/packet-messages.js";
import { cut, message, NOT_UTF8, withTail } from "./bytes.js";
import type { OddInput } from "./odd-input.js";

const USERAUTH = messages.serviceRequest("ssh-userauth");

function encrypted(name: string, ...payloads: readonly Uint8Array[]): OddInput {
  return { name, stage: "encrypted", send: (peer) => peer.send(...payloads) };
}

export const serviceRequestInputs: readonly OddInput[] = [
  encrypted("the service ssh-connection before a login", messages.serviceRequest("ssh-connection")),
  encrypted("an unknown service", messages.serviceRequest("x")),
  encrypted("a service without a name", messages.serviceRequest("")),
  encrypted("a service whose name is not UTF-8", message(M.SERVICE_REQUEST, NOT_UTF8)),
  encrypted("SERVICE_REQUEST with bytes behind it", withTail(USERAUTH)),
  encrypted("SERVICE_REQUEST cut short", cut(USERAUTH)),
  encrypted("SERVICE_REQUEST twice", USERAUTH, USERAUTH),
  encrypted("SERVICE_ACCEPT from the client", message(M.SERVICE_ACCEPT, "ssh-userauth")),
  encrypted("USERAUTH_REQUEST before its service", messages.noneRequest("root")),
  encrypted("INFO_RESPONSE before its service", messages.infoResponse(["x"])),
  encrypted("GLOBAL_REQUEST before a service", messages.globalRequest("x", "want-reply")),
  encrypted("CHANNEL_OPEN before a service", messages.channelOpen()),
  encrypted("CHANNEL_DATA before a service", messages.channelData(0, "x")),
  encrypted("REQUEST_FAILURE before a service", message(M.REQUEST_FAILURE)),
  encrypted("a message of unknown number before a service", message(150)),
  encrypted("IGNORE before a service", messages.ignore("x")),
  encrypted("DEBUG before a service", messages.debug("x")),
  encrypted("UNIMPLEMENTED before a service", message(M.UNIMPLEMENTED, 0)),
  encrypted("PING before a service", messages.ping("x")),
  encrypted("EXT_INFO of nothing", message(M.EXT_INFO, 0)),
  encrypted("EXT_INFO with an unknown extension", message(M.EXT_INFO, 1, "x@spindlex", NOT_UTF8)),
  encrypted("EXT_INFO with an extension whose name is not UTF-8", message(M.EXT_INFO, 1, NOT_UTF8, "x")),
  encrypted("EXT_INFO with bytes behind it", withTail(message(M.EXT_INFO, 0))),
  encrypted("EXT_INFO with fewer extensions than it says", message(M.EXT_INFO, 3, "a", "b")),
  encrypted("EXT_INFO with 2^32 - 1 extensions", message(M.EXT_INFO, 0xffffffff)),
  encrypted("EXT_INFO twice", message(M.EXT_INFO, 0), message(M.EXT_INFO, 0)),
];

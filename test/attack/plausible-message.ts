import { MessageNumber as M } from "../../src/protocol/constants.js";
import { Writer } from "../../src/protocol/writer.js";
import { initPayload, x25519Pair } from "../support/kex-client.js";
import * as messages from "../support/packet-messages.js";
import { PASSWORD, USERNAME } from "./attacked-server.js";

/**
 * For each message number the body that would do most, were it handled: a login that would succeed, a channel that
 * would open, a command that would run.
 */
export function plausibleMessage(number: number, channel: number): Buffer {
  switch (number) {
    case M.DISCONNECT:
      return messages.writeDisconnect(11, "bye");
    case M.DEBUG:
      return messages.debug("debug");
    case M.UNIMPLEMENTED:
      return new Writer().writeByte(number).writeUint32(0).toBuffer();
    case M.SERVICE_REQUEST:
    case M.SERVICE_ACCEPT:
      return messages.message(number, "ssh-userauth");
    case M.EXT_INFO:
      return new Writer().writeByte(number).writeUint32(0).toBuffer();
    case M.NEWKEYS:
    case M.USERAUTH_SUCCESS:
    case M.REQUEST_SUCCESS:
    case M.REQUEST_FAILURE:
    case M.NEWCOMPRESS:
      return messages.message(number);
    case M.KEX_ECDH_INIT:
      return initPayload(x25519Pair().publicValue);
    case M.USERAUTH_REQUEST:
      return messages.passwordRequest(USERNAME, PASSWORD);
    case M.USERAUTH_FAILURE:
      return new Writer().writeByte(number).writeNameList(["password"]).writeBoolean(false).toBuffer();
    case M.USERAUTH_BANNER:
      return new Writer().writeByte(number).writeString("banner").writeString("").toBuffer();
    case M.USERAUTH_INFO_RESPONSE:
      return messages.infoResponse([PASSWORD]);
    case M.GLOBAL_REQUEST:
      return messages.globalRequest("no-such-request@spindlex", "want-reply");
    case M.CHANNEL_OPEN:
      return messages.channelOpen({ senderChannel: 7 });
    case M.CHANNEL_OPEN_CONFIRMATION:
      return new Writer()
        .writeByte(number)
        .writeUint32(channel)
        .writeUint32(7)
        .writeUint32(9)
        .writeUint32(9)
        .toBuffer();
    case M.CHANNEL_OPEN_FAILURE:
      return new Writer()
        .writeByte(number)
        .writeUint32(channel)
        .writeUint32(1)
        .writeString("")
        .writeString("")
        .toBuffer();
    case M.CHANNEL_WINDOW_ADJUST:
      return messages.windowAdjust(channel, 1);
    case M.CHANNEL_DATA:
      return messages.channelData(channel, "data");
    case M.CHANNEL_EXTENDED_DATA:
      return messages.channelExtendedData(channel, 1, "data");
    case M.CHANNEL_REQUEST:
      return messages.execRequest(channel, "hello");
    case M.CHANNEL_EOF:
    case M.CHANNEL_CLOSE:
    case M.CHANNEL_SUCCESS:
    case M.CHANNEL_FAILURE:
      return new Writer().writeByte(number).writeUint32(channel).toBuffer();
    default:
      return messages.message(number, "text");
  }
}

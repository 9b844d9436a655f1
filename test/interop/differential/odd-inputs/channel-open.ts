import { MessageNumber as M } from "../../../../src/protocol/constants.js";
import * as messages from "../../../support/packet-messages.js";
import type { Field } from "../../../support/sftp-packets.js";
import { cut, message, NOT_UTF8, withTail } from "./bytes.js";
import type { OddInput } from "./odd-input.js";
import { loggedIn } from "./sending.js";

const open = (kind: Field, ...fields: readonly Field[]): Buffer =>
  message(M.CHANNEL_OPEN, kind, 5, 1 << 20, 1 << 15, ...fields);

/** The same on a channel that is open, and on one that never was. */
function unasked(name: string, make: (channel: number) => Uint8Array): OddInput[] {
  return [
    { name: `${name} for an open channel`, stage: "echo", send: (peer) => peer.send(make(peer.id)) },
    loggedIn(`${name} for a channel that was never open`, make(3)),
    loggedIn(`${name} for channel 2^32 - 1`, make(0xffffffff)),
  ];
}

export const channelOpenInputs: readonly OddInput[] = [
  loggedIn("a channel of unknown type", open("x@spindlex")),
  loggedIn("a channel without a type", open("")),
  loggedIn("a channel whose type is not UTF-8", open(NOT_UTF8)),
  loggedIn("a channel with a type of 30,000 characters", open("x".repeat(30_000))),
  loggedIn("a session with bytes behind it", open("session", "tail")),
  loggedIn("a session with an empty window", messages.channelOpen({ window: 0 })),
  loggedIn("a session with a window of 2^32 - 1", messages.channelOpen({ window: 0xffffffff })),
  loggedIn("a session with a maximum packet size of 0", messages.channelOpen({ maxPacket: 0 })),
  loggedIn("a session with a maximum packet size of 1", messages.channelOpen({ maxPacket: 1 })),
  loggedIn("a session with a maximum packet size of 2^32 - 1", messages.channelOpen({ maxPacket: 0xffffffff })),
  loggedIn("a session that the client calls 2^32 - 1", messages.channelOpen({ senderChannel: 0xffffffff })),
  loggedIn("two sessions of the same name", messages.channelOpen(), messages.channelOpen()),
  loggedIn("CHANNEL_OPEN cut short", cut(messages.channelOpen())),
  loggedIn("CHANNEL_OPEN of its number alone", message(M.CHANNEL_OPEN)),
  loggedIn("direct-tcpip without its fields", open("direct-tcpip")),
  loggedIn("direct-tcpip to nowhere", open("direct-tcpip", "127.0.0.1", 1, "127.0.0.1", 2)),
  loggedIn("direct-tcpip to a host that is not UTF-8", open("direct-tcpip", NOT_UTF8, 1, "127.0.0.1", 2)),
  loggedIn("direct-tcpip to port 70,000", open("direct-tcpip", "127.0.0.1", 70_000, "127.0.0.1", 2)),
  loggedIn("direct-streamlocal without its fields", open("direct-streamlocal@openssh.com")),
  loggedIn("tun without its fields", open("tun@openssh.com")),
  loggedIn("x11 from the client", open("x11", "127.0.0.1", 1)),
  loggedIn("forwarded-tcpip from the client", open("forwarded-tcpip", "127.0.0.1", 1, "127.0.0.1", 2)),
  loggedIn("auth-agent from the client", open("auth-agent@openssh.com")),
  ...unasked("OPEN_CONFIRMATION", (id) => message(M.CHANNEL_OPEN_CONFIRMATION, id, 7, 1000, 1000)),
  ...unasked("OPEN_FAILURE", (id) => message(M.CHANNEL_OPEN_FAILURE, id, 1, "", "")),
  ...unasked("CHANNEL_SUCCESS", (id) => message(M.CHANNEL_SUCCESS, id)),
  ...unasked("CHANNEL_FAILURE", (id) => message(M.CHANNEL_FAILURE, id)),
  {
    name: "CHANNEL_SUCCESS with bytes behind it",
    stage: "echo",
    send: (peer) => peer.send(withTail(message(M.CHANNEL_SUCCESS, peer.id))),
  },
  loggedIn("CHANNEL_SUCCESS without a channel", message(M.CHANNEL_SUCCESS)),
  loggedIn("OPEN_CONFIRMATION without a channel", message(M.CHANNEL_OPEN_CONFIRMATION)),
];

import { MessageNumber as M } from "../../src/protocol/constants.js";
import { Writer } from "../../src/protocol/writer.js";
import type { PacketClient } from "../support/packet-client.js";
import * as messages from "../support/packet-messages.js";
import { HOST_KEY, PASSWORD, USERNAME } from "./attacked-server.js";

export interface Step {
  readonly what: string;
  readonly go: (client: PacketClient) => void | Promise<void>;
}

const text = (value: string): Buffer => new Writer().writeString(value).toBuffer();
const passedOver = [M.CHANNEL_WINDOW_ADJUST];

/** A whole session, one packet of the client's for each step; answers are read where the next step needs them. */
export const sessionSteps: readonly Step[] = [
  { what: "the connection", go: () => {} },
  { what: "the identification", go: (client) => client.exchangeIdentifications() },
  { what: "the server's KEXINIT", go: async (client) => void (await client.readServerKexInit()) },
  { what: "KEXINIT", go: (client) => client.sendKexInit() },
  { what: "the method's messages", go: (client) => client.agreeOnKeys() },
  { what: "NEWKEYS", go: (client) => client.sendNewKeys() },
  { what: "SERVICE_REQUEST", go: (client) => client.requestService("ssh-userauth") },
  {
    what: "a request of method none",
    go: async (client) => void (await client.authenticate(messages.noneRequest(USERNAME))),
  },
  {
    what: "a key that is offered",
    go: (client) =>
      client.sendPacket(
        messages.publickeyQuery({ username: USERNAME, algorithm: "ssh-ed25519", publicBlob: HOST_KEY.publicBlob }),
      ),
  },
  { what: "the answer to it", go: async (client) => void (await client.expect(M.USERAUTH_FAILURE)) },
  { what: "the password", go: (client) => client.sendPacket(messages.passwordRequest(USERNAME, PASSWORD)) },
  { what: "SUCCESS", go: async (client) => void (await client.expect(M.USERAUTH_SUCCESS)) },
  { what: "a global request", go: (client) => client.sendPacket(messages.globalRequest("x@y", "want-reply")) },
  { what: "its reply", go: async (client) => void (await client.expect(M.REQUEST_FAILURE)) },
  { what: "CHANNEL_OPEN", go: (client) => client.sendPacket(messages.channelOpen()) },
  { what: "its confirmation", go: async (client) => void (await client.expect(M.CHANNEL_OPEN_CONFIRMATION)) },
  {
    what: "an environment variable",
    go: (client) =>
      client.sendPacket(messages.channelRequest(0, "env", "want-reply", Buffer.concat([text("A"), text("B")]))),
  },
  { what: "its refusal", go: async (client) => void (await client.expect(M.CHANNEL_FAILURE)) },
  { what: "a program", go: (client) => client.sendPacket(messages.execRequest(0, "hold")) },
  { what: "its start", go: async (client) => void (await client.expect(M.CHANNEL_SUCCESS)) },
  { what: "input", go: (client) => client.sendPacket(messages.channelData(0, "data")) },
  { what: "window", go: (client) => client.sendPacket(messages.windowAdjust(0, 1)) },
  { what: "KEXINIT of a later exchange", go: (client) => client.sendKexInit() },
  { what: "the server's second KEXINIT", go: async (client) => void (await client.readServerKexInit()) },
  { what: "the method's second messages", go: (client) => client.agreeOnKeys() },
  { what: "the second NEWKEYS", go: (client) => client.sendNewKeys() },
  {
    what: "a signal",
    go: (client) => client.sendPacket(messages.channelRequest(0, "signal", "no-reply", text("INT"))),
  },
  { what: "EOF", go: (client) => client.sendPacket(messages.channelEof(0)) },
  { what: "CLOSE", go: (client) => client.sendPacket(messages.channelClose(0)) },
  {
    what: "the server's CLOSE",
    go: async (client) => void (await client.expect(M.CHANNEL_CLOSE, { skip: [...passedOver, M.CHANNEL_EOF] })),
  },
  { what: "DISCONNECT", go: (client) => client.sendPacket(messages.writeDisconnect(11, "bye")) },
];

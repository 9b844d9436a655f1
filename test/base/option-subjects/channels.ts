import { PassThrough } from "node:stream";
import type { Channel } from "../../../src/connection/channel.js";
import type { Multiplexer } from "../../../src/connection/multiplexer.js";
import { join } from "../../../src/forwarding/join.js";
import { encodeForwardedStreamlocal, encodeForwardedTcpip } from "../../../src/forwarding/open-fields.js";
import { X11Displays } from "../../../src/forwarding/x11/x11-displays.js";
import { X11Forwarding } from "../../../src/forwarding/x11/x11-forwarding.js";
import { Pair } from "../../connection/multiplexer-pair.js";
import { openTestChannel } from "../../connection/test-channel.js";
import { notFlag, nothing, notNumber, notText, type OptionSubject } from "./values.js";

/** Asks the other end of a connection, which has a channel. */
async function answered(ask: (one: Multiplexer, channel: Channel) => Promise<unknown>): Promise<unknown> {
  const pair = new Pair();
  const [channel] = await pair.open(pair.one, pair.other);
  const answer = ask(pair.one.multiplexer, channel);
  await pair.settle();
  return answer;
}

const { signal } = new AbortController();
const notSignal = ["text", 5, true, {}, [], nothing];

export const CHANNEL_SUBJECTS: readonly OptionSubject[] = [
  {
    name: "join",
    call: (options) => {
      const streams = [new PassThrough(), new PassThrough()] as const;
      for (const stream of streams) stream.destroy();
      return join(...streams, options);
    },
    optional: true,
    valid: { signal, idleTimeout: 1, timeout: false },
    wrong: { signal: notSignal, idleTimeout: [...notNumber, 0], timeout: [...notNumber, 0] },
  },
  {
    name: "Channel.sendExitSignal",
    call: (options) => openTestChannel().channel.sendExitSignal("TERM", options),
    optional: true,
    valid: { coreDumped: true, message: "bad pointer" },
    wrong: { coreDumped: notFlag, message: notText },
  },
  {
    name: "Channel.sendRequest",
    call: (options) => answered((_, channel) => channel.sendRequest("test", undefined, options)),
    optional: true,
    valid: { wantReply: true, signal },
    wrong: { wantReply: notFlag, signal: notSignal },
  },
  {
    name: "Connection.openChannel",
    call: (options) => answered((one) => one.openChannel("test", undefined, options)),
    optional: true,
    valid: { signal },
    wrong: { signal: notSignal },
  },
  {
    name: "Connection.sendGlobalRequest",
    call: (options) => answered((one) => one.sendGlobalRequest("test", undefined, options)),
    optional: true,
    valid: { wantReply: true, signal },
    wrong: { wantReply: notFlag, signal: notSignal },
  },
  {
    name: "ForwardedX11.listen",
    call: async (options) => {
      const { channel } = openTestChannel();
      const authCookie = Buffer.from("00");
      const log = { refused: nothing, notRemoved: nothing, ended: nothing };
      const request = { singleConnection: false, authProtocol: "MIT-MAGIC-COOKIE-1", authCookie, screenNumber: 0 };
      try {
        return await new X11Forwarding(channel, request, new X11Displays(), log).listen(options);
      } finally {
        channel.destroy();
      }
    },
    optional: true,
    valid: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
    wrong: { uid: [...notNumber, 0.5, 2 ** 32 - 1], gid: [...notNumber, 0.5, 2 ** 32 - 1] },
  },
  {
    name: "encodeForwardedTcpip",
    call: encodeForwardedTcpip,
    valid: { address: "localhost", port: 8080, originatorAddress: "127.0.0.1", originatorPort: 50_000 },
    wrong: {
      address: notText,
      port: [...notNumber, 65_536],
      originatorAddress: notText,
      originatorPort: [...notNumber, 65_536],
    },
    required: ["address", "port", "originatorAddress", "originatorPort"],
  },
  {
    name: "encodeForwardedStreamlocal",
    call: encodeForwardedStreamlocal,
    valid: { socketPath: "/run/app/socket" },
    wrong: { socketPath: [5, true, {}, [], nothing] },
    required: ["socketPath"],
  },
];

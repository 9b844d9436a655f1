import { MessageNumber as M } from "../../../src/protocol/constants.js";
import { ProtocolError } from "../../../src/protocol/errors.js";
import {
  encodeChannelOpenConfirmation,
  encodeChannelOpenFailure,
} from "../../../src/protocol/messages/channel-open.js";
import { Writer } from "../../../src/protocol/writer.js";
import { End } from "../../connection/multiplexer-pair.js";
import * as messages from "../../support/packet-messages.js";
import { assertTrue, type Harness, refusable } from "../engine/harness.js";
import { joinMessages, settle, splitMessages } from "../support/messages.js";

const MAX_CHANNELS = 6;

/** Messages with these numbers, which do not belong to channels, stand for what this end does. */
const actions: readonly ((end: End, signal: AbortSignal) => Promise<unknown>)[] = [
  ({ multiplexer }, signal) => multiplexer.openChannel("test", undefined, { signal }),
  ({ multiplexer }, signal) => multiplexer.sendGlobalRequest("test", undefined, { signal }),
  async ({ opened }, signal) => opened.at(-1)?.sendRequest("test", undefined, { signal }),
  async ({ opened }) => opened.at(-1)?.close(),
];
const ABORT = actions.length;

const [open, ask, request, close] = actions.keys();
const action = (number = ABORT): Buffer => Buffer.of(number);
const confirmation = encodeChannelOpenConfirmation({
  recipientChannel: 0,
  senderChannel: 7,
  initialWindowSize: 9,
  maximumPacketSize: 9,
  fields: Buffer.alloc(0),
});
const failure = encodeChannelOpenFailure({ recipientChannel: 0, reason: 1, description: "no" });
const reply = (number: number): Buffer => new Writer().writeByte(number).writeUint32(0).toBuffer();

const dialogues = [
  [action(open), confirmation, messages.channelData(0, "x"), action(request), reply(M.CHANNEL_SUCCESS), action(close)],
  [action(open), failure, action(ask), Buffer.of(M.REQUEST_SUCCESS, 1, 2)],
  [action(open), action(), confirmation, messages.channelData(0, "x"), messages.channelClose(0)],
  [action(ask), action(), action(ask), Buffer.of(M.REQUEST_FAILURE), Buffer.of(M.REQUEST_FAILURE)],
  [messages.channelOpen(), action(request), reply(M.CHANNEL_FAILURE), messages.channelClose(0)],
  Array<Buffer>(MAX_CHANNELS + 1).fill(action(open)),
];

/** A peer that is asked for channels and other things, and answers what it likes. */
export const harness: Harness = {
  name: "asked-peer",
  seeds: dialogues.map(joinMessages),
  async run(bytes) {
    const end = new End(MAX_CHANNELS);
    let abort = new AbortController();
    let asked = 0;
    let settled = 0;
    for (const message of splitMessages(bytes)) {
      const number = message[0] ?? 0;
      if (number === ABORT) {
        abort.abort();
        abort = new AbortController();
      } else if (number < ABORT) {
        asked++;
        const count = () => settled++;
        actions[number]?.(end, abort.signal).then(count, count);
      } else {
        const taken = refusable(() => {
          end.multiplexer.receive(message);
          return true;
        }, ProtocolError);
        if (taken === undefined) break;
      }
      assertTrue(end.multiplexer.channelCount <= MAX_CHANNELS, "more channels than allowed");
      await settle(1);
    }
    end.multiplexer.close();
    await settle(3);
    assertTrue(settled === asked, `${asked - settled} of ${asked} answers are still awaited`);
    assertTrue(end.multiplexer.channelCount === 0, "a channel is left");
    assertTrue(end.closed.length === end.opened.length, "a channel was opened and not closed, or closed twice");
    for (const channel of end.opened) assertTrue(channel.signal.aborted, "a channel does not know that it is closed");
    assertTrue(end.failedHooks.length === 0, `an error that nobody heard: ${end.failedHooks[0]}`);
  },
};

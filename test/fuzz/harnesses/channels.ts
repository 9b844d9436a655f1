import * as messages from "../../support/packet-messages.js";
import { encodeFields } from "../../support/sftp-packets.js";
import type { Harness } from "../engine/harness.js";
import { ChannelRules, readPlainPackets } from "../support/channel-rules.js";
import { throwFirst } from "../support/files.js";
import { MemoryConnection, type Stage } from "../support/memory-connection.js";
import { joinMessages, settle, splitMessages } from "../support/messages.js";
import { plainHostKey, plainKeyExchangeMessages } from "../support/plain-algorithms.js";

const STAGES: readonly Stage[] = ["running", "running", "running", "compressed", "service"];

const dialogues = [
  [messages.channelOpen(), messages.execRequest(0, "ls"), messages.channelEof(0), messages.channelClose(0)],
  [messages.channelOpen(), messages.execRequest(0, "scp -t /"), messages.channelData(0, "C0644 2 x\nhi\0")],
  [messages.globalRequest("tcpip-forward", "want-reply", Buffer.from("000000000000", "hex"))],
  [messages.channelOpen(), messages.windowAdjust(0, 0xffff_ffff), messages.channelData(0, "x")],
  [messages.channelOpen({ window: 100, maxPacket: 33 }), messages.execRequest(0, "ls"), messages.windowAdjust(0, 37)],
  [messages.globalRequest("hostkeys-prove-00@openssh.com", "want-reply", encodeFields(plainHostKey.publicBlob))],
  plainKeyExchangeMessages("none"),
];

/** Messages of a user who has logged in. The first byte of an input chooses between that and what comes shortly before. */
export const harness: Harness = {
  name: "channels",
  seeds: dialogues.map((dialogue) => Buffer.concat([Buffer.of(0), joinMessages(dialogue)])),
  maximumLength: 8192,
  shortRun: 300,
  async run(bytes) {
    const stage = STAGES[(bytes[0] ?? 0) % STAGES.length] ?? "running";
    const connection = await MemoryConnection.reach(stage);
    const rules = new ChannelRules();
    for (const message of splitMessages(bytes.subarray(1))) {
      rules.sent(message);
      connection.send(message);
      await settle(1);
    }
    await settle(3);
    const { received } = connection;
    await connection.end();
    throwFirst(connection.defects);
    if (stage === "running") for (const payload of readPlainPackets(received)) rules.received(payload);
  },
};

import type { Readable } from "node:stream";
import { portOf } from "../connection/channel.js";
import { directReadsOf } from "../endpoint/direct-reads.js";
import type { SessionChannel } from "../session/session-channel.js";
import { GatheredOutput } from "./gathered-output.js";

/**
 * Passes a program's output on to its channel. What is read into memory that is used again goes out at once, as far as the client
 * takes it: the streams of Node.js would make garbage of all of it.
 */
export function passOutput(output: Readable, channel: SessionChannel): void {
  const reads = directReadsOf(output);
  if (reads === undefined) {
    output.pipe(channel, { end: false });
    return;
  }
  let begun = false;
  const write = (bytes: Uint8Array) => {
    begun = true;
    // Like a pipe, which lets go of a stream that has ended.
    if (channel.writable && channel.write(bytes)) return;
    output.pause();
  };
  const resume = () => output.resume();
  const gathered = new GatheredOutput((bytes) => {
    if (!begun) write(Buffer.from(bytes));
    else if (!channel.writable || !portOf(channel).output.writeLent(bytes)) output.pause();
  });
  reads.most = "channel";
  reads.take = (bytes) => {
    gathered.add(bytes);
    return true;
  };
  output.on("data", (bytes) => {
    gathered.flush();
    write(bytes);
  });
  channel.on("drain", resume);
  output.once("end", gathered.flush);
  output.once("close", () => {
    gathered.flush();
    channel.off("drain", resume);
  });
}

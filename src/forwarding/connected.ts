import { once } from "node:events";
import type { Duplex } from "node:stream";

/**
 * Waits for a stream that may be a socket that still connects. From then on its errors end it and nothing else.
 *
 * @throws the stream's error, or the reason of the signal; the stream is destroyed then
 */
export async function connected<Stream extends Duplex>(stream: Stream, signal: AbortSignal): Promise<Stream> {
  stream.on("error", () => {});
  try {
    signal.throwIfAborted();
    if (stream.destroyed) throw new Error("the stream is closed");
    if ("connecting" in stream && stream.connecting === true) await once(stream, "connect", { signal });
    return stream;
  } catch (error) {
    stream.destroy();
    throw signal.aborted ? signal.reason : error;
  }
}

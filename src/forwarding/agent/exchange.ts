import type { Duplex } from "node:stream";
import { AgentError } from "./agent-error.js";
import { MessageAssembler } from "./message-assembler.js";

/**
 * Sends one request to an agent and waits for its answer, which is all that the stream is used for.
 *
 * @param signal destroys the stream
 * @returns the message without its length
 * @throws {AgentError} `malformed` or `closed`
 */
export async function exchange(stream: Duplex, request: Buffer, signal: AbortSignal): Promise<Buffer> {
  const destroy = () => stream.destroy();
  // The reader below is told of errors, too; those that come later concern nobody.
  stream.on("error", () => {});
  signal.addEventListener("abort", destroy, { once: true });
  if (signal.aborted) destroy();
  try {
    stream.write(request);
    return await readMessage(stream);
  } catch (error) {
    if (error instanceof AgentError) throw error;
    throw new AgentError("closed", "the connection to the agent has failed before its answer", { cause: error });
  } finally {
    signal.removeEventListener("abort", destroy);
  }
}

/** Reads one message; the stream is destroyed with the end of the loop, whatever ends it. */
async function readMessage(stream: Duplex): Promise<Buffer> {
  const assembler = new MessageAssembler();
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const message = assembler.push(chunk);
    if (message !== undefined) return message;
  }
  throw new AgentError("closed", "the agent has closed the connection before its answer");
}

import { endReasonOf } from "../base/end-reasons.js";
import type { AbortedOutcome, AbortReason } from "./file-outcome.js";
import type { FileServerStream } from "./file-server-stream.js";

/** The outcome of files that are open when the stream to their client has ended. */
export function abandonedOn({ connection }: FileServerStream, error?: unknown): AbortedOutcome {
  const reason = reasonOf(connection);
  return { result: "aborted", reason, ...(error !== undefined && { error }) };
}

/** The outcome of files that are open when a session ends because of what its client has sent. */
export function brokenBy(error: unknown): AbortedOutcome {
  return { result: "aborted", reason: "session ended", error };
}

function reasonOf(connection: object | undefined): AbortReason {
  switch (connection && endReasonOf(connection)) {
    case "shutdown":
      return "server stopped";
    case "idle":
    case "timeout":
    case "disconnected":
      return "session ended";
    default:
      return "client gone";
  }
}

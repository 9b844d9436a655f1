import { Writer } from "../writer.js";
import { encodeChannelRequest } from "./requests.js";

/** SSH_MSG_CHANNEL_REQUEST `exit-status` (RFC 4254 §6.10). */
export function encodeExitStatus(recipientChannel: number, status: number): Buffer {
  return encodeChannelRequest(
    recipientChannel,
    "exit-status",
    "unwanted",
    new Writer(4).writeUint32(status).toBuffer(),
  );
}

export interface ExitSignal {
  /** Name without SIG: `TERM`, `KILL`, … */
  readonly name: string;
  readonly coreDumped: boolean;
  readonly message: string;
}

/** SSH_MSG_CHANNEL_REQUEST `exit-signal` (RFC 4254 §6.10). */
export function encodeExitSignal(recipientChannel: number, signal: ExitSignal): Buffer {
  const fields = new Writer()
    .writeString(signal.name)
    .writeBoolean(signal.coreDumped)
    .writeString(signal.message)
    .writeString("");
  return encodeChannelRequest(recipientChannel, "exit-signal", "unwanted", fields.toBuffer());
}

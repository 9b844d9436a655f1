import { MessageNumber } from "../../src/protocol/constants.js";
import { Reader } from "../../src/protocol/reader.js";

/** A message of RFC 4254 from the server in words, for comparison: `data hello`, `exit-status 0`, `CLOSE`. */
export function describeMessage(payload: Buffer): string {
  const reader = new Reader(payload, 1);
  switch (payload[0]) {
    case MessageNumber.CHANNEL_OPEN_CONFIRMATION:
      return `opened ${reader.readUint32()} as ${reader.readUint32()}`;
    case MessageNumber.CHANNEL_OPEN_FAILURE:
      return `refused ${reader.readUint32()}: ${reader.readUint32()} ${reader.readText()}`;
    case MessageNumber.REQUEST_SUCCESS:
      return reader.remaining === 0 ? "request success" : `request success ${reader.readRest().toString("hex")}`;
    case MessageNumber.REQUEST_FAILURE:
      return "request failure";
    case MessageNumber.GLOBAL_REQUEST:
      return `request ${reader.readText()}`;
  }
  reader.readUint32();
  switch (payload[0]) {
    case MessageNumber.CHANNEL_DATA:
      return `data ${reader.readString().toString("latin1")}`;
    case MessageNumber.CHANNEL_EXTENDED_DATA:
      return `stderr ${reader.readUint32() === 1 ? reader.readString().toString("latin1") : "of another type"}`;
    case MessageNumber.CHANNEL_WINDOW_ADJUST:
      return `window ${reader.readUint32()}`;
    case MessageNumber.CHANNEL_REQUEST:
      return describeRequest(reader);
    case MessageNumber.CHANNEL_EOF:
      return "EOF";
    case MessageNumber.CHANNEL_CLOSE:
      return "CLOSE";
    case MessageNumber.CHANNEL_SUCCESS:
      return "success";
    case MessageNumber.CHANNEL_FAILURE:
      return "failure";
    default:
      throw new Error(`message ${payload[0]} is not for a channel`);
  }
}

function describeRequest(reader: Reader): string {
  const kind = reader.readText();
  if (reader.readBoolean()) throw new Error(`${kind} wants a reply`);
  if (kind === "exit-status") return `${kind} ${reader.readUint32()}`;
  const signal = [reader.readText(), reader.readBoolean() ? "core" : "no core", JSON.stringify(reader.readText())];
  return [kind, ...signal].join(" ");
}

import { DisconnectReason } from "../../protocol/constants.js";
import { ProtocolError } from "../../protocol/errors.js";
import { Reader } from "../../protocol/reader.js";

/** The error of a refused key exchange. */
export function keyExchangeFailed(message: string, options?: ErrorOptions): ProtocolError {
  return new ProtocolError(message, DisconnectReason.KEY_EXCHANGE_FAILED, options);
}

/**
 * Reads one key exchange message whole: its number, then what `read` takes, then nothing more.
 *
 * @throws {ProtocolError} with reason KEY_EXCHANGE_FAILED for another number or fields that are not there
 */
export function readMessage<T>(payload: Buffer, number: number, read: (reader: Reader) => T): T {
  const reader = new Reader(payload);
  try {
    const received = reader.readByte();
    if (received !== number) throw keyExchangeFailed(`message ${received} where ${number} is expected`);
    const fields = read(reader);
    reader.end();
    return fields;
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    throw keyExchangeFailed(`the key exchange message cannot be used: ${cause.message}`, { cause });
  }
}

import { DisconnectReason } from "../protocol/constants.js";
import { ProtocolError } from "../protocol/errors.js";

/** Longest identification line without its end, bytes: sshd takes more than the 255 of RFC 4253 §4.2. */
const MAX_IDENTIFICATION_LENGTH = 8192;

/** CR LF. */
const MAX_END_LENGTH = 2;

const CR = 0x0d;
const LF = 0x0a;

/**
 * Reads the client's identification line (RFC 4253 §4.2) from the first bytes of a connection. A client may not send
 * other lines before it. As by sshd, a line that ends in LF alone is taken, and any bytes in it but NUL and CR.
 */
export class IdentificationReader {
  #received = Buffer.alloc(0);

  /**
   * Takes the next bytes; returns the line without its end, a character of Latin-1 for each of its bytes, and the bytes
   * that follow it, once it is whole.
   *
   * @throws {ProtocolError} as soon as the bytes cannot become the identification of an SSH 2 client
   */
  receive(bytes: Buffer): { identification: string; rest: Buffer } | undefined {
    const room = MAX_IDENTIFICATION_LENGTH + MAX_END_LENGTH - this.#received.length;
    const end = bytes.subarray(0, room).indexOf(LF);
    if (end === -1) {
      this.#received = Buffer.concat([this.#received, bytes.subarray(0, room)]);
      checkStart(this.#received);
      if (bytes.length >= room) throw mismatch("the identification line is too long");
      return undefined;
    }
    const line = Buffer.concat([this.#received, bytes.subarray(0, end)]);
    checkStart(line);
    return { identification: parse(line), rest: bytes.subarray(end + 1) };
  }
}

/** Refuses a foreign protocol at its first wrong byte, instead of waiting for a line end that may never come. */
function checkStart(line: Buffer): void {
  const start = "SSH-";
  if (!start.startsWith(line.toString("latin1", 0, start.length))) {
    throw mismatch("the client does not speak SSH");
  }
}

function parse(line: Buffer): string {
  const identification = line.toString("latin1", 0, line.at(-1) === CR ? line.length - 1 : line.length);
  if (identification.length > MAX_IDENTIFICATION_LENGTH) throw mismatch("the identification line is too long");
  // The version goes into the log and to the client, so it is short.
  const version = /^SSH-(\d{1,9}\.\d{1,9})-[^\0\r]+$/.exec(identification)?.[1];
  if (version === undefined) throw mismatch("the identification line is malformed");
  // 1.99 announces a client that speaks both versions (RFC 4253 §5.1).
  if (version !== "2.0" && version !== "1.99") throw mismatch(`SSH protocol version ${version} is not supported`);
  return identification;
}

function mismatch(message: string): ProtocolError {
  return new ProtocolError(message, DisconnectReason.PROTOCOL_VERSION_NOT_SUPPORTED);
}

import { DisconnectReason } from "../protocol/constants.js";
import { ProtocolError } from "../protocol/errors.js";

/** Longest identification line without its end, bytes: sshd takes more than the 255 of RFC 4253 §4.2. */
const MAX_IDENTIFICATION_LENGTH = 8192;

/** CR LF. */
const MAX_END_LENGTH = 2;

const START = "SSH-";
const CR = 0x0d;
const LF = 0x0a;

/**
 * Reads the peer's identification line (RFC 4253 §4.2) from the first bytes of a connection. As by OpenSSH, a line that
 * ends in LF alone is taken, and any bytes in it but NUL and CR.
 */
export class IdentificationReader {
  #linesBefore: number;
  #received = Buffer.alloc(0);

  /** @param linesBefore how many other lines may come first, each no longer than an identification */
  constructor(linesBefore: number) {
    this.#linesBefore = linesBefore;
  }

  /**
   * Takes the next bytes; returns the line without its end, a character of Latin-1 for each of its bytes, and the bytes
   * that follow it, once it is whole.
   *
   * @throws {ProtocolError} as soon as the bytes cannot become the identification of a peer that speaks SSH 2
   */
  receive(bytes: Buffer): { identification: string; rest: Buffer } | undefined {
    for (let unread = bytes; ; ) {
      const room = MAX_IDENTIFICATION_LENGTH + MAX_END_LENGTH - this.#received.length;
      const end = unread.subarray(0, room).indexOf(LF);
      const line = Buffer.concat([this.#received, unread.subarray(0, end === -1 ? room : end)]);
      if (this.#linesBefore === 0) checkStart(line);
      if (end === -1) {
        this.#received = line;
        if (unread.length >= room) throw mismatch("the identification line is too long");
        return undefined;
      }
      unread = unread.subarray(end + 1);
      if (this.#linesBefore === 0 || line.toString("latin1", 0, START.length) === START) {
        return { identification: parse(line), rest: unread };
      }
      this.#linesBefore--;
      this.#received = Buffer.alloc(0);
    }
  }
}

/** Refuses a foreign protocol at its first wrong byte, instead of waiting for a line end that may never come. */
function checkStart(line: Buffer): void {
  if (!START.startsWith(line.toString("latin1", 0, START.length))) throw mismatch("the peer does not speak SSH");
}

function parse(line: Buffer): string {
  const identification = line.toString("latin1", 0, line.at(-1) === CR ? line.length - 1 : line.length);
  if (identification.length > MAX_IDENTIFICATION_LENGTH) throw mismatch("the identification line is too long");
  // The version goes into the log and to the peer, so it is short.
  const version = /^SSH-(\d{1,9}\.\d{1,9})-[^\0\r]+$/.exec(identification)?.[1];
  if (version === undefined) throw mismatch("the identification line is malformed");
  // 1.99 announces a peer that speaks both versions (RFC 4253 §5.1).
  if (version !== "2.0" && version !== "1.99") throw mismatch(`SSH protocol version ${version} is not supported`);
  return identification;
}

function mismatch(message: string): ProtocolError {
  return new ProtocolError(message, DisconnectReason.PROTOCOL_VERSION_NOT_SUPPORTED);
}

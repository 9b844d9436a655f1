import { ProtocolError } from "../../protocol/errors.js";
import { Reader } from "../../protocol/reader.js";
import { Writer } from "../../protocol/writer.js";
import { AgentError } from "./agent-error.js";

/** Longest message, bytes: no agent of today takes or sends longer ones. */
export const MAX_MESSAGE_LENGTH = 256 * 1024;

/** Most keys of one answer: as many as ssh(1) takes. */
export const MAX_KEYS = 2048;

/** Message numbers (RFC 9987 §8.1). */
export const AgentMessage = {
  FAILURE: 5,
  REQUEST_IDENTITIES: 11,
  IDENTITIES_ANSWER: 12,
  SIGN_REQUEST: 13,
  SIGN_RESPONSE: 14,
} as const;

/** A key as the agent lists it. */
export interface Identity {
  readonly keyType: string;
  readonly publicBlob: Buffer;
  readonly comment: string;
}

/** Asks for the keys (RFC 9987 §5.5). Messages have their length in front. */
export function encodeListRequest(): Buffer {
  return new Writer(5).writeString(Buffer.of(AgentMessage.REQUEST_IDENTITIES)).toBuffer();
}

/**
 * Asks for a signature (RFC 9987 §5.6).
 *
 * @param flags choose the hash of an RSA key
 * @throws {RangeError} when this is longer than what agents take
 */
export function encodeSignRequest(publicBlob: Buffer, data: Buffer, flags: number): Buffer {
  const length = 13 + publicBlob.length + data.length;
  if (length > MAX_MESSAGE_LENGTH) {
    throw new RangeError(`a request of ${length} bytes is longer than the ${MAX_MESSAGE_LENGTH} that agents take`);
  }
  return new Writer(4 + length)
    .writeUint32(length)
    .writeByte(AgentMessage.SIGN_REQUEST)
    .writeString(publicBlob)
    .writeString(data)
    .writeUint32(flags)
    .toBuffer();
}

/**
 * Reads the answer to a request for the keys. What may be behind the last of them is left alone, as ssh does.
 *
 * @param message without its length; the results are copies, not views of it
 * @throws {AgentError} `failed` or `malformed`
 */
export function decodeIdentities(message: Buffer): Identity[] {
  return decode(message, AgentMessage.IDENTITIES_ANSWER, (fields) => {
    const count = fields.readUint32();
    if (count > MAX_KEYS) throw new ProtocolError(`${count} keys are more than ${MAX_KEYS}`);
    return Array.from({ length: count }, () => readIdentity(fields));
  });
}

/**
 * Reads the answer to a request for a signature.
 *
 * @returns the signature as in RFC 4253 §6.6, which is not looked into
 * @throws {AgentError} `failed` or `malformed`
 */
export function decodeSignature(message: Buffer): Buffer {
  return decode(message, AgentMessage.SIGN_RESPONSE, (fields) => Buffer.from(fields.readString()));
}

function readIdentity(fields: Reader): Identity {
  const publicBlob = Buffer.from(fields.readString());
  const keyType = new Reader(publicBlob).readName();
  if (!/^[\x21-\x7e]+$/.test(keyType)) throw new ProtocolError("the type of a key is not a name");
  return { keyType, publicBlob, comment: fields.readDescription().replace(/\p{Cc}/gu, " ") };
}

function decode<T>(message: Buffer, wanted: number, read: (fields: Reader) => T): T {
  const number = message[0];
  if (number === AgentMessage.FAILURE) throw new AgentError("failed", "the agent has not done what it was asked for");
  if (number !== wanted) throw new AgentError("malformed", `the agent answers with a message ${number}`);
  try {
    return read(new Reader(message, 1));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new AgentError("malformed", `the answer of the agent is malformed: ${error.message}`, { cause: error });
  }
}

import { MessageNumber } from "../constants.js";
import { ProtocolError } from "../errors.js";
import { Reader } from "../reader.js";
import { Writer } from "../writer.js";

/** The fields of method `keyboard-interactive` (RFC 4256 §3.1), without the language, which nobody uses. */
export interface KeyboardInteractiveFields {
  readonly submethods: string;
}

export function encodeKeyboardInteractiveFields({ submethods }: KeyboardInteractiveFields): Buffer {
  return new Writer().writeString("").writeString(submethods).toBuffer();
}

export function decodeKeyboardInteractiveFields(fields: Reader): KeyboardInteractiveFields {
  fields.readString();
  const submethods = fields.readText();
  fields.end();
  return { submethods };
}

/** One round of questions (RFC 4256 §3.2). */
export interface InfoRequest {
  /** A title for the questions. Default none. */
  readonly name?: string;
  /** A text before the questions. Default none. */
  readonly instruction?: string;
  /** The questions, in order; `echo` says whether the user sees the answer while it is typed. */
  readonly prompts: readonly { readonly prompt: string; readonly echo: boolean }[];
}

/** SSH_MSG_USERAUTH_INFO_REQUEST (RFC 4256 §3.2). */
export function encodeInfoRequest(request: InfoRequest): Buffer {
  const writer = new Writer()
    .writeByte(MessageNumber.USERAUTH_INFO_REQUEST)
    .writeString(request.name ?? "")
    .writeString(request.instruction ?? "")
    .writeString("")
    .writeUint32(request.prompts.length);
  for (const { prompt, echo } of request.prompts) writer.writeString(prompt).writeBoolean(echo);
  return writer.toBuffer();
}

/** Texts are as they came, control characters and all. */
export function decodeInfoRequest(payload: Buffer): Required<InfoRequest> {
  const reader = new Reader(payload, 1);
  const name = reader.readDescription();
  const instruction = reader.readDescription();
  reader.readString();
  const count = reader.readUint32();
  const prompts: { prompt: string; echo: boolean }[] = [];
  // A count that is too high ends where the bytes do.
  while (prompts.length < count) prompts.push({ prompt: reader.readDescription(), echo: reader.readBoolean() });
  reader.end();
  return { name, instruction, prompts };
}

/** SSH_MSG_USERAUTH_INFO_RESPONSE (RFC 4256 §3.4). */
export function encodeInfoResponse(responses: readonly string[]): Buffer {
  const writer = new Writer().writeByte(MessageNumber.USERAUTH_INFO_RESPONSE).writeUint32(responses.length);
  for (const response of responses) writer.writeString(response);
  return writer.toBuffer();
}

/**
 * @param expected number of prompts
 * @throws {InvalidTextError} when an answer is not UTF-8
 */
export function decodeInfoResponse(payload: Buffer, expected: number): string[] {
  const reader = new Reader(payload, 1);
  const count = reader.readUint32();
  if (count !== expected) throw new ProtocolError(`${count} responses to ${expected} prompts`);
  const responses = Array.from({ length: count }, () => reader.readText());
  reader.end();
  return responses;
}

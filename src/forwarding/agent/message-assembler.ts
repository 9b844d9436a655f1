import { AgentError } from "./agent-error.js";
import { MAX_MESSAGE_LENGTH } from "./messages.js";

/** Puts one message of an agent together, however its bytes come. Takes no more memory than the message is long. */
export class MessageAssembler {
  readonly #head = Buffer.alloc(4);
  #headLength = 0;
  #message: Buffer | undefined;
  #messageLength = 0;

  /**
   * @returns the message without its length, once all of it is there; what comes behind it is left alone
   * @throws {AgentError} `malformed` when it is empty or too long
   */
  push(chunk: Buffer): Buffer | undefined {
    const headPart = chunk.copy(this.#head, this.#headLength);
    this.#headLength += headPart;
    if (this.#headLength < this.#head.length) return undefined;
    this.#message ??= allocate(this.#head.readUInt32BE());
    this.#messageLength += chunk.copy(this.#message, this.#messageLength, headPart);
    return this.#messageLength === this.#message.length ? this.#message : undefined;
  }
}

function allocate(length: number): Buffer {
  if (length >= 1 && length <= MAX_MESSAGE_LENGTH) return Buffer.alloc(length);
  throw new AgentError("malformed", `the agent announces an answer of ${length} bytes`);
}

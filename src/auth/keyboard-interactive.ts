import { InvalidTextError } from "../protocol/errors.js";
import type { UserauthRequest } from "../protocol/messages/userauth.js";
import {
  decodeInfoResponse,
  decodeKeyboardInteractiveFields,
  encodeInfoRequest,
  type InfoRequest,
} from "../protocol/messages/userauth-keyboard-interactive.js";
import { type Attempt, attemptFrom, refused } from "./attempt.js";
import type { Authenticator } from "./authenticator.js";

const GIVEN_UP = "the client has given up the dialogue";
const UNREADABLE = "an answer is not UTF-8";

/** The client has given up a dialogue or has sent an answer that is not UTF-8, or the connection has ended. */
export class PromptAbortedError extends Error {
  override readonly name = "PromptAbortedError";
}

interface Question {
  readonly promptCount: number;
  readonly resolve: (responses: string[]) => void;
  readonly reject: (error: Error) => void;
}

/** One dialogue of method `keyboard-interactive` (RFC 4256): rounds of prompts, led by the server's hook. */
export class KeyboardInteractiveDialogue {
  readonly #send: (payload: Buffer) => void;
  #question: Question | undefined;
  #abandoned = false;
  /** An answer was not UTF-8: the dialogue has failed, and the decision of its hook does not count. */
  #unreadable = false;
  /** The hook has come to its result. */
  #over = false;
  #unanswered = false;

  /** @param send sends the payload and lets the client's next message through */
  constructor(send: (payload: Buffer) => void) {
    this.#send = send;
  }

  /** Whether the client owes a response. */
  get waiting(): boolean {
    return this.#question !== undefined;
  }

  /** The hook has come to its result without the answers it asked for: they are still on their way. */
  get unanswered(): boolean {
    return this.#unanswered;
  }

  async attempt(request: UserauthRequest, authenticator: Authenticator): Promise<Attempt> {
    const { submethods } = decodeKeyboardInteractiveFields(request.fields);
    try {
      const result = await authenticator.keyboardInteractive(request.username, submethods, this.#prompt);
      return this.#failure ?? attemptFrom(result, authenticator.refusalReason());
    } catch (error) {
      if (this.#failure !== undefined) return this.#failure;
      throw error;
    } finally {
      this.#over = true;
      this.#unanswered = this.waiting;
      this.#question = undefined;
    }
  }

  /** @throws {ProtocolError} when the response does not fit the prompts */
  receiveResponse(payload: Buffer): void {
    const question = this.#question;
    if (question === undefined) return;
    let responses: string[];
    try {
      responses = decodeInfoResponse(payload, question.promptCount);
    } catch (error) {
      if (!(error instanceof InvalidTextError)) throw error;
      this.#unreadable = true;
      this.#stop(UNREADABLE);
      return;
    }
    this.#question = undefined;
    question.resolve(responses);
  }

  /** The client has started another request instead of answering (RFC 4256 §3.1), or is gone. */
  abandon(): void {
    this.#abandoned = true;
    this.#stop(GIVEN_UP);
  }

  /** The reason why the dialogue has failed although its hook may decide otherwise; `undefined` if it has not. */
  get #failure(): Attempt | undefined {
    if (this.#abandoned) return { kind: "abandoned" };
    return this.#unreadable ? refused(UNREADABLE) : undefined;
  }

  #stop(why: string): void {
    this.#question?.reject(new PromptAbortedError(why));
    this.#question = undefined;
  }

  readonly #prompt = (request: InfoRequest): Promise<string[]> => {
    const responses = new Promise<string[]>((resolve, reject) => {
      if (this.#over) throw new Error("the dialogue is over");
      if (this.#abandoned) throw new PromptAbortedError(GIVEN_UP);
      if (this.#unreadable) throw new PromptAbortedError(UNREADABLE);
      if (this.#question !== undefined) throw new Error("the answers to the previous prompts are still awaited");
      const payload = encodeInfoRequest(request);
      this.#question = { promptCount: request.prompts.length, resolve, reject };
      this.#send(payload);
    });
    // A hook may do other things before it looks at the answers: a rejection meanwhile must not end the process.
    responses.catch(() => {});
    return responses;
  };
}

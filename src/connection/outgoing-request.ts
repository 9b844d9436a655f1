import { ConfigurationError } from "../base/configuration-error.js";
import { checkFlag, checkOptions } from "../base/option-checks.js";

/** Longest fields of a request, bytes: with their message they fit the payload that every peer takes (RFC 4253 §6.1). */
const MAX_FIELDS_LENGTH = 32 * 1024 - 256;

/** Longest name, of printable US-ASCII without commas (RFC 4250 §4.6.1). */
const NAME = /^[\x21-\x2b\x2d-\x7e]{1,64}$/;

export const NO_FIELDS: Buffer = Buffer.alloc(0);

/** How long an answer of the peer is waited for. */
export interface AnswerOptions {
  /**
   * Ends the waiting for the answer, with the signal's reason. The request is not taken back. After two minutes the waiting
   * ends in any case, with an AnswerTimeoutError.
   */
  readonly signal?: AbortSignal;
}

/** Options of a request that is sent to the peer. */
export interface RequestOptions extends AnswerOptions {
  /** `false` for a request that the peer shall not answer: it counts as successful once it is sent. Default `true`. */
  readonly wantReply?: boolean;
}

/**
 * Checks what a program wants to send: not every program is checked by types, and these cannot say all of it.
 *
 * @throws {TypeError} when the name is not one, or the fields are not bytes
 * @throws {RangeError} when the fields are too long
 */
export function checkRequest(kind: string, fields: Uint8Array): void {
  if (typeof kind !== "string" || !NAME.test(kind)) {
    throw new TypeError("a name is 1 to 64 printable characters of US-ASCII without commas (RFC 4250 §4.6.1)");
  }
  if (!(fields instanceof Uint8Array)) throw new TypeError("the fields of a request are bytes");
  if (fields.length > MAX_FIELDS_LENGTH) {
    throw new RangeError(`the fields of a request are up to ${MAX_FIELDS_LENGTH} bytes, not ${fields.length}`);
  }
}

/** The way to the peer, as far as a request of ours needs it. */
export interface RequestLink {
  /** Whether so little waits to be sent that something more can be asked of the peer. */
  readonly acceptsRequests: boolean;
  send(payload: Buffer): void;
}

/** @throws {Error} when the peer takes nothing: what a program asks must not fill the memory meanwhile */
export function checkRoom({ acceptsRequests }: RequestLink): void {
  if (!acceptsRequests) throw new Error("the peer has not taken what was sent before");
}

/**
 * @throws {ConfigurationError} naming the option that cannot be used
 * @throws the signal's reason, when it has fired
 */
export function checkAnswerOptions(options: AnswerOptions): AnswerOptions {
  return checkSignal(checkOptions(options, ["signal"]));
}

/**
 * @throws {ConfigurationError} naming the option that cannot be used
 * @throws the signal's reason, when it has fired
 */
export function checkRequestOptions(
  options: RequestOptions,
): Required<Pick<RequestOptions, "wantReply">> & AnswerOptions {
  const { wantReply = true, ...rest } = checkSignal(checkOptions(options, ["signal", "wantReply"]));
  return { wantReply: checkFlag("wantReply", wantReply), ...rest };
}

function checkSignal<Options extends AnswerOptions>(options: Options): Options {
  const { signal } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new ConfigurationError("signal", "must be an AbortSignal");
  }
  signal?.throwIfAborted();
  return options;
}

import { isError } from "../../base/is-error.js";
import { isLending, TAKE_LENT_DATA } from "../../base/lending-stream.js";
import { isThenable, type MaybePromise } from "../../base/maybe-promise.js";
import { systemErrorCode } from "../../base/system-error-code.js";
import { FileError, toFileError } from "../../files/errors.js";
import type { AbortedOutcome } from "../../files/file-outcome.js";
import type { FileServerLogger } from "../../files/file-server-options.js";
import { abandonedOn, brokenBy } from "../../files/session-outcome.js";
import { ProtocolError } from "../../protocol/errors.js";
import { Reader } from "../../protocol/reader.js";
import { PacketType, SFTP_VERSION, StatusCode } from "../codec/constants.js";
import { type Packet, PacketAssembler } from "../codec/packet-assembler.js";
import { encodeStatus, encodeVersion } from "../codec/replies.js";
import { statusOf } from "../codec/sftp-error.js";
import { closeObject, type OpenObject } from "./handle-table.js";
import { PendingRequest, type RequestOwner } from "./pending-request.js";
import { ReadAhead } from "./read-ahead.js";
import { ReplyOrder } from "./reply-order.js";
import { ReplyOutput } from "./reply-output.js";
import { RequestOrder } from "./request-order.js";
import { denied } from "./requests/denied.js";
import { extensions } from "./requests/extensions.js";
import { requestKinds } from "./requests/registry.js";
import type { Operation, Reply, RequestContext, RequestKind } from "./requests/request.js";
import type { SFTPStream } from "./sftp-stream.js";

/** Requests that a client may have under way; more are not read before some are answered. */
const MAX_REQUESTS = 128;

/** Requests that are taken in one turn of the event loop. Others on the same process are to have theirs. */
const MAX_REQUESTS_IN_TURN = 16;

/** Bytes that the requests under way, their replies and what is read ahead may hold together, one request more or less. */
const MAX_MEMORY = 4 * 1024 * 1024;

/** The cost of a request beside its bytes and its reply's, roughly. */
const REQUEST_OVERHEAD = 1024;

export interface SFTPSessionSettings {
  readonly context: Omit<RequestContext, "readAhead">;
  /** Fires the signal of `context` when the session is over. */
  readonly abort: AbortController;
  readonly deniedRequests: ReadonlySet<string>;
  /** Called once nothing of the session is left. */
  readonly ended: () => void;
}

/** The client did what no client does; the session ends. */
class SessionError extends Error {
  override readonly name = "SessionError";
}

/** One session of SFTP: reads requests, runs them in an order that makes sense, answers each once. */
export class SFTPSession implements RequestOwner {
  readonly #stream: SFTPStream;
  readonly #context: RequestContext;
  readonly #deniedRequests: ReadonlySet<string>;
  readonly #logger: FileServerLogger;
  readonly #ended: () => void;
  readonly #abort: AbortController;
  readonly #assembler = new PacketAssembler();
  readonly #order = new RequestOrder();
  readonly #replyOrder = new ReplyOrder();
  readonly #output: ReplyOutput;
  readonly #readAhead = new ReadAhead(() => this.#order.onlyReads && !this.#closing && !this.#isFull);
  #memory = 0;
  #takenInTurn = 0;
  #isResting = false;
  #initialized = false;
  #inputEnded = false;
  #closing = false;

  constructor(stream: SFTPStream, { context, abort, deniedRequests, ended }: SFTPSessionSettings) {
    this.#stream = stream;
    this.#output = new ReplyOutput(stream);
    this.#context = { ...context, readAhead: this.#readAhead };
    this.#abort = abort;
    this.#deniedRequests = deniedRequests;
    this.#logger = context.logger;
    this.#ended = ended;
    stream.on("data", this.#receive);
    if (isLending(stream)) stream[TAKE_LENT_DATA](this.#receive);
    stream.once("end", this.#endInput);
    stream.once("error", this.#fail);
    stream.once("close", this.#streamClosed);
    stream.signal?.addEventListener("abort", this.#streamClosed, { once: true });
    if (stream.destroyed || stream.signal?.aborted) this.#streamClosed();
  }

  readonly #receive = (chunk: Buffer): void => {
    if (this.#closing) return;
    this.#assembler.add(chunk);
    this.#advance();
    this.#assembler.keep();
  };

  readonly #endInput = (): void => {
    this.#inputEnded = true;
    // Requests of the last chunk may still wait to be taken.
    this.#advance();
  };

  readonly #fail = (error: unknown): void => {
    if (!(error instanceof SessionError)) this.#logger.debug({ err: error }, "the session's stream has failed");
    else this.#logger.warn({ err: error }, "the client has broken the protocol");
    this.#close(1, error instanceof SessionError ? brokenBy(error) : abandonedOn(this.#stream, error));
  };

  readonly #streamClosed = (): void => {
    this.#close(undefined, abandonedOn(this.#stream));
  };

  /** Takes requests as long as there is room for more. */
  readonly #advance = (): void => {
    if (this.#isResting) return;
    try {
      while (!this.#closing) {
        if (this.#order.size >= MAX_REQUESTS || this.#isFull) {
          this.#stream.pause();
          return;
        }
        if (this.#takenInTurn === MAX_REQUESTS_IN_TURN) {
          this.#isResting = true;
          this.#stream.pause();
          return;
        }
        const packet = this.#assembler.next();
        if (packet === undefined) break;
        // Most clients wait for each answer: then a turn is not looked for with every request.
        if (++this.#takenInTurn === MAX_REQUESTS_IN_TURN / 2) setImmediate(this.#startTurn);
        this.#take(packet);
      }
    } catch (error) {
      this.#fail(isError(error) ? new SessionError(error.message, { cause: error }) : error);
      return;
    }
    if (this.#closing) return;
    if (this.#inputEnded) this.#finishIfDone();
    else if (this.#stream.isPaused()) this.#stream.resume();
  };

  get #isFull(): boolean {
    return this.#memory + this.#readAhead.memory >= MAX_MEMORY;
  }

  readonly #startTurn = (): void => {
    this.#takenInTurn = 0;
    if (!this.#isResting) return;
    this.#isResting = false;
    this.#advance();
  };

  #take(packet: Packet): void {
    const fields = new Reader(packet.bytes);
    const type = fields.readByte();
    const id = fields.readUint32();
    if (type === PacketType.INIT) {
      this.#initialize();
      packet.release();
      return;
    }
    if (!this.#initialized) throw new SessionError(`the first packet is of type ${type}, not SSH_FXP_INIT`);
    const { name, operation } = this.#read(type, fields);
    const cost = packet.memory + (operation.memory ?? 0) + REQUEST_OVERHEAD;
    this.#memory += cost;
    const request = new PendingRequest(this, packet, { id, name, operation, cost });
    // What follows may see what it changes.
    if (!request.readsOnly) this.#readAhead.drop();
    if (operation.replyLine !== undefined) this.#replyOrder.join(operation.replyLine, request);
    this.#order.add(request);
  }

  /** Reads a request. One that cannot be read is an operation that fails: it is answered in its turn. */
  #read(type: number, fields: Reader): { readonly name: string | undefined; readonly operation: Operation } {
    let name: string | undefined;
    try {
      const kind = findKind(type, fields);
      if (kind === undefined) throw new FileError("ENOTSUP");
      name = kind.name;
      const permitted = this.#deniedRequests.has(name) ? denied(kind) : kind;
      return { name, operation: permitted.read(fields, this.#context) };
    } catch (error) {
      return { name, operation: { footprint: {}, run: () => Promise.reject(error) } };
    }
  }

  /** Runs a request; whatever becomes of it, there is one reply, unless nobody is there to read it. */
  start(request: PendingRequest): void {
    if (this.#abort.signal.aborted) {
      this.#ready(request, undefined);
      return;
    }
    let reply: MaybePromise<Reply | undefined>;
    try {
      reply = request.operation.run(request.id);
    } catch (error) {
      reply = this.#failure(request, error);
    }
    if (!isThenable(reply)) {
      this.#ready(request, reply);
      return;
    }
    reply.then(
      (made) => this.#ready(request, made),
      (error: unknown) => this.#ready(request, this.#failure(request, error)),
    );
  }

  #ready(request: PendingRequest, reply: Reply | undefined): void {
    request.releasePacket();
    request.reply = reply;
    if (request.operation.replyLine === undefined) request.leave();
    else this.#replyOrder.ready(request);
  }

  #failure({ id, name }: PendingRequest, error: unknown): Buffer | undefined {
    const { signal } = this.#abort;
    if (signal.aborted && error === signal.reason) return undefined;
    const explanation = explain(error);
    const { status, message } = explanation ?? { status: StatusCode.FAILURE, message: "Failure" };
    const fields = { request: name, status: StatusCode[status], err: error };
    if (explanation !== undefined) this.#logger.debug(fields, "request refused");
    else this.#logger.warn(fields, "request failed");
    return encodeStatus(id, status, message);
  }

  answer(request: PendingRequest): void {
    if (request.reply === undefined || this.#closing) request.sent();
    else this.#output.send(request.reply, request.sent);
    this.#order.finish(request);
  }

  answered({ cost }: PendingRequest): void {
    this.#memory -= cost;
    if (this.#inputEnded || this.#stream.isPaused()) this.#advance();
  }

  #initialize(): void {
    if (this.#initialized) throw new SessionError("a second SSH_FXP_INIT");
    this.#initialized = true;
    const { fileSystem } = this.#context.tree;
    const announced = new Map<string, string>();
    for (const [name, { kind, data, isPossible }] of extensions) {
      if (isPossible(fileSystem) && !this.#deniedRequests.has(kind.name)) announced.set(name, data);
    }
    this.#output.send(encodeVersion(SFTP_VERSION, announced), () => {});
  }

  #finishIfDone(): void {
    if (this.#order.size > 0) return;
    if (this.#assembler.hasPart) this.#logger.debug({}, "the client has ended the session within a packet");
    this.#close(0, abandonedOn(this.#stream));
  }

  /**
   * Ends the session: what waits is dropped, what runs goes on without a reply, what is open is closed behind it.
   *
   * @param status how it went; `undefined` when nobody is there to be told
   * @param outcome of files that the client has not closed
   */
  #close(status: 0 | 1 | undefined, outcome: AbortedOutcome): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#output.flush();
    this.#abort.abort();
    this.#readAhead.drop();
    this.#assembler.close();
    const stream = this.#stream;
    stream.off("data", this.#receive);
    if (isLending(stream)) stream[TAKE_LENT_DATA](undefined);
    // A late error has no other listener.
    stream.on("error", () => {});
    stream.resume();
    const released = this.#release(outcome);
    // A client that has left in order may rely on its files being closed; one that broke the protocol waits for nothing.
    if (status === 0) void released.then(() => endStream(stream, status));
    else if (status === 1) endStream(stream, status);
  }

  /** Closes each file once no request uses it any more. */
  async #release(outcome: AbortedOutcome): Promise<void> {
    const close = async (object: OpenObject): Promise<void> => {
      await this.#order.released(object.identity);
      await this.#readAhead.idle(object);
      try {
        await closeObject(object, outcome);
      } catch (error) {
        this.#logger.warn({ err: error }, "a file could not be closed");
      }
    };
    await Promise.all(this.#context.handles.takeAll(outcome).map(close));
    await this.#order.drained();
    this.#ended();
  }
}

function findKind(type: number, fields: Reader): RequestKind | undefined {
  if (type !== PacketType.EXTENDED) return requestKinds.get(type);
  return extensions.get(fields.readString().toString("latin1"))?.kind;
}

interface Explanation {
  readonly status: StatusCode;
  readonly message: string;
}

/**
 * The explanation of a failure that is the client's own or its files'; `undefined` for a defect of this server or of
 * the file system, which may throw anything.
 */
function explain(error: unknown): Explanation | undefined {
  try {
    if (error instanceof ProtocolError) return { status: StatusCode.BAD_MESSAGE, message: "Bad message" };
    if (systemErrorCode(error) === undefined) return undefined;
    const failure = toFileError(error);
    const explanation = { status: statusOf(failure), message: failure.message };
    return isFailure(explanation) ? explanation : undefined;
  } catch {
    return undefined;
  }
}

function isFailure({ status, message }: Explanation): boolean {
  const isStatus = typeof status === "number" && StatusCode[status] !== undefined && status !== StatusCode.OK;
  return isStatus && typeof message === "string";
}

function endStream(stream: SFTPStream, status: 0 | 1): void {
  if (stream.destroyed) return;
  stream.sendExitStatus?.(status);
  if (stream.close !== undefined) stream.close();
  else stream.end();
}

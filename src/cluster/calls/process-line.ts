import type { MessageOptions, SendHandle } from "node:child_process";
import { setMaxListeners } from "node:events";
import { isError } from "../../base/is-error.js";
import { inLimitedTime } from "../../base/limited-time.js";
import { type Logger, stderrLogger } from "../../base/logger.js";
import { isThenable, type MaybePromise } from "../../base/maybe-promise.js";
import { LineError } from "./line-error.js";
import { type LineMessage, MAX_FAILURE_LENGTH, readLineMessage } from "./line-message.js";
import { MessageRate } from "./message-rate.js";
import type { Notice, Operation } from "./operation.js";

/** Calls that may wait for an answer, in each direction. */
export const MAX_CALLS = 1000;

/** Messages that may wait for the other process to read them. */
const MAX_UNSENT = 10_000;

/** Seconds. */
const DEFAULT_TIME = 5;

/** One end of a channel between two processes: `process` in a child, a `ChildProcess` in its parent. */
export interface ProcessEnd {
  readonly connected: boolean;
  readonly send?:
    | ((
        message: object,
        handle: SendHandle | undefined,
        options: object,
        sent: (error: Error | null) => void,
      ) => boolean)
    | undefined;
  on(event: "message", listener: (message: unknown, handle: unknown) => void): unknown;
  on(event: "disconnect", listener: () => void): unknown;
  /** What Node.js says to itself in the other process. */
  on(event: "internalMessage", listener: (message: unknown) => void): unknown;
  off(event: "message", listener: (message: unknown, handle: unknown) => void): unknown;
  off(event: "disconnect", listener: () => void): unknown;
  off(event: "internalMessage", listener: (message: unknown) => void): unknown;
}

export interface ProcessLineOptions {
  /** The other process, for errors and the log: `worker 2`, `the primary`. */
  readonly peer: string;
  readonly logger?: Pick<Logger, "warn">;
}

export interface CallOptions<Answer> {
  /** Seconds until the call fails. Default 5. */
  readonly seconds?: number;
  /** Fails the call with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Gets an answer that comes when the call has failed: to give back what was taken. */
  readonly late?: (answer: Answer) => void;
}

/** What comes with a call. */
export interface Asked {
  /** Fires when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

interface Answerer {
  readonly operation: Operation<unknown, unknown>;
  readonly handler: (request: unknown, asked: Asked) => MaybePromise<unknown>;
}

interface Hearer {
  readonly notice: Notice<unknown>;
  readonly handler: (value: unknown, handle: SendHandle | undefined) => void;
}

interface Waiting {
  readonly answered: (value: unknown) => void;
  readonly failed: (error: LineError) => void;
}

/** A handle that has been sent, and of which it is not known whether it has arrived. */
interface Handing {
  /** It has left this process, so that what Node.js says of a handle is about this one: they go one after the other. */
  hasLeft: boolean;
  readonly settled: (outcome: "arrived" | "lost") => void;
}

/**
 * Calls and notices between two processes, over the channel that Node.js has between a process and its child. It ends
 * when the channel closes, and when the other process breaks the rules: a message that cannot be read, more calls than
 * may wait, more messages than anybody needs, or none read. Then all calls fail, and the owner ends the other process.
 */
export class ProcessLine {
  readonly #end: ProcessEnd;
  readonly #peer: string;
  readonly #logger: Pick<Logger, "warn">;
  readonly #over = new AbortController();
  readonly #answerers = new Map<string, Answerer>();
  readonly #hearers = new Map<string, Hearer>();
  /** Calls to the other process, by number; also those that nobody waits for here, until they are answered. */
  readonly #waiting = new Map<number, Waiting>();
  /** Calls of the other process, by its numbers, until their answers have left. */
  readonly #answering = new Map<number, AbortController>();
  readonly #rate = new MessageRate();
  #handing: Handing | undefined;
  #lastId = 0;
  #unsent = 0;
  /** Each waits until all is sent. */
  readonly #emptied: (() => void)[] = [];

  /** Operations and notices are to be registered at once: what comes before fails. */
  constructor(end: ProcessEnd, { peer, logger = stderrLogger }: ProcessLineOptions) {
    this.#end = end;
    this.#peer = peer;
    this.#logger = logger;
    setMaxListeners(0, this.signal);
    if (!end.connected) {
      this.#finish("the channel is closed");
      return;
    }
    end.on("message", this.#receive);
    end.on("disconnect", this.#disconnected);
    end.on("internalMessage", this.#acknowledged);
  }

  /** Fires with a `LineError` when the line is over, whoever ended it. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /**
   * Answers calls of the other process. What the handler throws is a line in the log here, and fails the call there.
   */
  answer<Request, Answer>(
    operation: Operation<Request, Answer>,
    handler: (request: Request, asked: Asked) => MaybePromise<Answer>,
  ): void {
    this.#answerers.set(operation.name, { operation, handler } as Answerer);
  }

  /** Hears notices of the other process. The handler does not wait for anything, so that none pile up. */
  hear<Value>(notice: Notice<Value>, handler: (value: Value, handle: SendHandle | undefined) => void): void {
    this.#hearers.set(notice.name, { notice, handler } as Hearer);
  }

  /**
   * Asks the other process.
   *
   * @returns rejects with a {@link LineError}, or the reason of the signal
   */
  async call<Request, Answer>(
    { name, answer }: Operation<Request, Answer>,
    request: Request,
    { seconds = DEFAULT_TIME, signal, late }: CallOptions<Answer> = {},
  ): Promise<Answer> {
    const overdue = () => new LineError("late", `${this.#peer} has not answered ${name} in ${seconds} s`);
    return inLimitedTime(
      { milliseconds: 1000 * seconds, overdue, signals: [this.signal, signal] },
      async (stopped) => {
        const value = await this.#ask(name, request, stopped);
        try {
          return answer(value);
        } catch (cause) {
          throw new LineError("malformed", `${this.#peer} has given no answer to ${name}`, { cause });
        }
      },
      late,
    );
  }

  /**
   * Tells the other process something.
   *
   * @returns `false` when the line is over, and nothing was sent
   */
  notify<Value>({ name }: Notice<Value>, value: Value): boolean {
    return this.#send({ spindlex: "notice", name, value });
  }

  /**
   * Tells the other process something, and sends a socket or server with it. The handle stays open here, too, for the caller to
   * close: Node.js would leave it open for ever if the other process died meanwhile. To be called for one handle after the
   * other.
   *
   * @param settled hears what Node.js says has become of it: the other process has got it before it does anything with it, or could
   *   not, which is so where it has no file descriptor left. Nothing is heard where the line ends, or a later Node.js says nothing.
   * @returns `false` when the line is over, and nothing was sent
   */
  hand<Value>(
    { name }: Notice<Value>,
    value: Value,
    handle: SendHandle,
    settled: (outcome: "arrived" | "lost") => void,
  ): boolean {
    const handing: Handing = { hasLeft: false, settled };
    this.#handing = handing;
    return this.#send({ spindlex: "notice", name, value }, handle, { keepOpen: true }, () => {
      handing.hasLeft = true;
    });
  }

  /** Resolves when all that was told has left this process, or the line is over. */
  sent(): Promise<void> {
    if (this.#unsent === 0 || this.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => this.#emptied.push(resolve));
  }

  /** Ends the line; the channel stays open. @param reason for the log and the errors of calls */
  end(reason: string): void {
    this.#finish(reason);
  }

  #ask(name: string, value: unknown, stopped: AbortSignal): Promise<unknown> {
    if (this.#waiting.size >= MAX_CALLS) {
      throw new LineError("busy", `${this.#peer} has ${MAX_CALLS} calls to answer already`);
    }
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { answered: resolve, failed: reject });
      stopped.addEventListener("abort", () => {
        if (this.#waiting.has(id)) this.#send({ spindlex: "cancel", id });
      });
      try {
        this.#send({ spindlex: "call", id, name, value });
      } catch (error) {
        this.#waiting.delete(id);
        throw error;
      }
    });
  }

  /** @throws when Node.js cannot send the value or the handle */
  #send(message: LineMessage, handle?: SendHandle, options: MessageOptions = {}, sent?: () => void): boolean {
    if (this.signal.aborted || this.#end.send === undefined) return false;
    const done = (error: Error | null) => {
      if (--this.#unsent === 0) this.#allSent();
      if (error !== null) this.#finish("the channel is closed");
      else sent?.();
    };
    this.#end.send(message, handle, options, done);
    if (++this.#unsent > MAX_UNSENT) this.#broken("it does not read");
    return true;
  }

  readonly #receive = (received: unknown, given: unknown): void => {
    const handle = given as SendHandle | undefined;
    let isTaken = false;
    try {
      const message = readLineMessage(received);
      if (message === undefined) {
        isTaken = true;
        return;
      }
      if (message.spindlex === "call") this.#rate.called();
      else if (this.#rate.isExceeded()) {
        this.#broken("it sends too many messages");
        return;
      }
      isTaken = this.#take(message, handle);
    } catch {
      this.#broken("it has sent what cannot be read");
    } finally {
      if (!isTaken) destroy(handle);
    }
  };

  /** @returns whether a handler has got the handle, if there is one */
  #take(message: LineMessage, handle: SendHandle | undefined): boolean {
    switch (message.spindlex) {
      case "call":
        this.#takeCall(message.id, message.name, message.value);
        return false;
      case "notice":
        return this.#takeNotice(message.name, message.value, handle);
      case "cancel":
        this.#answering.get(message.id)?.abort(new LineError("gone", "nobody waits for the answer"));
        return false;
      default: {
        const waiting = this.#waiting.get(message.id);
        if (!this.#waiting.delete(message.id)) this.#broken("it has answered what it was not asked");
        else if (message.spindlex === "answer") waiting?.answered(message.value);
        else waiting?.failed(new LineError("failed", `${this.#peer}: ${message.message}`));
        return false;
      }
    }
  }

  #takeNotice(name: string, value: unknown, handle: SendHandle | undefined): boolean {
    const hearer = this.#hearers.get(name);
    // It may be of a part of the program that this process does not run.
    if (hearer === undefined) return false;
    const read = hearer.notice.value(value);
    try {
      hearer.handler(read, handle);
    } catch (err) {
      this.#logger.warn({ err, peer: this.#peer, notice: name }, "a notice could not be handled");
    }
    return true;
  }

  #takeCall(id: number, name: string, value: unknown): void {
    // The other process may know of an answer before this one knows that it has left.
    if (this.#answering.size >= 2 * MAX_CALLS || this.#answering.has(id)) {
      this.#broken("it asks too much");
      return;
    }
    const stop = new AbortController();
    this.#answering.set(id, stop);
    const answered = (message: LineMessage) => this.#send(message, undefined, {}, () => this.#answering.delete(id));
    const answerer = this.#answerers.get(name);
    if (answerer === undefined) {
      answered({ spindlex: "failure", id, message: "there is no such operation" });
      return;
    }
    const request = answerer.operation.request(value);
    const succeeded = (answer: unknown) => answered({ spindlex: "answer", id, value: answer });
    const failed = (err: unknown) => {
      if (!stop.signal.aborted)
        this.#logger.warn({ err, peer: this.#peer, call: name }, "a call could not be answered");
      const message = isError(err) ? err.message : "unknown error";
      answered({ spindlex: "failure", id, message: message.slice(0, MAX_FAILURE_LENGTH) });
    };
    try {
      const answer = answerer.handler(request, { signal: stop.signal });
      if (isThenable(answer)) answer.then(succeeded).catch(failed);
      else succeeded(answer);
    } catch (error) {
      failed(error);
    }
  }

  readonly #acknowledged = (message: unknown): void => {
    if (typeof message !== "object" || message === null || !("cmd" in message)) return;
    const { cmd } = message;
    if (!this.#handing?.hasLeft || (cmd !== "NODE_HANDLE_ACK" && cmd !== "NODE_HANDLE_NACK")) return;
    const { settled } = this.#handing;
    this.#handing = undefined;
    settled(cmd === "NODE_HANDLE_ACK" ? "arrived" : "lost");
  };

  readonly #disconnected = (): void => this.#finish("the channel is closed");

  #allSent(): void {
    for (const resolve of this.#emptied.splice(0)) resolve();
  }

  #broken(reason: string): void {
    if (this.signal.aborted) return;
    this.#logger.warn(
      { peer: this.#peer, reason },
      "another process does not keep to the rules: it is not heard any more",
    );
    this.#finish(reason);
  }

  #finish(reason: string): void {
    if (this.signal.aborted) return;
    this.#end.off("message", this.#receive);
    this.#end.off("disconnect", this.#disconnected);
    this.#end.off("internalMessage", this.#acknowledged);
    const error = new LineError("gone", `${this.#peer} cannot be asked: ${reason}`);
    this.#over.abort(error);
    this.#waiting.clear();
    for (const stop of this.#answering.values()) stop.abort(error);
    this.#answering.clear();
    this.#allSent();
  }
}

function destroy(handle: SendHandle | undefined): void {
  if (handle === undefined || handle === null) return;
  if ("destroy" in handle && typeof handle.destroy === "function") handle.destroy();
  else if ("close" in handle && typeof handle.close === "function") handle.close();
}

import { setImmediate } from "node:timers/promises";
import { CommandLineError } from "../base/command-line.js";
import { isError } from "../base/is-error.js";
import { portOf } from "../connection/channel.js";
import { checkExitStatus, ExitError } from "./exit-error.js";
import { HandlerChain } from "./handler-chain.js";
import { Overtime } from "./overtime.js";
import { Session } from "./session.js";
import { reportedEnd, type SessionChannel } from "./session-channel.js";
import type { Middleware } from "./session-handler.js";
import type { SessionHost } from "./session-host.js";
import { SessionLife } from "./session-life.js";
import { outcomeOf } from "./session-outcome.js";
import type { SessionRequest } from "./session-request.js";
import { safely, saysItIsOver } from "./thrown.js";

/** The line that a client sees of an error that is not meant for it. */
const INTERNAL_ERROR = "internal error";

/** The work of a session. */
export interface SessionWork<Data> {
  readonly middleware: readonly Middleware<Data>[];
  /** The name of the innermost handler, for the log. */
  readonly name: string;
  /** @returns what `SessionResult` allows, or anything else, which is an error */
  handle(session: Session<Data>): unknown;
}

/** A session that is being served. */
export interface ServedSession {
  /** Resolves when nothing of it is left, or its handler has had its time. */
  readonly ended: Promise<void>;
  /** The server is being stopped: the handler is told. */
  shutDown(): void;
  /** The server waits no longer: a handler that goes on is reported. */
  giveUp(): void;
}

/** Serves a session: calls its handler in the middleware, and reports the outcome. Never throws, and `ended` never rejects. */
export function serveSession<Data>(
  channel: SessionChannel,
  request: SessionRequest,
  work: SessionWork<Data>,
  host: SessionHost,
): ServedSession {
  const life = new SessionLife(channel, host);
  const session = new Session<Data>(life, request);
  const failures = new Failures(life, work.name);
  let gaveNothing = false;
  const chain = new HandlerChain(
    work.middleware,
    {
      name: work.name,
      run: async () => {
        try {
          const result = await work.handle(session);
          // A handler may have told the channel itself, as those of files do.
          const reported = result === undefined ? reportedEnd(channel) : undefined;
          const outcome = reported ?? outcomeOf(result);
          gaveNothing = result === undefined && reported === undefined;
          if (!life.exited) life.outcome = outcome;
        } catch (error) {
          failures.thrown(error);
          throw error;
        }
      },
    },
    host.failed,
  );
  const conduct = async () => {
    // The client gets the reply to its request first.
    await setImmediate();
    portOf(channel).work = ended;
    try {
      await chain.run(session);
      // Middleware that catches an error answers for it by an outcome of its own.
      if (life.exited) failures.forget();
    } catch (error) {
      failures.thrown(error);
    }
    await life.settle();
    life.reportLostEnds(gaveNothing);
  };
  const conducted = conduct();
  const finish = async () => {
    await conducted;
    await life.exit(life.outcome ?? { status: 0 }, failures.report());
    life.release();
  };
  const overtime = new Overtime(life, conducted, () => chain.running ?? "deferred work");
  const ended: Promise<void> = Promise.race([finish(), overtime.reported]);
  return { ended, shutDown: () => life.abort("shutdown"), giveUp: () => overtime.report() };
}

/** The error of a session's handler, until its outcome is reported. */
class Failures {
  readonly #life: SessionLife;
  readonly #name: string;
  #error: { readonly thrown: unknown } | undefined;

  constructor(life: SessionLife, name: string) {
    this.#life = life;
    this.#name = name;
  }

  /** The last one counts: middleware may replace it. An outcome that `exit` has set remains. */
  thrown(error: unknown): void {
    this.#error = { thrown: error };
    if (!this.#life.exited) this.#life.outcome = { status: exitOf(error)?.status ?? 1 };
  }

  forget(): void {
    this.#error = undefined;
  }

  /** Writes the log. @returns the text for the client */
  report(): string {
    if (this.#error === undefined) return "";
    const { thrown } = this.#error;
    const exit = exitOf(thrown);
    if (exit !== undefined) {
      if (thrown instanceof CommandLineError)
        this.#life.host.log("info", "a command line could not be run", { reason: exit.text });
      return exit.text;
    }
    if (this.#life.signal.aborted && saysItIsOver(thrown)) {
      this.#life.host.log("debug", "a session's handler was ended by the end of its session", { err: thrown });
      return "";
    }
    this.#life.host.failed(this.#name, thrown);
    return INTERNAL_ERROR;
  }
}

/**
 * What an ExitError says, or an error about the client's own command line; `undefined` for other errors, and for one that
 * was changed into something that cannot be told.
 */
function exitOf(error: unknown): { readonly status: number; readonly text: string } | undefined {
  return safely(() => {
    if (!isError(error) || !(error instanceof ExitError || error instanceof CommandLineError)) return undefined;
    const { status } = error;
    const text: unknown = error.message;
    return typeof text === "string" ? { status: checkExitStatus(status), text } : undefined;
  }, undefined);
}

import { endReasonOf, noteEndReason } from "../base/end-reasons.js";
import { waitAtMost } from "../base/limited-time.js";
import { loggedText } from "../base/logged-text.js";
import { type Logger, writingInfo } from "../base/logger.js";
import { ProbeServer } from "../probes/probe-server.js";
import { runProgram } from "../process/run-program.js";
import { SCPServer } from "../scp/scp-server.js";
import { nameOf } from "../session/handler-chain.js";
import { type ServedSession, type SessionWork, serveSession } from "../session/serve-session.js";
import type { Session } from "../session/session.js";
import type { SessionChannel } from "../session/session-channel.js";
import type { SessionHost } from "../session/session-host.js";
import { thrownError } from "../session/thrown.js";
import { SFTPServer } from "../sftp/server/sftp-server.js";
import { ConnectionLog } from "./connection-log.js";
import { type DeclaredProgram, takeProgram } from "./declared-program.js";
import type { SessionDeclaration } from "./session-declaration.js";

/** The sessions of a server. */
interface Sessions {
  /** Those that are not over, each with the promise of its end: its client has closed it, or is gone. */
  readonly served: Map<ServedSession, Promise<unknown>>;
  /** The server is shutting down. */
  areOver: boolean;
}

/** Runs the sessions of a server that are declared. */
export class SessionRunner {
  readonly #declaration: SessionDeclaration;
  readonly #logger: Logger;
  #sessions: Sessions = { served: new Map(), areOver: false };

  /** @param logger of the manager */
  constructor(declaration: SessionDeclaration, logger: Logger) {
    this.#declaration = declaration;
    this.#logger = logger;
  }

  /** Takes the place of another one, which begins no more sessions. */
  succeed(runner: SessionRunner): void {
    this.#sessions = runner.#sessions;
  }

  /** Passes on the answer of a hook, and runs what the declaration behind it has allowed. */
  begin(channel: SessionChannel, decision: boolean | Promise<boolean>): boolean | Promise<boolean> {
    const settle = (allowed: boolean) => {
      const program = takeProgram(channel);
      if (!allowed || program === undefined) return allowed;
      return !this.#sessions.areOver && this.#run(channel, program);
    };
    return decision instanceof Promise ? decision.then(settle) : settle(decision);
  }

  /**
   * Tells all sessions that the server is being stopped, and lets none begin.
   *
   * @param milliseconds that they get to end
   * @returns resolves when they have ended and their clients know it, or the time is over
   */
  async shutDown(milliseconds: number): Promise<void> {
    this.#sessions.areOver = true;
    const served = [...this.#sessions.served.keys()];
    const over = [...this.#sessions.served.values()];
    for (const session of served) session.shutDown();
    if (served.length === 0 || milliseconds === 0) return;
    await waitAtMost(milliseconds, Promise.all(over));
    for (const session of served) session.giveUp();
  }

  /** The server may be started again. */
  restart(): void {
    this.#sessions.areOver = false;
  }

  #run(channel: SessionChannel, program: DeclaredProgram): boolean {
    if (channel.destroyed || channel.signal.aborted) return false;
    const work = { middleware: this.#declaration.middleware, ...this.#handler(program) };
    const served = serveSession(channel, program.request, work, hostOf(channel, program.request.kind, this.#logger));
    // A client that is disconnected before it has closed its session loses the exit status.
    const closed = new Promise<void>((resolve) => {
      channel.signal.addEventListener("abort", () => resolve(), { once: true });
      channel.once("close", resolve);
    });
    const { served: all } = this.#sessions;
    const over = Promise.all([served.ended, closed]).then(() => all.delete(served));
    all.set(served, over);
    return true;
  }

  #handler(program: DeclaredProgram): Omit<SessionWork<unknown>, "middleware"> {
    switch (program.kind) {
      case "session": {
        const { session } = this.#declaration;
        return { name: nameOf(session ?? { name: "" }, "session"), handle: (opened) => session?.(opened) };
      }
      case "sftp":
        return {
          name: "sftp",
          handle: (session) => untilClosed(session, new SFTPServer(session.channel, program.files)),
        };
      case "scp":
        return {
          name: "scp",
          handle: (session) => untilClosed(session, new SCPServer(session.channel, program.command, program.files)),
        };
      case "probe":
        return {
          name: "probe",
          handle: (session) => untilClosed(session, new ProbeServer(session.channel, program.command, program.files)),
        };
    }
  }
}

function hostOf(channel: SessionChannel, kind: string, logger: Logger): SessionHost {
  const { connection, id } = channel;
  const own = new ConnectionLog(logger, connection);
  const asked = new ConnectionLog(writingInfo(logger), connection);
  const log: SessionHost["log"] = (level, message, fields) => own[level]({ channel: id, kind, ...fields }, message);
  return {
    run: runProgram,
    endReason: ({ connection }) => endReasonOf(connection),
    log,
    tell: (message, fields) => asked.info({ channel: id, kind, ...fields }, message),
    failed: (what, error) =>
      log("error", "a session's handler has failed", { handler: loggedText(what), err: thrownError(error) }),
  };
}

/** A transfer of files ends at once when the server does. It learns by itself when a client is gone. */
async function untilClosed(session: Session, server: { readonly closed: Promise<void> }): Promise<void> {
  const cut = () => {
    if (session.signal.reason.reason !== "shutdown") return;
    noteEndReason(session.channel.connection, "shutdown");
    session.channel.destroy();
  };
  session.signal.addEventListener("abort", cut, { once: true });
  await server.closed;
  session.signal.removeEventListener("abort", cut);
}

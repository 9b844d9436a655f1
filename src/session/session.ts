import type { Readable, Writable } from "node:stream";
import type { Identity } from "../auth/authenticator.js";
import { OF_ANOTHER_COPY } from "../base/another-copy.js";
import { commandWords } from "../base/command-line.js";
import type { GivenOptions } from "../base/given-options.js";
import type { MaybePromise } from "../base/maybe-promise.js";
import type { Connection } from "./connection.js";
import { checkExitStatus } from "./exit-error.js";
import type { ForwardedAgent } from "./forwarded-agent.js";
import type { ProgramEnd } from "./program-end.js";
import type { ProgramCommand, ProgramOptions } from "./program-runner.js";
import type { SessionChannel } from "./session-channel.js";
import type { SessionHost } from "./session-host.js";
import type { SessionLife } from "./session-life.js";
import { checkSignalName } from "./session-outcome.js";
import type { SessionRequest } from "./session-request.js";
import type { SessionTerminal } from "./terminal/session-terminal.js";

/** Writes a line about a session that the program has asked for. */
export let tellOf: (session: Session) => SessionHost["tell"];

/**
 * What a client wants to run, and the place to run it. The handler that gets it is the program: the session lasts as long as
 * the handler, and its result is the exit status.
 *
 * @template Data the type of `data`, which the login has given (`new Grant({ data })`)
 */
export class Session<Data = unknown> {
  static {
    tellOf = (session) => {
      if (!(#life in session)) throw new TypeError(`the session ${OF_ANOTHER_COPY}`);
      return session.#life.host.tell;
    };
  }

  /** The channel, for what has no name here. Output that is written to it does not wait for what `stdout` holds back. */
  readonly channel: SessionChannel<Data>;
  readonly #life: SessionLife;
  readonly #identity: Identity<Data>;
  readonly #request: SessionRequest;

  /** @internal Sessions are made by the library. */
  constructor(life: SessionLife, request: SessionRequest) {
    // The login has given data of the type that its declaration has, which is that of the handler.
    const channel = life.channel as SessionChannel<Data>;
    const { identity } = channel.connection;
    if (identity === undefined) throw new Error("a session belongs to somebody who has logged in");
    this.channel = channel;
    this.#life = life;
    this.#identity = identity as Identity<Data>;
    this.#request = request;
  }

  /** The connection of the client. */
  get connection(): Connection<Data> {
    return this.channel.connection;
  }

  /** The user who has logged in, and by which methods and keys. */
  get identity(): Identity<Data> {
    return this.#identity;
  }

  /** The name of the user. */
  get user(): string {
    return this.#identity.username;
  }

  /** Whatever the login has given by `new Grant({ data })`. */
  get data(): Data {
    return this.#identity.data;
  }

  /**
   * `exec` has a command, `shell` has none, `subsystem` has a name. `sftp` and `scp` are served by the library: only middleware
   * sees them.
   */
  get kind(): SessionRequest["kind"] {
    return this.#request.kind;
  }

  /** The command; bytes that are not UTF-8 are replaced. `undefined` for a shell and a subsystem. */
  get command(): string | undefined {
    return this.commandBytes?.toString();
  }

  /** The command as the client has sent it. */
  get commandBytes(): Buffer | undefined {
    return this.#request.command;
  }

  /**
   * The words of the command as a POSIX shell would read them; none for a shell and a subsystem. Patterns stay as they are.
   *
   * @throws {CommandLineError} where only a shell could run the command, or a quote does not end
   */
  argv(): string[] {
    return this.command === undefined ? [] : commandWords(this.command);
  }

  /** The command that the client has asked for, where the login has forced another one (`forceCommand`). */
  get originalCommand(): string | undefined {
    return this.channel.originalCommand?.toString();
  }

  /** The name of the subsystem, if one is asked for. */
  get subsystem(): string | undefined {
    return this.#request.subsystem;
  }

  /** Variables: those of the login, and those of the client that are permitted. Bytes that are not UTF-8 are replaced. */
  get env(): Readonly<Record<string, string | undefined>> {
    const variables: Record<string, string> = Object.create(null);
    for (const [name, value] of this.channel.environment) variables[name] = value.toString();
    return variables;
  }

  /** The input of the client, until its EOF. With a terminal, that of the terminal. */
  get stdin(): Readable {
    return this.#life.streams.stdin;
  }

  /** Output for the client. Its end does not end the session. With a terminal, that of the terminal. */
  get stdout(): Writable {
    return this.#life.streams.stdout;
  }

  /** Error output for the client. With a terminal, that of the terminal. */
  get stderr(): Writable {
    return this.#life.streams.stderr;
  }

  /** The client's terminal, if it has asked for one. */
  get terminal(): SessionTerminal | undefined {
    return this.#life.streams.terminal;
  }

  /** The client's agent, where its forwarding was asked for and allowed (`ssh -A`). */
  get agent(): ForwardedAgent | undefined {
    return this.channel.agent;
  }

  /**
   * Fires when the work has to end: the client is gone, the server is being stopped, or the session has exited. Its reason is a
   * SessionEndedError.
   */
  get signal(): AbortSignal {
    return this.#life.signal;
  }

  /**
   * The signals that the client sends from now on, without SIG: `INT`, `TERM`, … The latest 64 wait to be read. Where nobody
   * reads them and no program runs, one that ends a process ends the session.
   */
  signals(): AsyncIterableIterator<string> {
    return this.#life.signals.values();
  }

  /** The breaks that the client asks for (RFC 4335), in milliseconds, as `signals`. Where nobody reads them, they are refused. */
  get breaks(): AsyncIterable<number> {
    return { [Symbol.asyncIterator]: () => this.#life.breaks.values() };
  }

  /** The outcome, once it is known: for middleware, when `next` has returned. */
  get outcome(): ProgramEnd | undefined {
    return this.#life.outcome;
  }

  /**
   * Runs a program for the client: on a terminal if the client has one, else on pipes. The program belongs to the session, which
   * lasts until it has ended.
   *
   * @param command the program and its arguments, or `{ shell: text }` for a shell
   * @param options may be left out; `undefined`, where a user was looked up and not found, is a ConfigurationError
   * @returns the end of the program, which the handler may return. Rejects with a SessionEndedError where the session has ended
   */
  run(command: ProgramCommand, ...options: GivenOptions<ProgramOptions>): Promise<ProgramEnd> {
    return this.#life.run(command, options);
  }

  /**
   * Work that belongs to the session. A function is called when the handler has ended, the last one first, and at once where the
   * session has ended; a promise is waited for. What they throw is logged and changes no outcome.
   */
  defer(work: Promise<unknown> | (() => MaybePromise<unknown>)): void {
    this.#life.defer(work);
  }

  /**
   * Ends the session with this status, behind all output, and fires its signal. Programs that `run` has started are ended as if the
   * client had gone. The first outcome counts; what the handler returns later does not.
   *
   * @throws {RangeError} when the status is not an integer from 0 to 255
   */
  exit(status: number): void {
    void this.#life.exit({ status: checkExitStatus(status) });
  }

  /**
   * The same for a program that a signal has ended.
   *
   * @param name with or without SIG in front: `TERM`, `SIGKILL`, …
   * @throws {TypeError} when it cannot be the name of a signal
   */
  exitSignal(name: string): void {
    void this.#life.exit({ signal: checkSignalName(name) });
  }
}

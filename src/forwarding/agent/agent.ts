import { setMaxListeners } from "node:events";
import { inLimitedTime } from "../../base/limited-time.js";
import { checkInteger, checkOptions } from "../../base/option-checks.js";
import { ChannelOpenError } from "../../connection/channel-open-error.js";
import { type AnswerOptions, checkAnswerOptions } from "../../connection/outgoing-request.js";
import { mayBeIgnored } from "../../connection/pending-answer.js";
import type { PKey } from "../../crypto/pkey/pkey.js";
import type { AnyChannel } from "../../session/connection.js";
import type { AgentKey, AgentSignOptions, AgentSocketOptions, ForwardedAgent } from "../../session/forwarded-agent.js";
import type { SessionChannel } from "../../session/session-channel.js";
import type { Owner } from "../private-folder.js";
import { AGENT_TIMEOUT, AgentClient, agentTimeLimit } from "./agent-client.js";
import { AgentError } from "./agent-error.js";
import { type AgentReport, AgentSocket } from "./agent-socket.js";

/** The type of the channels that lead to a client's agent, where it has asked with `auth-agent-req@openssh.com`. */
const AGENT_CHANNEL = "auth-agent@openssh.com";

/** The largest number of a user or group: the one above stands for none (chown(2)). */
const MAX_ID = 2 ** 32 - 2;

/** The agent of a client that forwards it on a session. All of it ends with the session's channel. */
export class Agent implements ForwardedAgent {
  readonly #channel: SessionChannel;
  readonly #report: AgentReport;
  readonly #client: AgentClient;
  readonly #end = new AbortController();
  #socket: Promise<string> | undefined;

  constructor(channel: SessionChannel, report: AgentReport) {
    this.#channel = channel;
    this.#report = report;
    this.#client = new AgentClient((signal) => this.#openStream({ signal }));
    setMaxListeners(0, this.#end.signal);
    const end = () => this.#end.abort(new AgentError("closed", "the session has ended"));
    if (channel.signal.aborted) end();
    else channel.signal.addEventListener("abort", end, { once: true });
  }

  openStream(options: AnswerOptions = {}): Promise<AnyChannel> {
    return mayBeIgnored(this.#openStream(options));
  }

  list(options?: AnswerOptions): Promise<readonly AgentKey[]> {
    return mayBeIgnored(this.#client.list(options));
  }

  sign(key: AgentKey | PKey, data: Uint8Array, options?: AgentSignOptions): Promise<Buffer> {
    return mayBeIgnored(this.#client.sign(key, data, options));
  }

  listen(options: AgentSocketOptions = {}): Promise<string> {
    this.#socket ??= mayBeIgnored(this.#listen(options).catch((error) => this.#notListening(error)));
    return this.#socket;
  }

  async #openStream(options: AnswerOptions): Promise<AnyChannel> {
    const { signal } = checkAnswerOptions(options);
    const ended = this.#end.signal;
    const channel = await inLimitedTime(agentTimeLimit(AGENT_TIMEOUT, [signal, ended]), (end) => this.#open(end));
    const destroy = () => channel.destroy();
    ended.addEventListener("abort", destroy, { once: true });
    channel.once("close", () => ended.removeEventListener("abort", destroy));
    return channel;
  }

  async #open(signal: AbortSignal): Promise<AnyChannel> {
    try {
      return await this.#channel.connection.openChannel(AGENT_CHANNEL, undefined, { signal });
    } catch (error) {
      const reason = error instanceof ChannelOpenError ? error.message : "the connection does not take the request";
      throw new AgentError("refused", `there is no channel to the client's agent: ${reason}`, { cause: error });
    }
  }

  async #listen(options: AgentSocketOptions): Promise<string> {
    const { path } = await AgentSocket.listen({
      owner: resolveOwner(options),
      openStream: () => this.openStream(),
      signal: this.#end.signal,
      report: this.#report,
    });
    this.#channel.environment.set("SSH_AUTH_SOCK", Buffer.from(path));
    return path;
  }

  /** The next call tries again. */
  #notListening(error: unknown): never {
    this.#socket = undefined;
    throw error;
  }
}

/** @throws {ConfigurationError} naming the option that cannot be used */
function resolveOwner(options: AgentSocketOptions): Owner | undefined {
  const { uid, gid } = checkOptions(options, ["uid", "gid"]);
  const id = (name: "uid" | "gid", value: number | undefined) =>
    value === undefined ? -1 : checkInteger(name, value, 0, MAX_ID);
  return uid === undefined && gid === undefined ? undefined : { uid: id("uid", uid), gid: id("gid", gid) };
}

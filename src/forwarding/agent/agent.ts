import { inLimitedTime } from "../../base/limited-time.js";
import { ChannelOpenError } from "../../connection/channel-open-error.js";
import { type AnswerOptions, checkAnswerOptions } from "../../connection/outgoing-request.js";
import { mayBeIgnored } from "../../connection/pending-answer.js";
import type { PKey } from "../../crypto/pkey/pkey.js";
import type { AnyChannel } from "../../session/connection.js";
import type { FileOwner } from "../../session/file-owner.js";
import type { AgentKey, AgentSignOptions, ForwardedAgent } from "../../session/forwarded-agent.js";
import type { SessionChannel } from "../../session/session-channel.js";
import { checkFileOwner } from "../file-owner.js";
import type { SessionForwardingLog } from "../forwarding-log.js";
import { sessionLifetime } from "../session-lifetime.js";
import { AGENT_TIMEOUT, AgentClient, agentTimeLimit } from "./agent-client.js";
import { AgentError } from "./agent-error.js";
import { AgentSocket } from "./agent-socket.js";

/** The type of the channels that lead to a client's agent, where it has asked with `auth-agent-req@openssh.com`. */
const AGENT_CHANNEL = "auth-agent@openssh.com";

/** The agent of a client that forwards it on a session. All of it ends with the session's channel. */
export class Agent implements ForwardedAgent {
  readonly #channel: SessionChannel;
  readonly #log: SessionForwardingLog;
  readonly #client: AgentClient;
  readonly #lifetime: AbortSignal;
  #socket: Promise<string> | undefined;

  constructor(channel: SessionChannel, log: SessionForwardingLog) {
    this.#channel = channel;
    this.#log = log;
    this.#client = new AgentClient((signal) => this.#openStream({ signal }));
    this.#lifetime = sessionLifetime(channel, () => new AgentError("closed", "the session has ended"));
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

  listen(owner: FileOwner = {}): Promise<string> {
    return mayBeIgnored(this.#listenOnce(owner));
  }

  async #openStream(options: AnswerOptions): Promise<AnyChannel> {
    const { signal } = checkAnswerOptions(options);
    return inLimitedTime(
      agentTimeLimit(AGENT_TIMEOUT, [signal, this.#lifetime]),
      async (end) => this.#endingWithSession(await this.#open(end)),
      (late) => late.destroy(),
    );
  }

  #endingWithSession(channel: AnyChannel): AnyChannel {
    const destroy = () => channel.destroy();
    this.#lifetime.addEventListener("abort", destroy, { once: true });
    channel.once("close", () => this.#lifetime.removeEventListener("abort", destroy));
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

  async #listenOnce(options: FileOwner): Promise<string> {
    const owner = checkFileOwner(options);
    this.#socket ??= this.#listen(owner).catch((error) => this.#notListening(error));
    return this.#socket;
  }

  async #listen(owner: FileOwner): Promise<string> {
    const { path } = await AgentSocket.listen({
      owner,
      openStream: () => this.openStream(),
      signal: this.#lifetime,
      log: this.#log,
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

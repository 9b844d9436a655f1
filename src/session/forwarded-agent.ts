import type { AnswerOptions } from "../connection/outgoing-request.js";
import type { HostKey } from "../crypto/pkey/host-key.js";
import type { PKey } from "../crypto/pkey/pkey.js";
import type { AnyChannel } from "./connection.js";
import type { FileOwner } from "./file-owner.js";

/** A key in an agent: it signs as a `PKey` does, only that the agent has the private half. */
export interface AgentKey extends HostKey {
  /** Free text that the agent has for the key, control characters replaced. It comes from the client and may be long. */
  readonly comment: string;
  /** The public half, a certificate where the key is one; `undefined` where this library cannot read it, or it is weak. */
  readonly publicKey: PKey | undefined;
  /** Those of `publicKey`; none without it. */
  readonly signatureAlgorithms: readonly string[];
  /**
   * Asks the agent for a signature.
   *
   * @param signatureAlgorithm one of `signatureAlgorithms`, the first by default
   * @returns the signature as in RFC 4253 §6.6. Rejects as `ForwardedAgent.sign` does
   */
  sign(data: Buffer, signatureAlgorithm?: string): Promise<Buffer>;
}

/** Options of `ForwardedAgent.sign`. */
export interface AgentSignOptions extends AnswerOptions {
  /** One of the key's `signatureAlgorithms`, the first by default. */
  readonly algorithm?: string;
}

/**
 * The agent of a client that forwards it (`ssh -A`; RFC 9987). Each operation takes a
 * channel of its own, which counts as one of `maxChannels`, and ends with the session.
 *
 * All methods reject with an AgentError, whose `code` tells why, or with the reason of their own `signal`.
 */
export interface ForwardedAgent {
  /** Opens a channel to the agent, for a program that speaks the protocol itself. The caller closes it. */
  openStream(options?: AnswerOptions): Promise<AnyChannel>;
  /** The keys of the agent: 2048 at most, in the order of the agent. */
  list(options?: AnswerOptions): Promise<readonly AgentKey[]>;
  /**
   * Has the agent sign; the person who owns it may have to confirm. The signature is verified.
   *
   * @param key one of `list()`, or any key that the agent may hold
   * @param data which has to fit into the 256 KiB of a request: more rejects with a RangeError
   * @returns the signature as in RFC 4253 §6.6
   */
  sign(key: AgentKey | PKey, data: Uint8Array, options?: AgentSignOptions): Promise<Buffer>;
  /**
   * Makes the agent's socket for programs, at the first call, and puts its path into `channel.environment` as
   * SSH_AUTH_SOCK. It lies in a directory that only its owner can enter, takes up to 32 connections at a time, and is gone
   * with the channel.
   *
   * @param owner of the socket and its directory, as the first call says
   * @returns the path. Rejects with a ConfigurationError naming the option that cannot be used
   */
  listen(owner?: FileOwner): Promise<string>;
}

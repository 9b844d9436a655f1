import type { Duplex } from "node:stream";
import { inLimitedTime, type TimeLimit } from "../../base/limited-time.js";
import { loggedBytes } from "../../base/logged-text.js";
import { checkNumber, checkOptions, LONGEST_TIME } from "../../base/option-checks.js";
import { inTurns, type Steps } from "../../base/time-slices.js";
import { type AnswerOptions, checkAnswerOptions } from "../../connection/outgoing-request.js";
import { namedAlgorithm } from "../../crypto/keys/key-signature.js";
import type { PKey } from "../../crypto/pkey/pkey.js";
import type { AgentKey, AgentSignOptions } from "../../session/forwarded-agent.js";
import { AgentError } from "./agent-error.js";
import { exchange } from "./exchange.js";
import { ListedKey } from "./listed-key.js";
import { decodeIdentities, decodeSignature, encodeListRequest, encodeSignRequest, type Identity } from "./messages.js";
import { signatureFlags } from "./signature-flags.js";

/** Seconds that an agent has for each answer: a person may have to confirm. */
export const AGENT_TIMEOUT = 60;

/** The time that an agent has for an answer. @param timeout seconds */
export function agentTimeLimit(timeout: number, signals: TimeLimit["signals"]): TimeLimit {
  const overdue = () => new AgentError("timeout", `the agent has not answered within ${timeout} seconds`);
  return { milliseconds: 1000 * timeout, overdue, signals };
}

/** Connects to an agent; a stream that nobody waits for any longer is destroyed. */
export type AgentOpener = (signal: AbortSignal) => Promise<Duplex>;

/**
 * Asks an agent for keys and signatures (RFC 9987), each over a connection of its own. The agent need not
 * be trusted: its answers are bounded in size and time, and its signatures are verified.
 */
export class AgentClient {
  readonly #open: AgentOpener;
  readonly #timeout: number;

  /**
   * @param options.timeout seconds for each request, from the connecting to the answer. Default 60
   * @throws {ConfigurationError} naming the option that cannot be used
   */
  constructor(open: AgentOpener, options: { readonly timeout?: number } = {}) {
    const { timeout = AGENT_TIMEOUT } = checkOptions(options, ["timeout"]);
    this.#open = open;
    this.#timeout = checkNumber("timeout", timeout, 0.001, LONGEST_TIME);
  }

  /** As `ForwardedAgent.list`. */
  async list(options: AnswerOptions = {}): Promise<readonly AgentKey[]> {
    const { signal } = checkAnswerOptions(options);
    const identities = decodeIdentities(await this.#ask(encodeListRequest(), signal));
    return inTurns(this.#keys(identities));
  }

  /** As `ForwardedAgent.sign`. */
  async sign(key: AgentKey | PKey, data: Uint8Array, options: AgentSignOptions = {}): Promise<Buffer> {
    const { algorithm, ...rest } = checkOptions(options, ["algorithm", "signal"]);
    const { signal } = checkAnswerOptions(rest);
    const { publicKey } = key;
    if (publicKey === undefined) {
      throw new AgentError("unsupported", `a key of type ${loggedBytes(key.keyType)} is not one to sign with`);
    }
    const { keyType, publicBlob, signatureAlgorithms } = publicKey;
    const asked = algorithm ?? signatureAlgorithms[0];
    if (asked === undefined || !signatureAlgorithms.includes(asked)) {
      throw new AgentError("unsupported", `a key of type ${keyType} does not sign with ${loggedBytes(`${asked}`)}`);
    }
    // The caller may change its bytes before they are verified.
    const signed = Buffer.from(data);
    const signature = decodeSignature(
      await this.#ask(encodeSignRequest(publicBlob, signed, signatureFlags(asked)), signal),
    );
    if (publicKey.verifySignature(signed, signature, asked) !== undefined) return signature;
    const named = loggedBytes(namedAlgorithm(signature) ?? "nothing");
    throw new AgentError("malformed", `the agent answers with no signature by ${asked}, but with one by ${named}`);
  }

  #ask(request: Buffer, signal: AbortSignal | undefined): Promise<Buffer> {
    return inLimitedTime(agentTimeLimit(this.#timeout, [signal]), async (end) =>
      exchange(await this.#connect(end), request, end),
    );
  }

  async #connect(signal: AbortSignal): Promise<Duplex> {
    try {
      return await this.#open(signal);
    } catch (error) {
      if (error instanceof AgentError) throw error;
      throw new AgentError("refused", "there is no connection to the agent", { cause: error });
    }
  }

  /** Keys are read one by one: hostile ones take milliseconds each. */
  *#keys(identities: readonly Identity[]): Steps<AgentKey[]> {
    const keys: AgentKey[] = [];
    for (const identity of identities) {
      keys.push(new ListedKey(identity, (key, data, options) => this.sign(key, data, options)));
      yield;
    }
    return keys;
  }
}

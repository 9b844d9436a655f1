import { setTimeout as delay } from "node:timers/promises";
import type { HostKey } from "../../crypto/pkey/host-key.js";
import { ProtocolError } from "../../protocol/errors.js";
import type { Request } from "../../protocol/messages/requests.js";
import type { Reader } from "../../protocol/reader.js";
import { Writer } from "../../protocol/writer.js";

/** The global request that asks the server to prove that it has the keys it announced (OpenSSH PROTOCOL §2.5). */
export const HOST_KEYS_PROVE = "hostkeys-prove-00@openssh.com";

export interface HostKeyProofOptions {
  /** The keys that were announced. */
  readonly hostKeys: readonly HostKey[];
  readonly sessionId: Buffer;
  /** Signature algorithms that both sides can use, the preferred first. */
  readonly algorithms: readonly string[];
  /** Milliseconds that the signatures of one request may take together: later global requests wait for them. */
  readonly signingTime: number;
}

/** Proves to one client that the server has its host keys: each key once, since clients ask once and signing costs. */
export class HostKeyProof {
  readonly #options: HostKeyProofOptions;
  #asked: readonly HostKey[] = [];
  /** Ends the signing that is under way. */
  #over: AbortController | undefined;
  #closed = false;

  constructor(options: HostKeyProofOptions) {
    this.#options = options;
  }

  /**
   * The fields of the reply, a signature for each key asked for; or `false`, where there is a key that is not the
   * server's or was asked for before.
   *
   * @throws {Error} when a key cannot sign, or not in time
   */
  async answer({ fields, wantReply }: Request): Promise<Buffer | false> {
    const hostKeys = wantReply && !this.#closed ? this.#readHostKeys(fields) : undefined;
    if (hostKeys === undefined) return false;
    this.#asked = [...this.#asked, ...hostKeys];
    const { signingTime } = this.#options;
    const over = new AbortController();
    this.#over = over;
    try {
      const tooLate = delay(signingTime, undefined, { signal: over.signal }).then(() => {
        throw new Error("the host keys have not signed in time");
      });
      return await Promise.race([this.#signAll(hostKeys, over.signal), tooLate]);
    } catch (error) {
      if (this.#closed) return false;
      throw error;
    } finally {
      this.#over = undefined;
      over.abort();
    }
  }

  /** The connection is gone. */
  close(): void {
    this.#closed = true;
    this.#over?.abort();
  }

  /** `undefined` unless they are all the server's, each for the first time, and at least one. */
  #readHostKeys(fields: Reader): readonly HostKey[] | undefined {
    const hostKeys: HostKey[] = [];
    do {
      const blob = readString(fields);
      const hostKey = blob && this.#options.hostKeys.find(({ publicBlob }) => publicBlob.equals(blob));
      if (hostKey === undefined || hostKeys.includes(hostKey) || this.#asked.includes(hostKey)) return undefined;
      hostKeys.push(hostKey);
    } while (fields.remaining > 0);
    return hostKeys;
  }

  async #signAll(hostKeys: readonly HostKey[], over: AbortSignal): Promise<Buffer> {
    const reply = new Writer();
    for (const hostKey of hostKeys) {
      over.throwIfAborted();
      reply.writeString(await this.#sign(hostKey));
    }
    return reply.toBuffer();
  }

  async #sign(hostKey: HostKey): Promise<Buffer> {
    const { sessionId, algorithms } = this.#options;
    const algorithm = algorithms.find((name) => hostKey.signatureAlgorithms.includes(name));
    if (algorithm === undefined) throw new Error(`no algorithm to sign with the ${hostKey.keyType} key`);
    const data = new Writer()
      .writeString(HOST_KEYS_PROVE)
      .writeString(sessionId)
      .writeString(hostKey.publicBlob)
      .toBuffer();
    try {
      return await hostKey.sign(data, algorithm);
    } catch (cause) {
      throw new Error(`the ${hostKey.keyType} key could not sign`, { cause });
    }
  }
}

/** Returns `undefined` if there is no whole string. */
function readString(fields: Reader): Buffer | undefined {
  try {
    return fields.readString();
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

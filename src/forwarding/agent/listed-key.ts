import { KeyError } from "../../crypto/keys/key-error.js";
import { PKey } from "../../crypto/pkey/pkey.js";
import type { AgentKey, ForwardedAgent } from "../../session/forwarded-agent.js";
import type { Identity } from "./messages.js";

/** A key that an agent has listed. */
export class ListedKey implements AgentKey {
  readonly keyType: string;
  readonly publicBlob: Buffer;
  readonly comment: string;
  readonly publicKey: PKey | undefined;
  readonly #sign: ForwardedAgent["sign"];

  constructor({ keyType, publicBlob, comment }: Identity, sign: ForwardedAgent["sign"]) {
    this.keyType = keyType;
    this.publicBlob = publicBlob;
    this.comment = comment;
    this.publicKey = readKey(publicBlob);
    this.#sign = sign;
  }

  get signatureAlgorithms(): readonly string[] {
    return this.publicKey?.signatureAlgorithms ?? [];
  }

  sign(data: Buffer, signatureAlgorithm?: string): Promise<Buffer> {
    return this.#sign(this, data, signatureAlgorithm === undefined ? {} : { algorithm: signatureAlgorithm });
  }
}

function readKey(publicBlob: Buffer): PKey | undefined {
  try {
    return PKey.fromBlob(publicBlob);
  } catch (error) {
    if (error instanceof KeyError) return undefined;
    throw error;
  }
}

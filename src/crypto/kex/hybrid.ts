import { createHash } from "node:crypto";
import type { ExchangeHash, KeyExchangeAlgorithm } from "./key-exchange.js";
import { keyExchangeFailed } from "./messages.js";
import { oneRoundAlgorithm } from "./one-round.js";
import { encodeSecretString } from "./shared-secret.js";
import { agreeX25519, X25519_LENGTH } from "./x25519.js";

/** A key encapsulation mechanism, as the side that encapsulates sees it. */
export interface Encapsulator {
  /** Length of the client's public key, bytes. */
  readonly publicKeyLength: number;
  /**
   * Makes a fresh secret and wraps it for the public key.
   *
   * @throws {ProtocolError} with reason KEY_EXCHANGE_FAILED for a public key that must be refused
   */
  encapsulate(publicKey: Buffer): Encapsulation;
}

export interface Encapsulation {
  readonly ciphertext: Uint8Array;
  /** The raw secret; the caller erases it. */
  readonly secret: Uint8Array;
}

/**
 * A post-quantum mechanism joined with X25519 so that breaking one of the two is not enough
 * (draft-ietf-sshm-mlkem-hybrid-kex, draft-josefsson-ntruprime-ssh). Both values travel in one string, the post-quantum
 * one first, and K is the string HASH(K_PQ || K_CL).
 */
export function hybridAlgorithm(name: string, hash: ExchangeHash, kem: Encapsulator): KeyExchangeAlgorithm {
  return oneRoundAlgorithm({
    name,
    hash,
    publicValues: "string",
    respond(clientValue) {
      if (clientValue.length !== kem.publicKeyLength + X25519_LENGTH) {
        throw keyExchangeFailed(`a public value of ${name} has ${clientValue.length} bytes`);
      }
      const classic = agreeX25519(clientValue.subarray(kem.publicKeyLength));
      const postQuantum = kem.encapsulate(clientValue.subarray(0, kem.publicKeyLength));
      const secret = createHash(hash).update(postQuantum.secret).update(classic.sharedSecret).digest();
      postQuantum.secret.fill(0);
      classic.sharedSecret.fill(0);
      return {
        serverValue: Buffer.concat([postQuantum.ciphertext, classic.publicValue]),
        sharedSecret: encodeSecretString(secret),
      };
    },
  });
}

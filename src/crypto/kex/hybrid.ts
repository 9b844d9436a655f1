import { createHash } from "node:crypto";
import type { ExchangeHash, KeyExchangeAlgorithm } from "./key-exchange.js";
import { keyExchangeFailed } from "./messages.js";
import { oneRoundAlgorithm } from "./one-round.js";
import { encodeSecretString } from "./shared-secret.js";
import { agreeX25519, offerX25519, X25519_LENGTH } from "./x25519.js";

/** A key encapsulation mechanism: the server encapsulates, the client decapsulates. */
export interface KeyEncapsulation {
  /** Length of the client's public key, bytes. */
  readonly publicKeyLength: number;
  /** Length of the server's ciphertext, bytes. */
  readonly ciphertextLength: number;
  /**
   * Makes a fresh secret and wraps it for the public key.
   *
   * @throws {ProtocolError} with reason KEY_EXCHANGE_FAILED for a public key that must be refused
   */
  encapsulate(publicKey: Buffer): Encapsulation;
  /** A fresh key pair, to be used once. */
  generateKeyPair(): DecapsulationKeyPair;
}

export interface Encapsulation {
  readonly ciphertext: Uint8Array;
  /** The raw secret; the caller erases it. */
  readonly secret: Uint8Array;
}

export interface DecapsulationKeyPair {
  readonly publicKey: Uint8Array;
  /**
   * The raw secret, which the caller erases. A ciphertext of the right length that was not made for this key gives a
   * secret that nobody knows.
   */
  decapsulate(ciphertext: Buffer): Uint8Array;
}

/**
 * A post-quantum mechanism joined with X25519 so that breaking one of the two is not enough
 * (draft-ietf-sshm-mlkem-hybrid-kex, draft-josefsson-ntruprime-ssh). Both values travel in one string, the post-quantum
 * one first, and K is the string HASH(K_PQ || K_CL).
 */
export function hybridAlgorithm(name: string, hash: ExchangeHash, kem: KeyEncapsulation): KeyExchangeAlgorithm {
  const split = (value: Buffer, postQuantumLength: number) => {
    if (value.length !== postQuantumLength + X25519_LENGTH) {
      throw keyExchangeFailed(`a public value of ${name} has ${value.length} bytes`);
    }
    return { postQuantum: value.subarray(0, postQuantumLength), classic: value.subarray(postQuantumLength) };
  };
  const join = (postQuantum: Uint8Array, classic: Buffer) => {
    const secret = createHash(hash).update(postQuantum).update(classic).digest();
    postQuantum.fill(0);
    classic.fill(0);
    return encodeSecretString(secret);
  };
  return oneRoundAlgorithm({
    name,
    hash,
    publicValues: "string",
    respond(clientValue) {
      const { postQuantum, classic } = split(clientValue, kem.publicKeyLength);
      const agreement = agreeX25519(classic);
      const { ciphertext, secret } = kem.encapsulate(postQuantum);
      return {
        serverValue: Buffer.concat([ciphertext, agreement.publicValue]),
        sharedSecret: join(secret, agreement.sharedSecret),
      };
    },
    initiate() {
      const { publicKey, decapsulate } = kem.generateKeyPair();
      const { publicValue, agree } = offerX25519();
      return {
        clientValue: Buffer.concat([publicKey, publicValue]),
        agree(serverValue) {
          const { postQuantum, classic } = split(serverValue, kem.ciphertextLength);
          const sharedSecret = agree(classic);
          return join(decapsulate(postQuantum), sharedSecret);
        },
      };
    },
  });
}

/** Hash of a key exchange method, by its `node:crypto` name. */
export type ExchangeHash = "sha256" | "sha384" | "sha512";

/**
 * A key exchange method (RFC 4253 §8): one entry of the registry. It knows the method's own messages (numbers 30–49)
 * and nothing of packets, host keys or negotiation.
 */
export interface KeyExchangeAlgorithm {
  /** Name on the wire. */
  readonly name: string;
  readonly hash: ExchangeHash;
  /** Starts the server's side of one exchange. */
  startServer(): ServerKeyExchange;
  /** Starts the client's side of one exchange. */
  startClient(): ClientKeyExchange;
}

/** The server's side of one exchange. Used once. */
export interface ServerKeyExchange {
  /**
   * Takes the client's next message (payload with its message number in front).
   *
   * @throws {ProtocolError} with reason KEY_EXCHANGE_FAILED for a message of another number, a malformed one or a
   * public value that must be refused
   */
  receive(payload: Buffer): ServerStep;
}

export type ServerStep =
  /** Send `payload` and wait for the client's next message. */
  | { readonly kind: "continue"; readonly payload: Buffer }
  | (AgreedSecret & {
      readonly kind: "done";
      /** The reply's payload, once the host key has signed the exchange hash. */
      reply(hostKey: Buffer, signature: Buffer): Buffer;
    });

/** The client's side of one exchange. Used once. */
export interface ClientKeyExchange {
  /** Payload that opens the exchange. */
  readonly opening: Buffer;
  /**
   * Takes the server's next message (payload with its message number in front).
   *
   * @throws {ProtocolError} with reason KEY_EXCHANGE_FAILED for a message of another number, a malformed one, or a
   * group or public value that must be refused
   */
  receive(payload: Buffer): ClientStep;
}

export type ClientStep =
  /** Send `payload` and wait for the server's next message. */
  | { readonly kind: "continue"; readonly payload: Buffer }
  | (AgreedSecret & {
      readonly kind: "done";
      /**
       * The server's host key blob and its signature of the exchange hash. Neither is checked; both are views of the
       * payload.
       */
      readonly hostKey: Buffer;
      readonly signature: Buffer;
    });

/** The values that both sides have at the end. */
export interface AgreedSecret {
  /**
   * The bytes that the exchange hash covers after V_C, V_S, I_C, I_S and K_S, as encoded there: the public values
   * (for group exchange the group before them), without K.
   */
  readonly transcript: Buffer;
  /** K as it is encoded in the exchange hash and the key derivation: an mpint or a string, length included. */
  readonly sharedSecret: Buffer;
}

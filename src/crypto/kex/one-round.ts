import { MessageNumber } from "../../protocol/constants.js";
import { Writer } from "../../protocol/writer.js";
import type { ExchangeHash, KeyExchangeAlgorithm, KeyExchangeStep, ServerKeyExchange } from "./key-exchange.js";
import { keyExchangeFailed, readMessage } from "./messages.js";

/**
 * A method of one round trip: the client sends its public value in message 30, the server answers in message 31.
 * All methods but group exchange have this shape (RFC 4253 §8, RFC 5656 §4, RFC 8731 §3 and the KEM hybrids).
 */
export interface OneRoundMethod {
  /** Name on the wire. */
  readonly name: string;
  readonly hash: ExchangeHash;
  /** How the two public values are encoded. */
  readonly publicValues: "string" | "mpint";
  /**
   * The server's whole part, with fresh private values that are dropped on return.
   *
   * @throws {ProtocolError} with reason KEY_EXCHANGE_FAILED for a public value that must be refused
   */
  respond(clientValue: Buffer): ServerShare;
}

/** What the server makes of a client's public value. */
export interface ServerShare {
  /** Public value for the client. */
  readonly serverValue: Buffer;
  /** K, encoded as the exchange hash covers it. */
  readonly sharedSecret: Buffer;
}

/** Makes the registry's entry of a one-round method. */
export function oneRoundAlgorithm(method: OneRoundMethod): KeyExchangeAlgorithm {
  return { name: method.name, hash: method.hash, startServer: () => new OneRoundExchange(method) };
}

class OneRoundExchange implements ServerKeyExchange {
  readonly #method: OneRoundMethod;
  #used = false;

  constructor(method: OneRoundMethod) {
    this.#method = method;
  }

  receive(payload: Buffer): KeyExchangeStep {
    if (this.#used) throw keyExchangeFailed("the key exchange takes no further message");
    this.#used = true;
    const { publicValues } = this.#method;
    const clientValue = readMessage(payload, MessageNumber.KEX_ECDH_INIT, (reader) =>
      publicValues === "string" ? reader.readString() : reader.readMpint(),
    );
    const { serverValue, sharedSecret } = this.#method.respond(clientValue);
    const write = (writer: Writer, value: Buffer): Writer =>
      publicValues === "string" ? writer.writeString(value) : writer.writeMpint(value);
    return {
      kind: "done",
      transcript: write(
        write(new Writer(clientValue.length + serverValue.length + 16), clientValue),
        serverValue,
      ).toBuffer(),
      sharedSecret,
      reply(hostKey, signature) {
        const start = new Writer(hostKey.length + serverValue.length + signature.length + 32)
          .writeByte(MessageNumber.KEX_ECDH_REPLY)
          .writeString(hostKey);
        return write(start, serverValue).writeString(signature).toBuffer();
      },
    };
  }
}

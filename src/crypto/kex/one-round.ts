import { MessageNumber } from "../../protocol/constants.js";
import type { Reader } from "../../protocol/reader.js";
import { Writer } from "../../protocol/writer.js";
import type {
  ClientKeyExchange,
  ClientStep,
  ExchangeHash,
  KeyExchangeAlgorithm,
  ServerKeyExchange,
  ServerStep,
} from "./key-exchange.js";
import { keyExchangeFailed, readMessage } from "./messages.js";

/**
 * A method of one round trip: the client sends its public value in message 30, the server answers in message 31.
 * All methods but group exchange have this shape (RFC 4253 §8, RFC 5656 §4, RFC 8731 §3 and the KEM hybrids).
 */
export interface OneRoundMethod {
  /** Name on the wire. */
  readonly name: string;
  readonly hash: ExchangeHash;
  /** The encoding of the two public values. */
  readonly publicValues: "string" | "mpint";
  /**
   * The server's whole part, with fresh private values that are dropped on return.
   *
   * @throws {ProtocolError} with reason KEY_EXCHANGE_FAILED for a public value that must be refused
   */
  respond(clientValue: Buffer): ServerShare;
  /** The client's part, with fresh private values that last as long as the share. */
  initiate(): ClientShare;
}

/** The server's answer to a client's public value. */
export interface ServerShare {
  /** Public value for the client. */
  readonly serverValue: Buffer;
  /** K, encoded as the exchange hash covers it. */
  readonly sharedSecret: Buffer;
}

/** The values with which the client begins. */
export interface ClientShare {
  /** Public value for the server. */
  readonly clientValue: Buffer;
  /**
   * K, encoded as the exchange hash covers it. Called once.
   *
   * @throws {ProtocolError} with reason KEY_EXCHANGE_FAILED for a public value that must be refused
   */
  agree(serverValue: Buffer): Buffer;
}

/** Makes the registry's entry of a one-round method. */
export function oneRoundAlgorithm(method: OneRoundMethod): KeyExchangeAlgorithm {
  return {
    name: method.name,
    hash: method.hash,
    startServer: () => new OneRoundServer(method),
    startClient: () => new OneRoundClient(method),
  };
}

class OneRoundServer implements ServerKeyExchange {
  readonly #method: OneRoundMethod;
  #used = false;

  constructor(method: OneRoundMethod) {
    this.#method = method;
  }

  receive(payload: Buffer): ServerStep {
    if (this.#used) throw keyExchangeFailed("the key exchange takes no further message");
    this.#used = true;
    const { publicValues } = this.#method;
    const clientValue = readMessage(payload, MessageNumber.KEX_ECDH_INIT, (reader) => readValue(reader, publicValues));
    const { serverValue, sharedSecret } = this.#method.respond(clientValue);
    return {
      kind: "done",
      transcript: transcriptOf(clientValue, serverValue, publicValues),
      sharedSecret,
      reply(hostKey, signature) {
        const start = new Writer(hostKey.length + serverValue.length + signature.length + 32)
          .writeByte(MessageNumber.KEX_ECDH_REPLY)
          .writeString(hostKey);
        return writeValue(start, serverValue, publicValues).writeString(signature).toBuffer();
      },
    };
  }
}

class OneRoundClient implements ClientKeyExchange {
  readonly opening: Buffer;
  readonly #publicValues: OneRoundMethod["publicValues"];
  #share: ClientShare | undefined;

  constructor({ publicValues, initiate }: OneRoundMethod) {
    this.#publicValues = publicValues;
    this.#share = initiate();
    const { clientValue } = this.#share;
    const start = new Writer(clientValue.length + 16).writeByte(MessageNumber.KEX_ECDH_INIT);
    this.opening = writeValue(start, clientValue, publicValues).toBuffer();
  }

  receive(payload: Buffer): ClientStep {
    const share = this.#share;
    if (share === undefined) throw keyExchangeFailed("the key exchange takes no further message");
    // A message that is refused ends the exchange as well.
    this.#share = undefined;
    const { hostKey, serverValue, signature } = readMessage(payload, MessageNumber.KEX_ECDH_REPLY, (reader) => ({
      hostKey: reader.readString(),
      serverValue: readValue(reader, this.#publicValues),
      signature: reader.readString(),
    }));
    const sharedSecret = share.agree(serverValue);
    const transcript = transcriptOf(share.clientValue, serverValue, this.#publicValues);
    return { kind: "done", hostKey, signature, transcript, sharedSecret };
  }
}

function readValue(reader: Reader, encoding: OneRoundMethod["publicValues"]): Buffer {
  return encoding === "string" ? reader.readString() : reader.readMpint();
}

function writeValue(writer: Writer, value: Buffer, encoding: OneRoundMethod["publicValues"]): Writer {
  return encoding === "string" ? writer.writeString(value) : writer.writeMpint(value);
}

function transcriptOf(clientValue: Buffer, serverValue: Buffer, encoding: OneRoundMethod["publicValues"]): Buffer {
  const writer = new Writer(clientValue.length + serverValue.length + 16);
  return writeValue(writeValue(writer, clientValue, encoding), serverValue, encoding).toBuffer();
}

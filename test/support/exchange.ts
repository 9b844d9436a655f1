import type { KeyExchangeAlgorithm, KeyExchangeStep, ServerKeyExchange } from "../../src/crypto/kex/key-exchange.js";
import { DisconnectReason } from "../../src/protocol/constants.js";
import { ProtocolError } from "../../src/protocol/errors.js";
import { Writer } from "../../src/protocol/writer.js";
import type { KexClient, KexClientResult } from "./kex-client.js";

export type DoneStep = Extract<KeyExchangeStep, { kind: "done" }>;

/** Runs one key exchange to its end, with a host key and a signature that are only texts. */
export function runExchange(
  algorithm: KeyExchangeAlgorithm,
  client: KexClient,
): { server: DoneStep; client: KexClientResult; exchange: ServerKeyExchange } {
  const exchange = algorithm.startServer();
  let step = exchange.receive(client.init);
  if (step.kind === "continue") {
    if (client.answerGroup === undefined) throw new Error("this method has one round only");
    step = exchange.receive(client.answerGroup(step.payload));
  }
  if (step.kind !== "done") throw new Error("the exchange is not done");
  const reply = step.reply(Buffer.from("host key"), Buffer.from("signature"));
  return { server: step, client: client.finish(reply), exchange };
}

/** The reason with which `receive` refuses this payload; undefined when it does not refuse. */
export function refusalOf(exchange: ServerKeyExchange, payload: Buffer): DisconnectReason | undefined {
  try {
    exchange.receive(payload);
    return undefined;
  } catch (error) {
    if (error instanceof ProtocolError) return error.reason;
    throw error;
  }
}

export const REFUSED = DisconnectReason.KEY_EXCHANGE_FAILED;

/** A first message whose public value is an mpint with exactly these bytes. */
export function rawMpintPayload(number: number, bytes: Uint8Array): Buffer {
  return new Writer().writeByte(number).writeString(bytes).toBuffer();
}

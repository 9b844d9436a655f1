import type {
  ClientStep,
  KeyExchangeAlgorithm,
  ServerKeyExchange,
  ServerStep,
} from "../../src/crypto/kex/key-exchange.js";
import { DisconnectReason } from "../../src/protocol/constants.js";
import { ProtocolError } from "../../src/protocol/errors.js";
import { Writer } from "../../src/protocol/writer.js";
import type { KexClient, KexClientResult } from "./kex-client.js";

export const HOST_KEY_BYTES = Buffer.from("host key");
export const SIGNATURE_BYTES = Buffer.from("signature");

export type DoneStep = Extract<ServerStep, { kind: "done" }>;

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
  const reply = step.reply(HOST_KEY_BYTES, SIGNATURE_BYTES);
  return { server: step, client: client.finish(reply), exchange };
}

/** What our client sends and gets in one exchange with our server, in order. */
export function converse(algorithm: KeyExchangeAlgorithm): {
  readonly server: DoneStep;
  readonly toClient: readonly Buffer[];
  readonly client: Extract<ClientStep, { kind: "done" }>;
} {
  const server = algorithm.startServer();
  const client = algorithm.startClient();
  const toClient: Buffer[] = [];
  let toServer = client.opening;
  for (;;) {
    const answer = server.receive(toServer);
    const message = answer.kind === "done" ? answer.reply(HOST_KEY_BYTES, SIGNATURE_BYTES) : answer.payload;
    toClient.push(message);
    const step = client.receive(message);
    if (answer.kind === "done" && step.kind === "done") return { server: answer, toClient, client: step };
    if (step.kind === "done") throw new Error("the client is done before the server");
    toServer = step.payload;
  }
}

/** The reason with which `receive` refuses this payload; undefined when it does not refuse. */
export function refusalOf(
  exchange: { receive(payload: Buffer): unknown },
  payload: Buffer,
): DisconnectReason | undefined {
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

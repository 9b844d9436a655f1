import { MessageNumber } from "../../../../src/protocol/constants.js";
import type { PacketClient } from "../../../support/packet-client.js";
import * as messages from "../../../support/packet-messages.js";

const { CHANNEL_FAILURE, CHANNEL_SUCCESS, DISCONNECT, REQUEST_FAILURE, REQUEST_SUCCESS } = MessageNumber;

const ANSWERS: readonly number[] = [CHANNEL_SUCCESS, CHANNEL_FAILURE, REQUEST_SUCCESS, REQUEST_FAILURE, DISCONNECT];

/** The next of these messages; what else the server says is passed over. */
export async function next(client: PacketClient, ...wanted: readonly number[]): Promise<Buffer> {
  for (;;) {
    const payload = await client.nextPacket();
    const number = payload[0] ?? -1;
    if (wanted.includes(number)) return payload;
    if (ANSWERS.includes(number)) throw new Error(`message ${number} came in place of ${wanted.join(" or ")}`);
    acknowledge(client);
  }
}

/**
 * Acknowledges what the server has said: sshd does not go on before (Nagle's algorithm), and without data that takes 40 ms.
 */
export function acknowledge(client: PacketClient): void {
  client.sendPacket(messages.ignore());
}

export type GlobalRequest = readonly [kind: string, fields: Buffer];

/** @returns the fields of REQUEST_SUCCESS; `undefined` for REQUEST_FAILURE */
export async function askGlobally(client: PacketClient, [kind, fields]: GlobalRequest): Promise<Buffer | undefined> {
  client.sendPacket(messages.globalRequest(kind, "want-reply", fields));
  const answer = await next(client, REQUEST_SUCCESS, REQUEST_FAILURE);
  return answer[0] === REQUEST_SUCCESS ? answer.subarray(1) : undefined;
}

/** One after the other: together they would wait for each other's acknowledgements. */
export async function whichAreGranted(client: PacketClient, requests: readonly GlobalRequest[]): Promise<boolean[]> {
  const granted: boolean[] = [];
  for (const request of requests) granted.push((await askGlobally(client, request)) !== undefined);
  return granted;
}

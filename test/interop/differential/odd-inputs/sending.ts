import type { KexInit } from "../../../support/packet-messages.js";
import type { OddInput, Stage } from "./odd-input.js";
import type { Peer } from "./peer.js";

/** Sends these payloads at this stage; `make` gives those that depend on the peer. */
export function sending(
  stage: Stage,
  name: string,
  make: readonly Uint8Array[] | ((peer: Peer) => readonly Uint8Array[]),
): OddInput {
  return { name, stage, send: (peer) => peer.send(...(typeof make === "function" ? make(peer) : make)) };
}

/** Once the client has logged in. */
export function loggedIn(name: string, ...payloads: readonly Uint8Array[]): OddInput {
  return sending("logged-in", name, payloads);
}

/** The client's KEXINIT with a change; its bytes can be altered too. */
export function sendingKexInit(
  stages: Required<Pick<OddInput, "stage" | "next">>,
  name: string,
  change: Partial<KexInit>,
  alter = (payload: Buffer) => payload,
): OddInput {
  return { name, ...stages, send: ({ client }) => client.sendKexInitPayload(alter(client.kexInit(change))) };
}

import type { EventEmitter } from "node:events";
import { isThenable } from "../base/maybe-promise.js";
import type { ConnectionEnd } from "../endpoint/connection-end.js";
import type { Connection } from "../session/connection.js";
import type { PenaltyCause } from "./admission/penalties.js";
import type { Refusal } from "./admission/refusal.js";

/** A source was penalised, by PerSourcePenalties of sshd_config(5). */
export interface PenaltyEvent {
  /** The address of the client, if the stream tells. */
  readonly remoteAddress: string | undefined;
  /** What the client has done. */
  readonly cause: PenaltyCause;
  /** The sum of the source's penalties, seconds. */
  readonly seconds: number;
  /** Whether the source is refused from now on. */
  readonly enforced: boolean;
  /** The worker that has served it; `undefined` where one process serves. */
  readonly worker: number | undefined;
}

/** The events of an SSHServerManager, and of a server that `createServer` has made. */
export interface ManagerEvents<Data = unknown> {
  /** A client was accepted; it has not logged in. */
  readonly connection: [connection: Connection<Data>];
  /** A client was turned away. */
  readonly refused: [refusal: Refusal];
  /** A client's address has got a penalty: see `perSourcePenalties`. */
  readonly penalty: [penalty: PenaltyEvent];
  /** Somebody has logged in. */
  readonly authenticated: [connection: Connection<Data>];
  /** An accepted client is gone, for the reason that `end` tells. */
  readonly disconnected: [connection: Connection<Data>, end: ConnectionEnd];
}

/** Their names. */
export const MANAGER_EVENTS = ["connection", "refused", "penalty", "authenticated", "disconnected"] as const;

/** Calls the listeners of an event. An error that one throws, or rejects with, is reported and harms no other. */
export function tell(
  emitter: EventEmitter,
  event: string,
  parameters: readonly unknown[],
  failed: (error: unknown) => void,
): void {
  for (const listener of emitter.rawListeners(event)) {
    try {
      const result: unknown = Reflect.apply(listener, emitter, parameters);
      if (isThenable(result)) Promise.resolve(result).catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}

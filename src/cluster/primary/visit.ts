import type { Socket } from "node:net";
import type { ConnectionPlace, RefusedPlace } from "../../server/admission/connection-place.js";
import type { RefusalReason } from "../../server/admission/refusal.js";
import type { StreamInfo } from "../../server/stream-info.js";

/** A client from accept until a worker says that nothing is left of it, or is gone itself. */
export interface Visit {
  readonly id: number;
  /** The server that it has come to. */
  readonly desk: string;
  readonly info: StreamInfo;
  /** Open here until a worker has it. */
  readonly socket: Socket;
  readonly stay: Stay;
  /** When it has waited for too long: `performance.now()`. */
  readonly until: number;
  /** The worker is to tell at once what becomes of it. */
  isUrgent: boolean;
  /** What was read behind the header of a proxy. */
  head: Buffer | undefined;
}

export type Stay =
  | { readonly kind: "admitted"; readonly place: ConnectionPlace }
  /** It is only told that it is refused. */
  | { readonly kind: "refused"; readonly place: RefusedPlace; readonly reason: RefusalReason };

import type { Connection } from "../session/connection.js";
import { type RefusalReason, refusalReasons } from "./admission/refusal.js";

/** Statistics of a server since it was made. */
export interface ConnectionStats {
  /** Connections accepted, open and closed. */
  readonly accepted: number;
  /** Connections refused before a client could log in. */
  readonly refused: number;
  /** The same, by the option that has refused them. */
  readonly refusedBy: Readonly<Record<RefusalReason, number>>;
  /** Connections open now. */
  readonly active: number;
  /** Connections open now on which somebody has logged in. */
  readonly authenticated: number;
  /** Connections on which nobody has logged in, those included that are gone while a hook still works for them. */
  readonly startups: number;
  /** Sources that are refused for what they have done: see `perSourcePenalties`. */
  readonly penalisedSources: number;
  /** Bytes on the wire. */
  readonly bytesReceived: number;
  /** Bytes on the wire. */
  readonly bytesSent: number;
}

/** The part of them that the admission counts. */
type AdmissionCounts = Pick<ConnectionStats, "refusedBy" | "startups" | "penalisedSources">;

/** What has come and gone since a server was made. */
export class ConnectionTotals {
  #accepted = 0;
  #bytesReceived = 0;
  #bytesSent = 0;

  connectionAccepted(): void {
    this.#accepted++;
  }

  connectionClosed({ bytesReceived, bytesSent }: Connection): void {
    this.#bytesReceived += bytesReceived;
    this.#bytesSent += bytesSent;
  }

  /** @param open the connections that are not closed yet */
  stats(open: readonly Connection[], { refusedBy, startups, penalisedSources }: AdmissionCounts): ConnectionStats {
    const sum = (count: (connection: Connection) => number) =>
      open.reduce((total, connection) => total + count(connection), 0);
    return {
      accepted: this.#accepted,
      refused: Object.values(refusedBy).reduce((total, count) => total + count, 0),
      refusedBy,
      active: open.length,
      authenticated: sum(({ identity }) => (identity === undefined ? 0 : 1)),
      startups,
      penalisedSources,
      bytesReceived: this.#bytesReceived + sum(({ bytesReceived }) => bytesReceived),
      bytesSent: this.#bytesSent + sum(({ bytesSent }) => bytesSent),
    };
  }
}

/** The statistics of a server that nobody has come to. */
export function noConnections(): ConnectionStats {
  return {
    accepted: 0,
    refused: 0,
    refusedBy: Object.fromEntries(refusalReasons.map((reason) => [reason, 0])) as Record<RefusalReason, number>,
    active: 0,
    authenticated: 0,
    startups: 0,
    penalisedSources: 0,
    bytesReceived: 0,
    bytesSent: 0,
  };
}

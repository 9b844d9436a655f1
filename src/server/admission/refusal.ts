/** Why a connection was refused before a client could log in: the option that has decided it. */
export const refusalReasons = [
  "allowFrom",
  "denyFrom",
  "perSourcePenalties",
  "perSourceMaxConnections",
  "perSourceMaxStartups",
  "maxStartups",
  "maxConnections",
  "maxConnectionsPerUser",
  "proxyProtocol",
  "shutdown",
] as const;
/** The option that has refused a connection. */
export type RefusalReason = (typeof refusalReasons)[number];

/** The event `refused`: a connection that was refused before its client could log in. */
export interface Refusal {
  /** The option that has refused it. */
  readonly reason: RefusalReason;
  /** The address of the client, if the stream tells. */
  readonly remoteAddress: string | undefined;
  /** The worker that the connection had come to, if there are several, and it had come to one. */
  readonly worker: number | undefined;
}

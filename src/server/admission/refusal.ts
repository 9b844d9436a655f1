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
export type RefusalReason = (typeof refusalReasons)[number];

export interface Refusal {
  readonly reason: RefusalReason;
  readonly remoteAddress: string | undefined;
}

import type { Direction } from "./measure/throughput.js";

/** What the project promises for one case. Ratios are of server CPU time, ours to the other's. */
export interface Target {
  readonly ratioToSshd?: number;
  readonly ratioToSsh2?: number;
  /** In the case's own unit. */
  readonly atMost?: number;
}

export interface ThroughputCase {
  readonly kind: "throughput";
  readonly name: string;
  readonly direction: Direction;
  readonly cipher: string;
  readonly target: Target;
}

export interface ConnectCase {
  readonly kind: "connect";
  readonly name: string;
  readonly keyExchange: string;
  readonly target: Target;
}

export interface IdleCase {
  readonly kind: "idle";
  readonly name: string;
  readonly target: Target;
}

export type BenchCase = ThroughputCase | ConnectCase | IdleCase;

const ciphers: readonly { readonly name: string; readonly target: Target }[] = [
  { name: "chacha20-poly1305@openssh.com", target: { ratioToSshd: 0.5, ratioToSsh2: 0.8 } },
  { name: "aes128-gcm@openssh.com", target: { ratioToSshd: 0.5, ratioToSsh2: 1 } },
  { name: "aes256-gcm@openssh.com", target: { ratioToSshd: 0.5, ratioToSsh2: 1 } },
  { name: "aes128-ctr", target: { ratioToSshd: 0.5 } },
  { name: "aes256-ctr", target: { ratioToSshd: 0.5, ratioToSsh2: 0.8 } },
];

/** The one key exchange that all three servers and all clients know. */
export const commonKeyExchange = "curve25519-sha256";

export const benchCases: readonly BenchCase[] = [
  ...ciphers.map((cipher) => throughputCase("output", cipher)),
  ...ciphers.map((cipher) => throughputCase("input", cipher)),
  connectCase("mlkem768x25519-sha256", { atMost: 7 }),
  connectCase("sntrup761x25519-sha512@openssh.com", {}),
  connectCase(commonKeyExchange, {}),
  { kind: "idle", name: "idle connection", target: { atMost: 25 } },
];

function throughputCase(direction: Direction, { name, target }: (typeof ciphers)[number]): ThroughputCase {
  return { kind: "throughput", name: `${direction} ${name}`, direction, cipher: name, target };
}

function connectCase(keyExchange: string, target: Target): ConnectCase {
  return { kind: "connect", name: `connect + exec ${keyExchange}`, keyExchange, target };
}

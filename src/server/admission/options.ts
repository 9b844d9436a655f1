import { parseNetworks } from "../../addresses/network.js";
import { ConfigurationError } from "../../base/configuration-error.js";
import { messageOf } from "../../base/is-error.js";
import {
  checkChoice,
  checkInteger,
  checkLimit,
  checkNotUndefined,
  checkNumber,
  checkOptions,
  LONGEST_TIME,
} from "../../base/option-checks.js";
import { NetworkSet } from "./network-set.js";
import { type OverflowMode, overflowModes, type PenaltyCause, type PenaltyTimes, penaltyCauses } from "./penalties.js";
import type { StartupLimits } from "./startups.js";

/** Addresses and networks, `192.0.2.7` or `2001:db8::/32`, in a list or separated by commas. */
export type NetworkList = string | readonly string[];

/** Limits on who may connect, and how often. Names and meanings are those of sshd_config(5) where it has them. */
export interface AdmissionOptions {
  /**
   * Connections on which nobody has logged in: from `start` on, a new one is refused with a probability of `rate` per
   * cent, which grows until all are at `full`. A number sets both ends; `false` means no limit.
   * Default `{ start: 100, rate: 30, full: 500 }`.
   */
  readonly maxStartups?: Partial<StartupLimits> | number | false;
  /** Connections of one source on which nobody has logged in; `false` means no limit. Default 50. */
  readonly perSourceMaxStartups?: number | false;
  /** Connections of one source, logged in or not; `false` means no limit. Default `false`. */
  readonly perSourceMaxConnections?: number | false;
  /** Bits of an address that make one source. Default `{ ipv4: 32, ipv6: 64 }`. */
  readonly perSourceNetBlockSize?: { readonly ipv4?: number; readonly ipv6?: number };
  /** Penalties of sources that have misbehaved: how long they are refused; `false` for no penalties. */
  readonly perSourcePenalties?: PenaltyOptions | false;
  /** Addresses never penalised. Default `["127.0.0.0/8", "::1"]`, where all clients of a local proxy come from. */
  readonly perSourcePenaltyExemptList?: NetworkList;
  /** Addresses that may connect. Without it all may; with it, a client whose address is not known may not. */
  readonly allowFrom?: NetworkList;
  /** Addresses that may not connect, even if `allowFrom` has them. */
  readonly denyFrom?: NetworkList;
  /** Proxies that tell the address of their client in a PROXY protocol header, version 1 or 2. */
  readonly proxyProtocol?: ProxyProtocolOptions;
  /** Connections on which one user may be logged in; `false` means no limit. Default `false`. */
  readonly maxConnectionsPerUser?: number | false;
}

export const ADMISSION_OPTIONS: readonly (keyof AdmissionOptions)[] = [
  "maxStartups",
  "perSourceMaxStartups",
  "perSourceMaxConnections",
  "perSourceNetBlockSize",
  "perSourcePenalties",
  "perSourcePenaltyExemptList",
  "allowFrom",
  "denyFrom",
  "proxyProtocol",
  "maxConnectionsPerUser",
];

/** PerSourcePenalties of sshd_config(5). Times are in seconds; 0 means no penalty. */
export interface PenaltyOptions extends Partial<PenaltyTimes> {
  /** Penalties of a source add up to at most this. Default 600. */
  readonly max?: number;
  /** A source is refused once its penalties add up to more than this. Default 15. */
  readonly min?: number;
  /** IPv4 sources that are remembered. Default 65,536. */
  readonly maxSources4?: number;
  /** IPv6 sources that are remembered. Default 65,536. */
  readonly maxSources6?: number;
  /** The behaviour when there are more: `permissive` forgets the smallest penalties, `deny-all` refuses everybody. Default `permissive`. */
  readonly overflow?: OverflowMode;
  /** The same for IPv6. Default: as `overflow`. */
  readonly overflow6?: OverflowMode;
}

/** The option `proxyProtocol`: which proxies may tell whose connection it is. */
export interface ProxyProtocolOptions {
  /** The proxies. Their connections must begin with a header. */
  readonly from: NetworkList;
  /** Seconds that a proxy may take to send it. Default 3. */
  readonly timeout?: number;
}

export interface PenaltySettings {
  readonly times: PenaltyTimes;
  readonly max: number;
  readonly min: number;
  readonly maxSources: { readonly ipv4: number; readonly ipv6: number };
  readonly overflow: { readonly ipv4: OverflowMode; readonly ipv6: OverflowMode };
}

export interface NetBlockSize {
  readonly ipv4: number;
  readonly ipv6: number;
}

/** The options, checked and complete. A limit that is switched off is Infinity. */
export interface AdmissionSettings {
  /** The options as they were given, for another process. */
  readonly given: AdmissionOptions;
  readonly maxStartups: StartupLimits | undefined;
  readonly perSourceMaxStartups: number;
  readonly perSourceMaxConnections: number;
  readonly perSourceNetBlockSize: NetBlockSize;
  readonly perSourcePenalties: PenaltySettings | undefined;
  readonly penaltyExempt: NetworkSet;
  readonly allowFrom: NetworkSet | undefined;
  readonly denyFrom: NetworkSet;
  readonly proxies: NetworkSet;
  /** Milliseconds. */
  readonly proxyHeaderTimeout: number;
  readonly maxConnectionsPerUser: number;
}

/** sshd has 10:30:100; a connection here costs some kilobytes rather than a process. */
const DEFAULT_STARTUPS = { start: 100, rate: 30, full: 500 };
const MAX_CONNECTIONS = 1_000_000;
const MAX_SOURCES = 10_000_000;

/** Seconds, as sshd has them. */
const DEFAULT_PENALTIES: PenaltyTimes = {
  crash: 90,
  authFail: 5,
  invalidUser: 5,
  noAuth: 1,
  graceExceeded: 10,
  refuseConnection: 10,
};

const LOOPBACK = ["127.0.0.0/8", "::1"];

/** @throws {ConfigurationError} naming the option that cannot be used */
export function resolveAdmission(options: AdmissionOptions): AdmissionSettings {
  const { allowFrom, proxyProtocol } = checkNotUndefined(options, ["allowFrom", "denyFrom"]);
  if (proxyProtocol !== undefined) checkOptions(proxyProtocol, ["from", "timeout"], "proxyProtocol");
  const timeout = proxyProtocol?.timeout ?? 3;
  const given = ADMISSION_OPTIONS.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]);
  return {
    given: Object.fromEntries(given),
    maxStartups: resolveStartups(options.maxStartups ?? {}),
    perSourceMaxStartups: limit("perSourceMaxStartups", options.perSourceMaxStartups ?? 50),
    perSourceMaxConnections: limit("perSourceMaxConnections", options.perSourceMaxConnections ?? false),
    perSourceNetBlockSize: resolveNetBlockSize(options.perSourceNetBlockSize ?? {}),
    perSourcePenalties: resolvePenalties(options.perSourcePenalties ?? {}),
    penaltyExempt: networks("perSourcePenaltyExemptList", options.perSourcePenaltyExemptList ?? LOOPBACK),
    allowFrom: allowFrom === undefined ? undefined : networks("allowFrom", allowFrom),
    denyFrom: networks("denyFrom", options.denyFrom ?? []),
    proxies: proxyProtocol === undefined ? new NetworkSet([]) : networks("proxyProtocol.from", proxyProtocol.from),
    proxyHeaderTimeout: 1000 * checkNumber("proxyProtocol.timeout", timeout, 0.001, 60),
    maxConnectionsPerUser: limit("maxConnectionsPerUser", options.maxConnectionsPerUser ?? false),
  };
}

function resolveStartups(option: Partial<StartupLimits> | number | false): StartupLimits | undefined {
  if (option === false) return undefined;
  if (typeof option === "number") {
    const full = checkInteger("maxStartups", option, 1, MAX_CONNECTIONS);
    return { start: full, rate: 100, full };
  }
  const { start, rate, full } = {
    ...DEFAULT_STARTUPS,
    ...checkOptions(option, ["start", "rate", "full"], "maxStartups"),
  };
  checkInteger("maxStartups.start", start, 1, MAX_CONNECTIONS);
  return {
    start,
    rate: checkInteger("maxStartups.rate", rate, 1, 100),
    full: checkInteger("maxStartups.full", full, start, MAX_CONNECTIONS),
  };
}

function resolveNetBlockSize(option: { readonly ipv4?: number; readonly ipv6?: number }): NetBlockSize {
  const { ipv4 = 32, ipv6 = 64 } = checkOptions(option, ["ipv4", "ipv6"], "perSourceNetBlockSize");
  return {
    ipv4: checkInteger("perSourceNetBlockSize.ipv4", ipv4, 0, 32),
    ipv6: checkInteger("perSourceNetBlockSize.ipv6", ipv6, 0, 128),
  };
}

function resolvePenalties(option: PenaltyOptions | false): PenaltySettings | undefined {
  if (option === false) return undefined;
  const others = ["max", "min", "maxSources4", "maxSources6", "overflow", "overflow6"] as const;
  const given = checkOptions(option, [...penaltyCauses, ...others], "perSourcePenalties");
  const seconds = (name: PenaltyCause | "max" | "min", value: number) =>
    checkNumber(`perSourcePenalties.${name}`, value, 0, LONGEST_TIME);
  const times = { ...DEFAULT_PENALTIES };
  for (const cause of penaltyCauses) times[cause] = seconds(cause, given[cause] ?? DEFAULT_PENALTIES[cause]);
  const { maxSources4 = 65_536, maxSources6 = 65_536, overflow = "permissive", overflow6 = overflow } = given;
  const max = seconds("max", given.max ?? 600);
  const min = seconds("min", given.min ?? 15);
  if (min > max) throw new ConfigurationError("perSourcePenalties.min", `${min} is more than max, which is ${max}`);
  return {
    times,
    max,
    min,
    maxSources: {
      ipv4: checkInteger("perSourcePenalties.maxSources4", maxSources4, 1, MAX_SOURCES),
      ipv6: checkInteger("perSourcePenalties.maxSources6", maxSources6, 1, MAX_SOURCES),
    },
    overflow: {
      ipv4: checkChoice("perSourcePenalties.overflow", overflow, overflowModes),
      ipv6: checkChoice("perSourcePenalties.overflow6", overflow6, overflowModes),
    },
  };
}

function limit(option: string, value: number | false): number {
  return checkLimit(option, value, 1, MAX_CONNECTIONS);
}

function networks(option: string, list: NetworkList): NetworkSet {
  if (typeof list !== "string" && !(Array.isArray(list) && list.every((element) => typeof element === "string"))) {
    throw new ConfigurationError(option, "must be a list of addresses and networks");
  }
  try {
    return new NetworkSet(parseNetworks(list));
  } catch (error) {
    throw new ConfigurationError(option, messageOf(error));
  }
}

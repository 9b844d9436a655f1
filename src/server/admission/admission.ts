import { randomInt } from "node:crypto";
import { type Address, netBlock, parseAddress } from "../../addresses/address.js";
import type { AdmissionSettings, PenaltySettings } from "./options.js";
import { type Penalised, Penalties, type PenaltyCause } from "./penalties.js";
import type { RefusalReason } from "./refusal.js";
import { dropsStartup } from "./startups.js";
import { type Source, Ticket, type TicketCounter } from "./ticket.js";

/** The clock and the random numbers of an admission. */
export interface AdmissionNature {
  /** Milliseconds, of a clock that only goes forward. */
  now(): number;
  /** A random integer from 0 to 99. */
  draw(): number;
}

const NATURE: AdmissionNature = { now: () => performance.now(), draw: () => randomInt(100) };

/**
 * Decides which clients may connect. Its memory is bounded: counts by the connections that are open, penalties by
 * `maxSources4` and `maxSources6`.
 */
export class Admission {
  #settings: AdmissionSettings;
  readonly #nature: AdmissionNature;
  #penalties: Readonly<Record<Address["family"], Penalties>> | undefined;
  readonly #sources = new Map<string, Source>();
  readonly #users = new Map<string, number>();
  #startups = 0;
  #connections = 0;

  constructor(settings: AdmissionSettings, nature: AdmissionNature = NATURE) {
    this.#settings = settings;
    this.#nature = nature;
    this.settings = settings;
  }

  /** New limits, with the same `perSourceNetBlockSize`: counts and penalties stay. */
  set settings(settings: AdmissionSettings) {
    this.#settings = settings;
    const { perSourcePenalties } = settings;
    if (perSourcePenalties === undefined) {
      this.#penalties = undefined;
      return;
    }
    const [ipv4, ipv6] = [limitsOf(perSourcePenalties, "ipv4"), limitsOf(perSourcePenalties, "ipv6")];
    if (this.#penalties === undefined) {
      this.#penalties = { ipv4: new Penalties(ipv4), ipv6: new Penalties(ipv6) };
    } else {
      this.#penalties.ipv4.limits = ipv4;
      this.#penalties.ipv6.limits = ipv6;
    }
  }

  /** Connections on which nobody has logged in. */
  get startups(): number {
    return this.#startups;
  }

  /** Connections, logged in or not. */
  get connections(): number {
    return this.#connections;
  }

  /** Sources that are refused for what they have done. */
  get penalisedSources(): number {
    const now = this.#nature.now();
    return this.#penalties === undefined
      ? 0
      : this.#penalties.ipv4.refusedSources(now) + this.#penalties.ipv6.refusedSources(now);
  }

  /** The objection to a client because of its address, if there is one. */
  objection(remoteAddress: string | undefined): RefusalReason | undefined {
    const { allowFrom, denyFrom } = this.#settings;
    if (denyFrom.has(remoteAddress)) return "denyFrom";
    if (allowFrom !== undefined && !allowFrom.has(remoteAddress)) return "allowFrom";
    const address = this.#penalisable(remoteAddress);
    if (address === undefined || this.#penalties === undefined) return undefined;
    const objection = this.#penalties[address.family].objection(this.#sourceName(address), this.#nature.now());
    return objection && "perSourcePenalties";
  }

  /** Counts a client in, unless there are too many. */
  enter(remoteAddress: string | undefined): Ticket | RefusalReason {
    const { maxStartups, perSourceMaxStartups, perSourceMaxConnections } = this.#settings;
    const address = remoteAddress === undefined ? undefined : parseAddress(remoteAddress);
    const name = address && this.#sourceName(address);
    const { startups, connections } = (name !== undefined && this.#sources.get(name)) || NOBODY;
    if (connections >= perSourceMaxConnections) return "perSourceMaxConnections";
    if (startups >= perSourceMaxStartups) return "perSourceMaxStartups";
    if (maxStartups !== undefined && dropsStartup(this.#startups, maxStartups, this.#nature.draw)) return "maxStartups";
    return this.#count(name);
  }

  /** @returns the outcome for the client's source; `undefined` if it gets no penalty */
  penalise(remoteAddress: string | undefined, cause: PenaltyCause): Penalised | undefined {
    const address = this.#penalisable(remoteAddress);
    if (address === undefined) return undefined;
    return this.#penalties?.[address.family].penalise(this.#sourceName(address), cause, this.#nature.now());
  }

  #count(name: string | undefined): Ticket {
    this.#startups++;
    this.#connections++;
    const known = name === undefined ? undefined : this.#sources.get(name);
    const source = known ?? { name, startups: 0, connections: 0 };
    if (name !== undefined) this.#sources.set(name, source);
    return new Ticket(source, this.#counter);
  }

  /** Whether more than a quarter of what one of the limits allows is taken. */
  #isScarce({ startups, connections }: Source): boolean {
    const { maxStartups, perSourceMaxStartups, perSourceMaxConnections, maxConnectionsPerUser } = this.#settings;
    return (
      isScarce(startups, perSourceMaxStartups) ||
      isScarce(connections, perSourceMaxConnections) ||
      (maxStartups !== undefined && isScarce(this.#startups, maxStartups.start)) ||
      // Whose it will be is not known yet.
      maxConnectionsPerUser !== Number.POSITIVE_INFINITY
    );
  }

  /** Of all tickets. */
  readonly #counter: TicketCounter = {
    isScarce: (source) => this.#isScarce(source),
    startupOver: () => this.#startups--,
    enterUser: (username) => this.#enterUser(username),
    userLeft: (username) => this.#userLeft(username),
    connectionOver: () => this.#connections--,
    sourceGone: ({ name }) => name !== undefined && this.#sources.delete(name),
  };

  #enterUser(username: string): boolean {
    const count = this.#users.get(username) ?? 0;
    if (count >= this.#settings.maxConnectionsPerUser) return false;
    this.#users.set(username, count + 1);
    return true;
  }

  #userLeft(username: string): void {
    const count = this.#users.get(username) ?? 0;
    if (count > 1) this.#users.set(username, count - 1);
    else this.#users.delete(username);
  }

  #penalisable(remoteAddress: string | undefined): Address | undefined {
    return isPenalisable(remoteAddress, this.#settings) ? parseAddress(remoteAddress) : undefined;
  }

  #sourceName(address: Address): string {
    return netBlock(address, this.#settings.perSourceNetBlockSize);
  }
}

/** A proxy that speaks for itself, to see whether the server is there, is not penalised either. */
export function isPenalisable(
  remoteAddress: string | undefined,
  { perSourcePenalties, penaltyExempt, proxies }: AdmissionSettings,
): remoteAddress is string {
  if (remoteAddress === undefined || perSourcePenalties === undefined) return false;
  return !penaltyExempt.has(remoteAddress) && !proxies.has(remoteAddress);
}

const NOBODY: Source = { name: undefined, startups: 0, connections: 0 };

function limitsOf({ times, max, min, maxSources, overflow }: PenaltySettings, family: Address["family"]) {
  return { times, max, min, maxSources: maxSources[family], overflow: overflow[family] };
}

/** Whether more than a quarter of what a limit allows is taken: a burst of clients may then come for all that is left. */
export function isScarce(taken: number, limit: number): boolean {
  return 4 * taken > limit;
}

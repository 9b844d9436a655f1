import { type Expiring, ExpiryHeap } from "./expiry-heap.js";

/** The causes for which a source is penalised, the gravest first. */
export const penaltyCauses = [
  "crash",
  "refuseConnection",
  "graceExceeded",
  "invalidUser",
  "authFail",
  "noAuth",
] as const;
/** What a source is penalised for, as PerSourcePenalties of sshd_config(5) names it. */
export type PenaltyCause = (typeof penaltyCauses)[number];

/** Seconds. */
export interface PenaltyTimes {
  /** The client has brought about an internal error before it was logged in. */
  readonly crash: number;
  /** It has left without a login after an attempt that was refused. */
  readonly authFail: number;
  /** The same for a user who does not exist: see `Connection.reportInvalidUser`. */
  readonly invalidUser: number;
  /** It has left, or broken the protocol, without an attempt. */
  readonly noAuth: number;
  /** It has not logged in in time. */
  readonly graceExceeded: number;
  /** The server did not want it: see `Connection.refuse`. */
  readonly refuseConnection: number;
}

export const overflowModes = ["permissive", "deny-all"] as const;
/** What is done once penalties are kept for as many sources as can be, as in PerSourcePenalties of sshd_config(5). */
export type OverflowMode = (typeof overflowModes)[number];

export interface PenaltyLimits {
  readonly times: PenaltyTimes;
  /** Seconds to which penalties add up at most. */
  readonly max: number;
  /** Seconds: a source is refused once its penalties add up to more. */
  readonly min: number;
  readonly maxSources: number;
  readonly overflow: OverflowMode;
}

interface Penalty extends Expiring {
  readonly source: string;
  /** Enforced: it was more than `min` once. */
  active: boolean;
}

/** The outcome of a penalty. */
export interface Penalised {
  /** Seconds that are left of all penalties of the source. */
  readonly seconds: number;
  /** Whether the source is refused now. */
  readonly enforced: boolean;
}

/**
 * The penalties of the sources of one address family: PerSourcePenalties of sshd_config(5). They decay with time, and
 * there are never more than `maxSources`. Times are in milliseconds, of a clock that only goes forward.
 */
export class Penalties {
  #limits: PenaltyLimits;
  readonly #bySource = new Map<string, Penalty>();
  readonly #byExpiry = new ExpiryHeap<Penalty>();
  #active = 0;

  constructor(limits: PenaltyLimits) {
    this.#limits = limits;
  }

  /** New limits for the penalties that are to come; those that were given stay as they are. */
  set limits(limits: PenaltyLimits) {
    this.#limits = limits;
    while (this.#bySource.size > limits.maxSources) this.#forgetFirst();
  }

  /** Sources remembered. */
  get size(): number {
    return this.#bySource.size;
  }

  /** Sources that are refused. */
  refusedSources(now: number): number {
    this.#expire(now);
    return this.#active;
  }

  /** The objection to a source at this time, if there is one. */
  objection(source: string, now: number): "penalty" | "overflow" | undefined {
    this.#expire(now);
    if (this.#bySource.get(source)?.active) return "penalty";
    return this.#limits.overflow === "deny-all" && this.#full ? "overflow" : undefined;
  }

  /** @returns `undefined` where nothing is added: the cause has no penalty, or there is no room for one */
  penalise(source: string, cause: PenaltyCause, now: number): Penalised | undefined {
    const added = 1000 * this.#limits.times[cause];
    if (added === 0) return undefined;
    this.#expire(now);
    const penalty = this.#bySource.get(source) ?? this.#remember(source, now);
    if (penalty === undefined) return undefined;
    // It may have been given when the limits were others.
    const most = Math.max(penalty.expiry, now + 1000 * this.#limits.max);
    penalty.expiry = Math.min(penalty.expiry + added, most);
    this.#byExpiry.putOff(penalty);
    const remaining = penalty.expiry - now;
    if (!penalty.active && remaining > 1000 * this.#limits.min) {
      penalty.active = true;
      this.#active++;
    }
    while (this.#bySource.size > this.#limits.maxSources) this.#forgetFirst();
    return this.#bySource.has(source) ? { seconds: remaining / 1000, enforced: penalty.active } : undefined;
  }

  get #full(): boolean {
    return this.#bySource.size >= this.#limits.maxSources;
  }

  #remember(source: string, now: number): Penalty | undefined {
    if (this.#full && this.#limits.overflow === "deny-all") return undefined;
    const penalty = { source, expiry: now, place: 0, active: false };
    this.#bySource.set(source, penalty);
    this.#byExpiry.add(penalty);
    return penalty;
  }

  #expire(now: number): void {
    while ((this.#byExpiry.first?.expiry ?? Number.POSITIVE_INFINITY) <= now) this.#forgetFirst();
  }

  #forgetFirst(): void {
    const penalty = this.#byExpiry.takeFirst();
    if (penalty === undefined) return;
    this.#bySource.delete(penalty.source);
    if (penalty.active) this.#active--;
  }
}

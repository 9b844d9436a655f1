import type { MaybePromise } from "../../base/maybe-promise.js";
import type { Penalised, PenaltyCause } from "./penalties.js";

/** The place of a connection among those that are counted, whether this process counts them or another. */
export interface ConnectionPlace {
  /** With it, more than a quarter of what a limit allows is taken: somebody may soon come for its place. */
  readonly isScarce?: boolean;
  /** Somebody has logged in. Returns whether this user may have one connection more. */
  logIn(username: string): MaybePromise<boolean>;
  /** @returns the outcome for the client's source; `undefined` if it gets no penalty */
  penalise(cause: PenaltyCause): MaybePromise<Penalised | undefined>;
  /** Nothing is left of the connection. May be called again. */
  release(): void;
}

/** The place of a connection that is only told that it is refused. */
export type RefusedPlace = Pick<ConnectionPlace, "release">;

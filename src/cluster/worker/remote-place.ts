import { createHash } from "node:crypto";
import type { MaybePromise } from "../../base/maybe-promise.js";
import { isPenalisable } from "../../server/admission/admission.js";
import type { ConnectionPlace } from "../../server/admission/connection-place.js";
import type { AdmissionSettings } from "../../server/admission/options.js";
import type { Penalised, PenaltyCause } from "../../server/admission/penalties.js";
import type { ProcessLine } from "../calls/process-line.js";
import { type HandedConnection, LOG_IN, MAX_COUNTED_NAME, PENALISE } from "../messages.js";
import type { Reports } from "./reports.js";

/** The ways to the primary. */
export interface PrimaryLine {
  readonly line: ProcessLine;
  readonly reports: Reports;
}

/** The place of a connection that the primary counts. It is asked only where its answer is needed. */
export class RemotePlace implements ConnectionPlace {
  readonly #line: ProcessLine;
  readonly #reports: Reports;
  readonly #id: number;
  readonly #isUrgent: boolean;
  readonly #remoteAddress: string | undefined;
  readonly #settings: AdmissionSettings;
  readonly #released: () => void;
  #hasLoggedIn = false;
  #isReleased = false;

  constructor(
    { line, reports }: PrimaryLine,
    { id, info, isUrgent }: HandedConnection,
    settings: AdmissionSettings,
    released: () => void,
  ) {
    this.#line = line;
    this.#reports = reports;
    this.#id = id;
    this.#isUrgent = isUrgent;
    this.#remoteAddress = info.remoteAddress;
    this.#settings = settings;
    this.#released = released;
  }

  logIn(name: string): MaybePromise<boolean> {
    const login = { id: this.#id, username: countedName(name) };
    if (this.#settings.maxConnectionsPerUser === Number.POSITIVE_INFINITY) {
      this.#hasLoggedIn = true;
      this.#reports.loggedIn(login, this.#isUrgent);
      return true;
    }
    this.#reports.flush();
    return this.#line.call(LOG_IN, login);
  }

  penalise(cause: PenaltyCause): MaybePromise<Penalised | undefined> {
    if (!isPenalisable(this.#remoteAddress, this.#settings)) return undefined;
    this.#reports.flush();
    // When the primary is gone, so is this process.
    return this.#line.call(PENALISE, { id: this.#id, cause }).catch(() => undefined);
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#reports.gone(this.#id, this.#isUrgent || !this.#hasLoggedIn);
    this.#released();
  }
}

function countedName(name: string): string {
  return name.length <= MAX_COUNTED_NAME ? name : createHash("sha256").update(name).digest("hex");
}

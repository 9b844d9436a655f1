import { ConfigurationError } from "../../base/configuration-error.js";
import { shown } from "../../base/option-checks.js";
import { isWorker } from "../../base/worker-number.js";

/** A socket that systemd has opened, as an address for `listen`. */
export interface SystemdSocket {
  /** The file descriptor of the socket, from 3 on. */
  readonly fd: number;
  /** FileDescriptorName= of systemd.socket(5), by default the name of the unit. */
  readonly name?: string;
}

/** SD_LISTEN_FDS_START of sd_listen_fds(3). */
const FIRST_DESCRIPTOR = 3;

/** More would be a mistake. */
const MAX_SOCKETS = 64;

/** Those of newer versions are there beside the others. */
const VARIABLES = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"] as const;

/** Of the environment of this process. */
let own: readonly SystemdSocket[] | undefined;

/**
 * The sockets that systemd has opened for this process (sd_listen_fds(3)): none where it was started otherwise. The variables
 * that tell of them are removed, so that no program inherits them; later calls return the same. With `serveWithWorkers` it is to be
 * called in `prepare`, from where the sockets come to `start` as its data.
 *
 * @throws {ConfigurationError} naming the variable that cannot be understood; and in a worker, for which systemd has opened none
 */
export function systemdSockets(environment: NodeJS.ProcessEnv = process.env): readonly SystemdSocket[] {
  if (isWorker()) {
    const cure = "call it in `prepare`, and listen on the data that `start` gets";
    throw new ConfigurationError("systemdSockets", `a worker has none: ${cure}`);
  }
  if (environment !== process.env) return socketsOf(environment);
  own ??= socketsOf(environment);
  return own;
}

function socketsOf(environment: NodeJS.ProcessEnv): readonly SystemdSocket[] {
  const { LISTEN_PID: pid, LISTEN_FDS: count, LISTEN_FDNAMES: names } = environment;
  for (const variable of VARIABLES) delete environment[variable];
  // Those of another process, which has passed its environment on.
  if (pid === undefined || readNumber("LISTEN_PID", pid, Number.MAX_SAFE_INTEGER) !== process.pid) return [];
  const length = readNumber("LISTEN_FDS", count, MAX_SOCKETS);
  const listed = names === undefined ? [] : names.split(":");
  if (names !== undefined && listed.length !== length) {
    throw new ConfigurationError("LISTEN_FDNAMES", `has ${listed.length} names for ${length} sockets`);
  }
  return Array.from({ length }, (_, index) => {
    const name = listed[index];
    return { fd: FIRST_DESCRIPTOR + index, ...(name !== undefined && { name }) };
  });
}

function readNumber(variable: string, text: string | undefined, maximum: number): number {
  const number = text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (number <= maximum) return number;
  throw new ConfigurationError(variable, `is ${shown(text)}, not a number up to ${maximum}`);
}

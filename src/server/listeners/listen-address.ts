import { isIPv4 } from "node:net";
import { resolve } from "node:path";
import { ConfigurationError } from "../../base/configuration-error.js";
import { checkInteger, checkOptions, checkText, kindOf } from "../../base/option-checks.js";
import { MAX_SOCKET_PATH } from "../../forwarding/stream-local/socket-path.js";

/**
 * An address to listen on: a port of TCP; a socket of the file system, with its permission bits, by default 0o600; or a
 * socket that listens already, by its file descriptor, and a name for the log: see `systemdSockets`.
 */
export type ListenAddress =
  | { readonly port: number; readonly host?: string }
  | { readonly path: string; readonly mode?: number }
  | { readonly fd: number; readonly name?: string };

/** An address that is listened on. A `fd` is that of a socket of the file system which somebody else has opened. */
export type BoundAddress =
  | { readonly address: string; readonly port: number }
  | { readonly path: string }
  | { readonly fd: number; readonly name?: string };

/** An address to listen on, checked and complete. */
export type Place =
  | { readonly kind: "port"; readonly host: string; readonly port: number; readonly names: PortNames }
  | { readonly kind: "socket"; readonly path: string; readonly mode: number; readonly option: string }
  | { readonly kind: "descriptor"; readonly fd: number; readonly name?: string; readonly option: string };

/** What errors call the two parts of an address. */
interface PortNames {
  readonly host: string;
  readonly port: string;
}

/** More would be a mistake. */
const MAX_ADDRESSES = 64;

/** Only the user who runs the server connects. */
const DEFAULT_MODE = 0o600;

/**
 * Node.js would take an empty address for all addresses.
 *
 * @throws {ConfigurationError}
 */
export function checkPort(host: string, port: number, names: PortNames): Place {
  if (typeof host !== "string" || host === "") {
    throw new ConfigurationError(names.host, `must be an address, not ${JSON.stringify(host)}`);
  }
  return { kind: "port", host, port: checkInteger(names.port, port, 0, 65_535), names };
}

/**
 * @param option of the addresses
 * @param defaultHost of a port without one
 * @throws {ConfigurationError} naming the part that cannot be used
 */
export function checkListenAddresses(
  option: string,
  given: ListenAddress | readonly ListenAddress[],
  defaultHost: string,
): readonly Place[] {
  if (!Array.isArray(given)) return [checkListenAddress(option, given as ListenAddress, defaultHost)];
  if (given.length === 0) throw new ConfigurationError(option, "must have at least one address");
  if (given.length > MAX_ADDRESSES) throw new ConfigurationError(option, `must not have more than ${MAX_ADDRESSES}`);
  return given.map((address, place) => checkListenAddress(`${option}[${place}]`, address, defaultHost));
}

function checkListenAddress(option: string, given: ListenAddress, defaultHost: string): Place {
  if (typeof given !== "object" || given === null) {
    const wanted = "must be an object with a port, a path or an fd";
    throw new ConfigurationError(option, `${wanted}, not ${kindOf(given)}`);
  }
  if ("path" in given) {
    const { path, mode = DEFAULT_MODE } = checkOptions(given, ["path", "mode"], option);
    checkSocketPath(`${option}.path`, path);
    return { kind: "socket", path, mode: checkInteger(`${option}.mode`, mode, 0, 0o777), option: `${option}.path` };
  }
  if ("fd" in given) {
    const { fd, name } = checkOptions(given, ["fd", "name"], option);
    checkInteger(`${option}.fd`, fd, 0, 2 ** 31 - 1);
    if (name !== undefined) checkText(`${option}.name`, name);
    return { kind: "descriptor", fd, ...(name !== undefined && { name }), option: `${option}.fd` };
  }
  const { host = defaultHost, port } = checkOptions(given, ["host", "port"], option);
  return checkPort(host, port, { host: `${option}.host`, port: `${option}.port` });
}

/** The system would cut a longer one. */
function checkSocketPath(option: string, path: string): void {
  checkText(option, path);
  if (path === "" || path.endsWith("/") || path.includes("\0")) {
    throw new ConfigurationError(option, `must be the path of a socket, not ${JSON.stringify(path)}`);
  }
  const length = Buffer.byteLength(resolve(path));
  if (length <= MAX_SOCKET_PATH) return;
  throw new ConfigurationError(option, `has ${length} bytes with its folder, and may have ${MAX_SOCKET_PATH}`);
}

/** Whether two lists name the same addresses, in the same order. */
export function samePlaces(places: readonly Place[], others: readonly Place[]): boolean {
  return places.length === others.length && places.every((place, index) => isSame(place, others[index]));
}

function isSame(place: Place, other: Place | undefined): boolean {
  switch (place.kind) {
    case "port":
      return other?.kind === "port" && other.port === place.port && other.host === place.host;
    case "socket":
      return other?.kind === "socket" && other.path === place.path && other.mode === place.mode;
    case "descriptor":
      return other?.kind === "descriptor" && other.fd === place.fd;
  }
}

/** Whether a port has to leave IPv4 to another of the places, which `::` would take as well. */
export function leavesIPv4(place: Place, places: readonly Place[]): boolean {
  return (
    place.kind === "port" &&
    places.some((other) => other.kind === "port" && other.port === place.port && isIPv4(other.host))
  );
}

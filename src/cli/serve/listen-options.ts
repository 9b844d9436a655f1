import type { ListenAddress } from "../../index.js";
import { UsageError } from "../errors.js";
import { parseText } from "../option-values.js";

export const DEFAULT_HOST = "127.0.0.1";
export const DEFAULT_PORT = 2222;

/** The values of the options, as they stand on the command line. */
export interface ListenArguments {
  readonly listen?: readonly string[] | undefined;
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly "socket-mode"?: string | undefined;
}

/**
 * Reads the addresses to listen on; `undefined` where none is given.
 *
 * @throws {UsageError}
 */
export function parseListen(values: ListenArguments): readonly ListenAddress[] | undefined {
  const { listen, host, port, "socket-mode": modeText } = values;
  const mode = modeText === undefined ? undefined : parseMode("--socket-mode", modeText);
  const addresses = listen?.map((text) => parseAddress("--listen", text, mode));
  if (mode !== undefined && !addresses?.some((address) => "path" in address)) {
    throw new UsageError("--socket-mode needs --listen with the path of a socket");
  }
  if (addresses !== undefined) {
    if (host === undefined && port === undefined) return addresses;
    throw new UsageError("--listen is in place of --host and --port: give an address and its port together");
  }
  if (host === undefined && port === undefined) return undefined;
  return [
    {
      host: host === undefined ? DEFAULT_HOST : parseText("--host", host),
      port: port === undefined ? DEFAULT_PORT : parsePort("--port", port),
    },
  ];
}

/** `192.0.2.1:22`, `[2001:db8::1]:22`, `localhost:22`, or `/run/spindlex.sock`. */
function parseAddress(option: string, text: string, mode: number | undefined): ListenAddress {
  parseText(option, text);
  if (text.startsWith("/")) return { path: text, ...(mode !== undefined && { mode }) };
  const [, bracketed, plain, port] = /^(?:\[([^[\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || port === undefined) {
    const forms = "HOST:PORT, [IPV6]:PORT or the absolute path of a socket";
    throw new UsageError(`${option} is '${text}', not ${forms}`);
  }
  return { host, port: parsePort(`the port of ${option}`, port) };
}

function parsePort(option: string, text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) throw new UsageError(`${option} is '${text}', not a number from 0 to 65535`);
  return port;
}

/** Permission bits, in octal. */
function parseMode(option: string, text: string): number {
  if (!/^0?[0-7]{3}$/.test(text)) throw new UsageError(`${option} is '${text}', not permission bits such as 660`);
  return Number.parseInt(text, 8);
}

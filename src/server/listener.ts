import { createServer, type Server, type Socket } from "node:net";
import { ConfigurationError } from "../base/configuration-error.js";

/** Connections that may wait to be accepted: who comes when it is full, comes again a second later. The system may have less. */
const LISTEN_BACKLOG = 4096;

export interface ListenerOptions {
  readonly address: string;
  /** 0 for one that is free. */
  readonly port: number;
  accepted(socket: Socket): void;
  /** A connection could not be accepted. */
  failed(error: Error): void;
}

/**
 * Resolves once it listens.
 *
 * @throws {ConfigurationError} when the address or port cannot be listened on; its cause is the system's error
 */
export function listen({ address, port, accepted, failed }: ListenerOptions): Promise<Server> {
  return new Promise((resolve, reject) => {
    const listener = createServer(accepted);
    listener.once("error", (error: NodeJS.ErrnoException) => reject(listenError(error, address, port)));
    listener.listen(port, address, LISTEN_BACKLOG, () => {
      listener.removeAllListeners("error");
      listener.on("error", failed);
      resolve(listener);
    });
  });
}

/**
 * Node.js would take an empty address for all addresses.
 *
 * @throws {ConfigurationError}
 */
export function checkAddress(address: string, option = "bindAddress"): string {
  if (typeof address === "string" && address !== "") return address;
  throw new ConfigurationError(option, `must be an address, not ${JSON.stringify(address)}`);
}

function listenError(error: NodeJS.ErrnoException, address: string, port: number): ConfigurationError {
  const options = { cause: error };
  switch (error.code) {
    case "EADDRINUSE":
      return new ConfigurationError("port", `${address} port ${port} is already in use`, options);
    case "EACCES":
      return new ConfigurationError("port", `no permission to listen on ${address} port ${port}`, options);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EINVAL":
      return new ConfigurationError("bindAddress", `${address} is not an address of this machine`, options);
    default:
      return new ConfigurationError(
        "bindAddress",
        `cannot listen on ${address} port ${port}: ${error.message}`,
        options,
      );
  }
}

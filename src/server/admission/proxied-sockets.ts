import type { Socket } from "node:net";
import { isError } from "../../base/is-error.js";
import { streamInfo } from "../stream-info.js";
import type { NetworkSet } from "./network-set.js";
import { type Proxied, type ProxyHeader, ProxyHeaderError, readProxyHeader } from "./proxy-header.js";

export interface ProxiedSocketsOptions {
  readonly proxies: NetworkSet;
  /** Milliseconds from accept to the end of the header. */
  readonly proxyHeaderTimeout: number;
}

export interface ProxiedSocketsObserver {
  /** The header is off the socket, which is paused; what followed it is still in there. */
  accepted(socket: Socket, from: Proxied): void;
  /** The socket is closed. */
  refused(remoteAddress: string | undefined, error: Error): void;
}

/**
 * Sockets of proxies that have not said yet whom they speak for. A proxy sends its header at once, whatever its client
 * does: so no socket waits for a client, and no socket is kept for longer than the deadline.
 */
export class ProxiedSockets {
  #options: ProxiedSocketsOptions;
  readonly #observer: ProxiedSocketsObserver;
  readonly #giveUps = new Set<() => void>();

  constructor(options: ProxiedSocketsOptions, observer: ProxiedSocketsObserver) {
    this.#options = options;
    this.#observer = observer;
  }

  /** For sockets that are to come. */
  set options(options: ProxiedSocketsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#giveUps.size;
  }

  isFromProxy(socket: Socket): boolean {
    return this.#options.proxies.has(socket.remoteAddress);
  }

  add(socket: Socket): void {
    const { remoteAddress } = streamInfo(socket);
    let received: Buffer = Buffer.alloc(0);
    const finish = () => {
      clearTimeout(timer);
      this.#giveUps.delete(giveUp);
      socket.off("data", receive).off("end", ended).off("close", ended).off("error", refuse);
    };
    const refuse = (error: Error) => {
      finish();
      // A reset may still come.
      socket.on("error", () => {});
      socket.destroy();
      this.#observer.refused(remoteAddress, error);
    };
    const receive = (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      let header: ProxyHeader | undefined;
      try {
        header = readProxyHeader(received);
      } catch (error) {
        refuse(isError(error) ? error : new Error(String(error)));
        return;
      }
      if (header === undefined) return;
      socket.pause();
      if (received.length > header.length) socket.unshift(received.subarray(header.length));
      finish();
      this.#observer.accepted(socket, header.from);
    };
    const ended = () => refuse(new ProxyHeaderError("the connection ended before the header did"));
    const giveUp = () => refuse(new ProxyHeaderError("the server is shutting down"));
    const timer = setTimeout(
      () => refuse(new ProxyHeaderError("the header did not come in time")),
      this.#options.proxyHeaderTimeout,
    );
    this.#giveUps.add(giveUp);
    // It may have been paused since it was accepted.
    socket.on("data", receive).on("end", ended).on("close", ended).on("error", refuse).resume();
  }

  /** Closes the sockets whose headers have not come. */
  close(): void {
    for (const giveUp of this.#giveUps) giveUp();
  }
}

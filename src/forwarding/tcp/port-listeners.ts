import type { Socket } from "node:net";
import { loggedText } from "../../base/logged-text.js";
import { forwardConnection, type ListenContext } from "../forwarded-connections.js";
import { endpointText } from "../forwarding-log.js";
import { type Listener, ListenerRegister, ListenRefusal, listenRefusal } from "../listener-register.js";
import { encodeForwardedTcpip } from "../open-fields.js";
import { resetSocket } from "../reset-socket.js";
import { bindAddresses } from "./bind-addresses.js";
import { listenOnPort } from "./listen-on-port.js";

/** Ports below it are for the services of the machine. */
const FIRST_UNPRIVILEGED_PORT = 1024;

/** A host's name, an address with its zone, or nothing. Node.js would cut another text at a NUL. */
const ADDRESS = /^(?:\*|[\w.:%-]{0,255})$/;

/** A port that a client wants the server to listen on, or to listen on no longer (RFC 4254 §7.1). */
export interface AskedPort {
  /** The address to bind, as the client says it. */
  readonly address: string;
  readonly port: number;
}

interface PortListener extends Listener {
  readonly port: number;
}

/** The ports that are listened on for one client: `ssh -R`. They are gone with its connection. */
export class PortListeners {
  readonly #context: ListenContext;
  readonly #listeners: ListenerRegister<PortListener>;

  constructor(context: ListenContext) {
    this.#context = context;
    this.#listeners = new ListenerRegister(context.places.listeners, context.connection);
  }

  /**
   * @param asked port 0 lets the system choose, the same port for all addresses
   * @returns the port that is listened on; `undefined` where it is not, with a report. Never rejects
   */
  async listen(asked: AskedPort): Promise<number | undefined> {
    try {
      this.#check(asked);
      const name = asked.port === 0 ? undefined : nameOf(asked);
      return (await this.#listeners.open(name, () => this.#open(asked))).port;
    } catch (error) {
      const { message, cause } = listenRefusal(error);
      if (!this.#context.connection.signal.aborted) this.#report(asked, message, cause);
      return undefined;
    }
  }

  /**
   * Listens no more; connections that were accepted go on.
   *
   * @param asked the address as it was asked for, and the port that is listened on
   * @returns whether there was such a listener of this client. The port is free when the call returns
   */
  cancel(asked: AskedPort): Promise<boolean> {
    return this.#listeners.close(nameOf(asked));
  }

  #check({ address, port }: AskedPort): void {
    if (!ADDRESS.test(address)) throw new ListenRefusal("it is not an address");
    if (port !== 0 && port < FIRST_UNPRIVILEGED_PORT && !this.#context.settings.privilegedPorts) {
      throw new ListenRefusal("ports under 1024 are not listened on");
    }
  }

  async #open({ address, port }: AskedPort): Promise<PortListener> {
    let listener: PortListener | undefined;
    const { connection, settings } = this.#context;
    const bound = await listenOnPort(bindAddresses(address, settings.gatewayPorts), port, connection, {
      // Until all addresses are listened on, the client has not been promised any connection.
      accepted: (socket) => (listener === undefined ? resetSocket(socket) : this.#forward(socket, address)),
      failed: (error) =>
        this.#report({ address, port: listener?.port ?? port }, "a connection could not be accepted", error),
    });
    listener = {
      name: nameOf({ address, port: bound.port }),
      port: bound.port,
      close: async () => {
        for (const server of bound.servers) server.close();
      },
    };
    return listener;
  }

  #forward(socket: Socket, address: string): void {
    const { localPort, remoteAddress, remotePort } = socket;
    // It was reset before it was accepted.
    if (localPort === undefined || remoteAddress === undefined || remotePort === undefined) {
      socket.destroy();
      return;
    }
    const fields = encodeForwardedTcpip({
      address,
      port: localPort,
      originatorAddress: remoteAddress,
      originatorPort: remotePort,
    });
    const listener = textOf({ address, port: localPort });
    void forwardConnection(this.#context, socket, { kind: "forwarded-tcpip", fields, listener });
  }

  #report(asked: AskedPort, reason: string, cause: unknown): void {
    this.#context.report({ listener: textOf(asked), reason, cause });
  }
}

function nameOf({ address, port }: AskedPort): string {
  return `${port} ${address}`;
}

function textOf({ address, port }: AskedPort): string {
  return loggedText(endpointText(address, port));
}

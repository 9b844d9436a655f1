import { loggedText } from "../../base/logged-text.js";
import { forwardConnection, type ListenContext } from "../forwarded-connections.js";
import { type Listener, ListenerRegister, ListenRefusal, listenRefusal } from "../listener-register.js";
import { encodeForwardedStreamlocal } from "../open-fields.js";
import { bindSocket } from "./bind-socket.js";
import { type HeldFile, holdFile, OutsideRootsError } from "./held-file.js";
import { parseSocketPath, type SocketPath } from "./socket-path.js";

/**
 * The sockets of the file system that are listened on for one client (OpenSSH PROTOCOL §2.4): `ssh -R` with a path. They
 * are gone with its connection.
 */
export class SocketListeners {
  readonly #context: ListenContext;
  readonly #listeners: ListenerRegister<Listener>;

  constructor(context: ListenContext) {
    this.#context = context;
    this.#listeners = new ListenerRegister(context.places.listeners, context.connection);
  }

  /**
   * @param path as the client says it
   * @returns whether it is listened on; where it is not, there is a report. Never rejects
   */
  async listen(path: string): Promise<boolean> {
    try {
      const socket = parseSocketPath(path);
      if (socket === undefined) throw new ListenRefusal("it is not the path of a socket");
      await this.#listeners.open(path, () => this.#open(path, socket));
      return true;
    } catch (error) {
      const { message, cause } = listenRefusal(error);
      if (!this.#context.connection.signal.aborted) this.#report(path, message, cause);
      return false;
    }
  }

  /**
   * Listens no more; connections that were accepted go on.
   *
   * @returns whether there was such a listener of this client, once its socket is removed
   */
  cancel(path: string): Promise<boolean> {
    return this.#listeners.close(path);
  }

  async #open(path: string, socket: SocketPath): Promise<Listener> {
    const { socketRoots, socketBindMask: mask, socketBindUnlink } = this.#context.settings;
    const fields = encodeForwardedStreamlocal({ socketPath: path });
    const channel = { kind: "forwarded-streamlocal@openssh.com", fields, listener: loggedText(path) } as const;
    const folder = await holdFolder(socket.folder, socketRoots);
    const existing = socketBindUnlink ? "replaced" : "kept";
    const bound = await bindSocket(
      folder,
      socket.name,
      { mask, existing },
      {
        accepted: (connection) => void forwardConnection(this.#context, connection, channel),
        failed: (error) => this.#report(path, "a connection could not be accepted", error),
      },
    );
    return { name: path, close: () => bound.close() };
  }

  #report(path: string, reason: string, cause: unknown): void {
    this.#context.report({ listener: loggedText(path), reason, cause });
  }
}

async function holdFolder(folder: string, roots: readonly string[]): Promise<HeldFile> {
  try {
    return await holdFile(folder, roots);
  } catch (error) {
    throw error instanceof OutsideRootsError ? new ListenRefusal("it is outside the folders for sockets") : error;
  }
}

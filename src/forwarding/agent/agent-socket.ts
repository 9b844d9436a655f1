import { randomBytes } from "node:crypto";
import { chmod } from "node:fs/promises";
import type { Server, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { FileOwner } from "../../session/file-owner.js";
import { acceptConnections } from "../accept-connections.js";
import type { SessionForwardingLog } from "../forwarding-log.js";
import { join } from "../join.js";
import { PrivateFolder } from "../private-folder.js";
import { MAX_SOCKET_PATH } from "../stream-local/socket-path.js";
import { AgentError } from "./agent-error.js";

/** Connections of programs at a time; each takes one of the client's channels. */
const MAX_CONNECTIONS = 32;

const FOLDER_PREFIX = "spindlex-";

export interface AgentSocketSettings {
  readonly owner: FileOwner;
  /** Connects to the agent; rejects when the signal fires. */
  readonly openStream: () => Promise<Duplex>;
  /** Ends all of it: the socket, its directory, and the connections. */
  readonly signal: AbortSignal;
  readonly log: SessionForwardingLog;
}

/** A socket at which programs find the agent of a client. */
export class AgentSocket {
  readonly path: string;
  readonly #folder: PrivateFolder;
  readonly #settings: AgentSocketSettings;
  #server: Server | undefined;

  private constructor(folder: PrivateFolder, name: string, settings: AgentSocketSettings) {
    this.#folder = folder;
    this.path = folder.fileNamed(name);
    this.#settings = settings;
  }

  /**
   * @throws {AgentError} `socket` where it cannot be made
   * @throws the reason of the signal, when it fires
   */
  static async listen(settings: AgentSocketSettings): Promise<AgentSocket> {
    // The owner of the directory may replace it: nobody else has a socket of this name that could be removed by that.
    const name = `agent.${randomBytes(8).toString("hex")}`;
    const length = PrivateFolder.pathLength(FOLDER_PREFIX, name);
    if (length > MAX_SOCKET_PATH) {
      const message = `a socket in TMPDIR would have a path of ${length} bytes, and may have ${MAX_SOCKET_PATH} at most`;
      throw new AgentError("socket", message);
    }
    const folder = await unlessImpossible(PrivateFolder.make(FOLDER_PREFIX));
    const socket = new AgentSocket(folder, name, settings);
    try {
      await unlessImpossible(socket.#listen());
      settings.signal.throwIfAborted();
    } catch (error) {
      await socket.#close();
      throw error;
    }
    settings.signal.addEventListener("abort", () => void socket.#close(), { once: true });
    return socket;
  }

  async #listen(): Promise<void> {
    const { owner, log } = this.#settings;
    this.#server = await acceptConnections(
      { path: this.path },
      {
        accepted: (socket) => void this.#accept(socket),
        failed: (error) => log.refused("a program could not connect to the agent", error),
      },
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on("drop", () => log.refused("too many programs use the agent"));
    await chmod(this.path, 0o600);
    await this.#folder.giveTo(owner);
  }

  async #accept(socket: Socket): Promise<void> {
    socket.on("error", () => {});
    const { openStream, signal, log } = this.#settings;
    try {
      const stream = await openStream();
      log.ended(await join(stream, socket, { signal }));
    } catch (error) {
      socket.destroy();
      if (!signal.aborted) log.refused("a program was not connected to the agent", error);
    }
  }

  async #close(): Promise<void> {
    // This removes the socket from its directory, too.
    this.#server?.close();
    await this.#folder
      .remove()
      .catch((error) => this.#settings.log.notRemoved("the folder of the agent's socket was not removed", error));
  }
}

async function unlessImpossible<T>(making: Promise<T>): Promise<T> {
  try {
    return await making;
  } catch (cause) {
    throw new AgentError("socket", "the socket for programs could not be made", { cause });
  }
}

import type { Socket } from "node:net";
import { Writer } from "../../protocol/writer.js";
import type { X11Request } from "../../session/forwarded-x11.js";
import type { SessionChannel } from "../../session/session-channel.js";
import type { SessionForwardingLog } from "../forwarding-log.js";
import { join } from "../join.js";
import { resetSocket } from "../reset-socket.js";
import { hasShownCookie } from "./cookie-check.js";
import { credentialsOf } from "./x11-request.js";

/** X clients of one display that have not shown its cookie yet. Anybody on the machine can be one. */
const MAX_UNPROVEN = 32;

/** X clients of one display that have: each has a channel of the connection, or waits for it. */
const MAX_FORWARDED = 256;

/** Milliseconds from the connection of an X client until its channel has to be there. */
const SETUP_TIME = 30_000;

/** The programs that have connected to the display of a session. */
export class X11Clients {
  readonly #channel: SessionChannel;
  readonly #request: X11Request;
  readonly #log: SessionForwardingLog;
  readonly #lastCame: () => void;
  readonly #unproven = new Set<Socket>();
  readonly #forwarded = new Set<Socket>();
  #firstCame = false;

  /** @param lastCame is called when no more X clients are taken, since the client wants only one */
  constructor(channel: SessionChannel, request: X11Request, log: SessionForwardingLog, lastCame: () => void) {
    this.#channel = channel;
    this.#request = request;
    this.#log = log;
    this.#lastCame = lastCame;
  }

  /** @param socket paused; what may be half-closed */
  accept(socket: Socket): void {
    const timer = setTimeout(() => this.#refuse(socket, "an X client's channel was not there in time"), SETUP_TIME);
    socket.once("close", () => {
      clearTimeout(timer);
      this.#unproven.delete(socket);
      this.#forwarded.delete(socket);
    });
    // A socket that fails is closed, which is all that matters here.
    socket.on("error", () => {});
    const [oldest] = this.#unproven;
    // X clients show their cookie at once: the oldest is the least likely to have one.
    if (oldest !== undefined && this.#unproven.size >= MAX_UNPROVEN) this.#refuse(oldest, "too many X clients wait");
    this.#unproven.add(socket);
    void this.#forward(socket, () => clearTimeout(timer));
  }

  /** The session is over. */
  end(): void {
    for (const socket of [...this.#unproven, ...this.#forwarded]) resetSocket(socket);
  }

  async #forward(socket: Socket, opened: () => void): Promise<void> {
    const { remoteAddress = "", remotePort = 0 } = socket;
    const shown = await hasShownCookie(socket, credentialsOf(this.#request));
    this.#unproven.delete(socket);
    if (socket.destroyed) return;
    const refusal = shown ? this.#refusal() : "an X client has not shown the cookie";
    if (refusal !== undefined) return this.#refuse(socket, refusal);
    this.#forwarded.add(socket);
    this.#firstCame = true;
    if (this.#request.singleConnection) this.#lastCame();
    const opening = new AbortController();
    socket.once("close", () => opening.abort(new Error("the X client has gone")));
    const fields = new Writer().writeString(remoteAddress).writeUint32(remotePort).toBuffer();
    try {
      const channel = await this.#channel.connection.openChannel("x11", fields, { signal: opening.signal });
      opened();
      this.#log.ended(await join(channel, socket));
    } catch (error) {
      if (!socket.destroyed) this.#refuse(socket, "a channel for an X client was not opened", error);
    }
  }

  #refusal(): string | undefined {
    if (this.#request.singleConnection && this.#firstCame) return "a second X client, where the client wants one";
    return this.#forwarded.size >= MAX_FORWARDED ? "too many X clients" : undefined;
  }

  #refuse(socket: Socket, reason: string, cause?: unknown): void {
    this.#unproven.delete(socket);
    resetSocket(socket);
    this.#log.refused(reason, cause);
  }
}

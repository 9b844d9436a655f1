import { hostname } from "node:os";
import { mayBeIgnored } from "../../connection/pending-answer.js";
import type { FileOwner } from "../../session/file-owner.js";
import type { ForwardedX11, X11Display, X11Request } from "../../session/forwarded-x11.js";
import type { SessionChannel } from "../../session/session-channel.js";
import { checkFileOwner } from "../file-owner.js";
import type { SessionForwardingLog } from "../forwarding-log.js";
import { PrivateFolder } from "../private-folder.js";
import { sessionLifetime } from "../session-lifetime.js";
import { encodeAuthorityEntry } from "./authority-file.js";
import { X11Clients } from "./x11-clients.js";
import type { X11Displays } from "./x11-displays.js";
import { credentialsOf } from "./x11-request.js";

/** X11 forwarding of one session channel. Nothing of it outlives the channel. */
export class X11Forwarding implements ForwardedX11 {
  readonly singleConnection: boolean;
  readonly authProtocol: string;
  readonly authCookie: Buffer;
  readonly screenNumber: number;
  readonly #channel: SessionChannel;
  readonly #displays: X11Displays;
  readonly #log: SessionForwardingLog;
  #display: Promise<X11Display> | undefined;

  /** @param request which is well-formed */
  constructor(channel: SessionChannel, request: X11Request, displays: X11Displays, log: SessionForwardingLog) {
    this.singleConnection = request.singleConnection;
    this.authProtocol = request.authProtocol;
    this.authCookie = request.authCookie;
    this.screenNumber = request.screenNumber;
    this.#channel = channel;
    this.#displays = displays;
    this.#log = log;
  }

  listen(owner: FileOwner = {}): Promise<X11Display> {
    return mayBeIgnored(this.#listenOnce(owner));
  }

  async #listenOnce(options: FileOwner): Promise<X11Display> {
    const owner = checkFileOwner(options);
    this.#display ??= this.#listen(owner).catch((error) => this.#notListening(error));
    return this.#display;
  }

  /** The next call tries again. */
  #notListening(error: unknown): never {
    this.#display = undefined;
    throw error;
  }

  async #listen(owner: FileOwner): Promise<X11Display> {
    const lifetime = sessionLifetime(this.#channel, () => new Error("the channel is closed"));
    lifetime.throwIfAborted();
    const clients = new X11Clients(this.#channel, this, this.#log, () => display.close());
    const display = await this.#displays.open(
      (socket) => clients.accept(socket),
      (error) => this.#log.refused("an X client could not be accepted", error),
    );
    const close = () => {
      display.close();
      clients.end();
    };
    lifetime.addEventListener("abort", close, { once: true });
    try {
      const authorityFile = await this.#writeAuthorityFile(display.number, owner, lifetime);
      const name = `localhost:${display.number}.${this.screenNumber}`;
      this.#channel.environment.set("DISPLAY", Buffer.from(name));
      this.#channel.environment.set("XAUTHORITY", Buffer.from(authorityFile));
      return { display: name, authorityFile };
    } catch (error) {
      close();
      throw error;
    }
  }

  async #writeAuthorityFile(displayNumber: number, owner: FileOwner, lifetime: AbortSignal): Promise<string> {
    const folder = await PrivateFolder.make("spindlex-x11-");
    const remove = () =>
      folder.remove().catch((error) => this.#log.notRemoved("an authority file was not removed", error));
    try {
      const entry = encodeAuthorityEntry({ hostName: hostname(), displayNumber, ...credentialsOf(this) });
      const path = await folder.writeFile("Xauthority", entry);
      await folder.giveTo(owner);
      lifetime.throwIfAborted();
      lifetime.addEventListener("abort", remove, { once: true });
      return path;
    } catch (error) {
      await remove();
      throw error;
    }
  }
}

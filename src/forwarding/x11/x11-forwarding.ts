import { hostname } from "node:os";
import { checkInteger, checkOptions } from "../../base/option-checks.js";
import { mayBeIgnored } from "../../connection/pending-answer.js";
import type { ForwardedX11, X11Display, X11ListenOptions, X11Request } from "../../session/forwarded-x11.js";
import type { SessionChannel } from "../../session/session-channel.js";
import { PrivateFolder } from "../private-folder.js";
import { encodeAuthorityEntry } from "./authority-file.js";
import { X11Clients, type X11Report } from "./x11-clients.js";
import type { X11Displays } from "./x11-displays.js";
import { credentialsOf } from "./x11-request.js";

/** The largest number of a user or a group: one more means "as it is" to chown(2). */
const MAX_OWNER_ID = 0xffff_fffe;

/** X11 forwarding of one session channel. Nothing of it outlives the channel. */
export class X11Forwarding implements ForwardedX11 {
  readonly singleConnection: boolean;
  readonly authProtocol: string;
  readonly authCookie: Buffer;
  readonly screenNumber: number;
  readonly #channel: SessionChannel;
  readonly #displays: X11Displays;
  readonly #report: X11Report;
  #display: Promise<X11Display> | undefined;

  /** @param request which is well-formed */
  constructor(channel: SessionChannel, request: X11Request, displays: X11Displays, report: X11Report) {
    this.singleConnection = request.singleConnection;
    this.authProtocol = request.authProtocol;
    this.authCookie = request.authCookie;
    this.screenNumber = request.screenNumber;
    this.#channel = channel;
    this.#displays = displays;
    this.#report = report;
  }

  listen(options: X11ListenOptions = {}): Promise<X11Display> {
    return mayBeIgnored(this.#listenOnce(options));
  }

  async #listenOnce(options: X11ListenOptions): Promise<X11Display> {
    const owner = checkOptions(options, ["uid", "gid"]);
    if (owner.uid !== undefined) checkInteger("uid", owner.uid, 0, MAX_OWNER_ID);
    if (owner.gid !== undefined) checkInteger("gid", owner.gid, 0, MAX_OWNER_ID);
    this.#display ??= this.#listen(owner).catch((error) => this.#notListening(error));
    return this.#display;
  }

  /** The next call tries again. */
  #notListening(error: unknown): never {
    this.#display = undefined;
    throw error;
  }

  async #listen(owner: X11ListenOptions): Promise<X11Display> {
    const lifetime = lifetimeOf(this.#channel);
    lifetime.throwIfAborted();
    const clients = new X11Clients(this.#channel, this, this.#report, () => display.close());
    const display = await this.#displays.open(
      (socket) => clients.accept(socket),
      (error) => this.#report("an X client could not be accepted", error),
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

  async #writeAuthorityFile(displayNumber: number, owner: X11ListenOptions, lifetime: AbortSignal): Promise<string> {
    const folder = await PrivateFolder.make("spindlex-x11-");
    const remove = () => folder.remove().catch((error) => this.#report("an authority file was not removed", error));
    try {
      const entry = encodeAuthorityEntry({ hostName: hostname(), displayNumber, ...credentialsOf(this) });
      const path = await folder.writeFile("Xauthority", entry);
      if (owner.uid !== undefined || owner.gid !== undefined) await folder.giveTo(owner);
      lifetime.throwIfAborted();
      lifetime.addEventListener("abort", remove, { once: true });
      return path;
    } catch (error) {
      await remove();
      throw error;
    }
  }
}

/** @returns fires when the channel is closed by the peer or here, or its connection ends */
function lifetimeOf(channel: SessionChannel): AbortSignal {
  const lifetime = new AbortController();
  const end = () => lifetime.abort(new Error("the channel is closed"));
  if (channel.destroyed || channel.signal.aborted) end();
  channel.once("close", end);
  channel.signal.addEventListener("abort", end, { once: true });
  return lifetime.signal;
}

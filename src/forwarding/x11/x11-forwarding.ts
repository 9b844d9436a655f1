import { hostname } from "node:os";
import { checkInteger, checkOptions } from "../../base/option-checks.js";
import { mayBeIgnored } from "../../connection/pending-answer.js";
import type { ForwardedX11, X11Display, X11ListenOptions, X11Request } from "../../session/forwarded-x11.js";
import type { SessionChannel } from "../../session/session-channel.js";
import type { Owner } from "../private-folder.js";
import { encodeAuthorityEntry, writeAuthorityFile } from "./authority-file.js";
import { X11Clients, type X11Report } from "./x11-clients.js";
import type { X11Displays } from "./x11-displays.js";
import { credentialsOf } from "./x11-request.js";

/** The largest number of a user or a group: the next one is -1, which leaves it as it is (chown(2)). */
const MAX_ID = 2 ** 32 - 2;

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
    const owner = ownerOf(options);
    this.#display ??= this.#listen(owner).catch((error) => this.#notListening(error));
    return this.#display;
  }

  /** The next call tries again. */
  #notListening(error: unknown): never {
    this.#display = undefined;
    throw error;
  }

  async #listen(owner: Owner | undefined): Promise<X11Display> {
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
      const credentials = credentialsOf(this);
      const entry = encodeAuthorityEntry({ hostName: hostname(), displayNumber: display.number, ...credentials });
      const authorityFile = await writeAuthorityFile(entry, owner, lifetime);
      const name = `localhost:${display.number}.${this.screenNumber}`;
      this.#channel.environment.set("DISPLAY", Buffer.from(name));
      this.#channel.environment.set("XAUTHORITY", Buffer.from(authorityFile));
      return { display: name, authorityFile };
    } catch (error) {
      close();
      throw error;
    }
  }
}

/** @throws {ConfigurationError} naming the option that cannot be used */
function ownerOf(options: X11ListenOptions): Owner | undefined {
  const { uid, gid } = checkOptions(options, ["uid", "gid"]);
  if (uid === undefined && gid === undefined) return undefined;
  const id = (name: "uid" | "gid", value: number | undefined) =>
    value === undefined ? -1 : checkInteger(name, value, 0, MAX_ID);
  return { uid: id("uid", uid), gid: id("gid", gid) };
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

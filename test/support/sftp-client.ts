import type { Duplex } from "node:stream";
import { OpenFlag, PacketType } from "../../src/sftp/codec/constants.js";
import {
  encodeFields,
  extended,
  type Field,
  init,
  NO_ATTRIBUTES,
  packet,
  Raw,
  type Reply,
  readHandle,
  readReply,
  readStatus,
  request,
  type Status,
} from "./sftp-packets.js";

/** What a wait fails with when the session ends before the reply came. */
export class SessionEnded extends Error {
  override readonly name = "SessionEnded";

  constructor() {
    super("the session has ended");
  }
}

/** Milliseconds after which any wait fails. */
const TIMEOUT = 10_000;

/** A client of SFTP that may send anything. Replies are found by their id, and kept in the order they came. */
export class SFTPPacketClient {
  readonly stream: Duplex;
  /** All that came, in its order. */
  readonly replies: Reply[] = [];
  /** Where a reply was taken from `replies` by `reply(id)`. */
  readonly #taken = new Set<Reply>();
  #input = Buffer.alloc(0);
  #ended = false;
  #lastId = 0;
  #wake: (() => void)[] = [];

  constructor(stream: Duplex) {
    this.stream = stream;
    stream.on("data", (chunk: Buffer) => {
      this.#input = Buffer.concat([this.#input, chunk]);
      this.#cut();
    });
    stream.on("error", () => {});
    for (const event of ["end", "close"]) {
      stream.on(event, () => {
        this.#ended = true;
        this.#notify();
      });
    }
  }

  /** Starts a session: INIT and VERSION. */
  static async start(stream: Duplex): Promise<SFTPPacketClient> {
    const client = new SFTPPacketClient(stream);
    client.send(init());
    await client.version();
    return client;
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  /** An id that no request has had. */
  nextId(): number {
    return ++this.#lastId;
  }

  /** Sends bytes of any kind. */
  send(...packets: readonly Uint8Array[]): void {
    for (const bytes of packets) this.stream.write(bytes);
  }

  async version(): Promise<Reply> {
    return this.#find(({ type }) => type === PacketType.VERSION, "VERSION");
  }

  /** Sends a request under a fresh id. */
  async ask(type: number, ...fields: readonly Field[]): Promise<Reply> {
    const id = this.nextId();
    this.send(request(type, id, ...fields));
    return this.reply(id);
  }

  async askExtended(name: string, ...fields: readonly Field[]): Promise<Reply> {
    const id = this.nextId();
    this.send(extended(id, name, ...fields));
    return this.reply(id);
  }

  /** Sends a request whose fields are any bytes. */
  async askRaw(type: number, body: Uint8Array): Promise<Reply> {
    const id = this.nextId();
    this.send(packet(encodeFields(new Raw(Buffer.of(type)), id, new Raw(body))));
    return this.reply(id);
  }

  async status(type: number, ...fields: readonly Field[]): Promise<Status> {
    return readStatus(await this.ask(type, ...fields));
  }

  async extendedStatus(name: string, ...fields: readonly Field[]): Promise<Status> {
    return readStatus(await this.askExtended(name, ...fields));
  }

  async open(path: string | Uint8Array, flags: number = OpenFlag.READ, attributes = NO_ATTRIBUTES): Promise<Buffer> {
    return readHandle(await this.ask(PacketType.OPEN, path, flags, attributes));
  }

  async opendir(path: string | Uint8Array): Promise<Buffer> {
    return readHandle(await this.ask(PacketType.OPENDIR, path));
  }

  async close(handle: Uint8Array): Promise<Status> {
    return this.status(PacketType.CLOSE, handle);
  }

  /** The first reply with this id that was not given out yet. */
  async reply(id: number): Promise<Reply> {
    return this.#find((reply) => reply.id === id && reply.type !== PacketType.VERSION, `a reply to request ${id}`);
  }

  /** Waits until this many replies came, VERSION included. */
  async count(replies: number): Promise<void> {
    await this.#until(() => this.replies.length >= replies, `${replies} replies`);
  }

  /** Waits for the end of the session. */
  async end(): Promise<void> {
    await this.#until(
      () => this.#ended,
      "the end of the session",
      () => false,
    );
  }

  async #find(wanted: (reply: Reply) => boolean, what: string): Promise<Reply> {
    let found: Reply | undefined;
    await this.#until(() => {
      found = this.replies.find((reply) => wanted(reply) && !this.#taken.has(reply));
      return found !== undefined;
    }, what);
    if (found === undefined) throw new SessionEnded();
    this.#taken.add(found);
    return found;
  }

  async #until(condition: () => boolean, what: string, isLost = () => this.#ended): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve, reject) => {
      const settle = (then: () => void): void => {
        clearTimeout(timer);
        this.#wake = this.#wake.filter((entry) => entry !== check);
        then();
      };
      const check = (): void => {
        if (condition()) settle(resolve);
        else if (isLost()) settle(() => reject(new SessionEnded()));
      };
      const timer = setTimeout(() => settle(() => reject(new Error(`waited in vain for ${what}`))), TIMEOUT);
      this.#wake.push(check);
      check();
    });
  }

  #cut(): void {
    let offset = 0;
    while (this.#input.length - offset >= 4) {
      const end = offset + 4 + this.#input.readUInt32BE(offset);
      if (this.#input.length < end) break;
      this.replies.push(readReply(this.#input.subarray(offset, end)));
      offset = end;
    }
    this.#input = this.#input.subarray(offset);
    if (offset > 0) this.#notify();
  }

  #notify(): void {
    for (const check of [...this.#wake]) check();
  }
}

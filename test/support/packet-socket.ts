import { connect, type Socket } from "node:net";

/** What a wait fails with when the stream ends before the bytes came. */
export class StreamEnded extends Error {
  override readonly name = "StreamEnded";
}

/** A TCP connection whose bytes are asked for by count, every wait with a deadline. */
export class PacketSocket {
  readonly socket: Socket;
  /** Milliseconds after which a wait fails. */
  readonly timeout: number;
  #chunks: Buffer[] = [];
  #available = 0;
  #ended = false;
  #wake: (() => void)[] = [];

  constructor(socket: Socket, timeout: number) {
    this.socket = socket;
    this.timeout = timeout;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#available += chunk.length;
      this.#notify();
    });
    // A reset says no more than an end does: the bytes stop. "close" follows.
    socket.on("error", () => this.#notify());
    for (const event of ["end", "close"]) {
      socket.on(event, () => {
        this.#ended = true;
        this.#notify();
      });
    }
  }

  /**
   * @param port of TCP, or the path of a Unix domain socket
   * @param localAddress that the server sees: one of 127.0.0.0/8
   */
  static async connect(port: number | string, timeout: number, localAddress?: string): Promise<PacketSocket> {
    const options = { host: "127.0.0.1", ...(localAddress !== undefined && { localAddress }) };
    const socket = connect(typeof port === "string" ? { path: port } : { port, ...options });
    const stream = new PacketSocket(socket, timeout);
    await stream.until(() => !socket.connecting, "the connection");
    if (socket.destroyed) throw new StreamEnded("the connection was refused");
    return stream;
  }

  /** Bytes received and not taken yet. */
  get available(): number {
    return this.#available;
  }

  /** The next `count` bytes, left in place. */
  async peek(count: number, timeout = this.timeout): Promise<Buffer> {
    await this.until(() => this.#available >= count || this.#ended, `${count} bytes`, timeout);
    if (this.#available < count) throw new StreamEnded(`the stream ended where ${count} bytes were expected`);
    const first = this.#chunks[0];
    if (first !== undefined && first.length >= count) return first.subarray(0, count);
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined.subarray(0, count);
  }

  /** The next `count` bytes. */
  async take(count: number, timeout = this.timeout): Promise<Buffer> {
    const bytes = await this.peek(count, timeout);
    const first = this.#chunks[0];
    if (first !== undefined) {
      if (first.length === count) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(count);
    }
    this.#available -= count;
    return bytes;
  }

  /** Waits for `condition`, which is looked at again whenever something happens on the socket. */
  async until(condition: () => boolean, what: string, timeout = this.timeout): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve, reject) => {
      const check = (): void => {
        if (!condition()) {
          this.#wake.push(check);
          return;
        }
        clearTimeout(timer);
        this.socket.off("connect", check).off("drain", check);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#wake = this.#wake.filter((entry) => entry !== check);
        this.socket.off("connect", check).off("drain", check);
        reject(new Error(`waited ${timeout} ms for ${what}`));
      }, timeout);
      this.socket.on("connect", check).on("drain", check);
      this.#wake.push(check);
    });
  }

  /** Waits until the socket is closed, whatever else arrives before. */
  async closed(timeout = this.timeout): Promise<void> {
    this.socket.resume();
    await this.until(() => this.socket.closed, "the end of the connection", timeout);
  }

  #notify(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const check of waiting) check();
  }
}

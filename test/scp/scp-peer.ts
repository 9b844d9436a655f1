import type { Duplex } from "node:stream";
import type { FileServerOptions } from "../../src/files/file-server-options.js";
import { parseSCPCommand } from "../../src/scp/scp-command.js";
import { SCPServer } from "../../src/scp/scp-server.js";
import { duplexPair } from "../server/duplex-pair.js";

/** The scp that a server talks to: it sends what a test wants and reads what it expects. */
export class SCPTestPeer {
  readonly stream: Duplex;
  readonly server: SCPServer;
  readonly exitStatuses: number[] = [];
  readonly #reader: AsyncIterator<Buffer>;
  #unread: Buffer = Buffer.alloc(0);

  constructor(commandLine: string, options: FileServerOptions) {
    const [stream, served] = duplexPair();
    const command = parseSCPCommand(Buffer.from(commandLine));
    if (command === undefined) throw new Error(`not an scp command: ${commandLine}`);
    this.stream = stream;
    stream.on("error", () => {});
    this.#reader = stream[Symbol.asyncIterator]();
    const withStatus = Object.assign(served, { sendExitStatus: (status: number) => this.exitStatuses.push(status) });
    this.server = new SCPServer(withStatus, command, { logger: false, ...options });
  }

  send(data: string | Uint8Array): void {
    this.stream.write(data);
  }

  /** Reads exactly so many bytes; fewer at the end of the stream. */
  async read(count: number): Promise<Buffer> {
    while (this.#unread.length < count) {
      const next = await this.#reader.next();
      if (next.done) break;
      this.#unread = Buffer.concat([this.#unread, next.value]);
    }
    const data = this.#unread.subarray(0, count);
    this.#unread = this.#unread.subarray(count);
    return data;
  }

  /** The next answer: empty for one that says all is well, else the line, its kind included. */
  async answer(): Promise<string> {
    const first = await this.read(1);
    if (first.length === 0) return "end of stream";
    return first[0] === 0 ? "" : this.line(first.toString("latin1"));
  }

  /** The next line, without its newline. */
  async line(start = ""): Promise<string> {
    const bytes: Buffer[] = [Buffer.from(start, "latin1")];
    for (;;) {
      const byte = await this.read(1);
      if (byte.length === 0 || byte[0] === 0x0a) return Buffer.concat(bytes).toString();
      bytes.push(byte);
    }
  }

  /** Sends a record or data, and reads the answer. */
  ask(data: string | Uint8Array): Promise<string> {
    this.send(data);
    return this.answer();
  }

  /** Ends the input; gives the exit status once the server has closed all. */
  async end(): Promise<number | undefined> {
    this.stream.end();
    return this.exitStatus();
  }

  async exitStatus(): Promise<number | undefined> {
    await this.server.closed;
    return this.exitStatuses.at(-1);
  }
}

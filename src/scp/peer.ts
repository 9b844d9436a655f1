import { systemErrorCode } from "../base/system-error-code.js";
import { toFileError } from "../files/errors.js";
import type { AbortedOutcome } from "../files/file-outcome.js";
import type { FileServerStream } from "../files/file-server-stream.js";
import { encodeName } from "../files/path.js";
import { abandonedOn, brokenBy } from "../files/session-outcome.js";
import { isRecordLetter } from "./control-record.js";
import { FatalError, PeerGoneError } from "./errors.js";
import { IncomingBytes } from "./incoming-bytes.js";

/** The first byte of an answer: nothing follows it, or a line of text. */
const OK = 0;
const WARNING = 1;
const FATAL = 2;

/** Bytes of a record or message. A name has 255, a path 4095. */
const MAX_LINE_LENGTH = 8 * 1024;

const OK_ANSWER = Buffer.of(OK);

/** Takes the failures that a peer is told nothing of. */
export type ReportFailure = (error: unknown, path: string) => void;

/** The scp at the other end: what it sends, and what it is told. */
export class SCPPeer {
  readonly #stream: FileServerStream;
  readonly #reportFailure: ReportFailure;
  readonly #input: IncomingBytes;
  #rejectWrite: ((error: PeerGoneError) => void) | undefined;
  #failed = false;

  constructor(stream: FileServerStream, reportFailure: ReportFailure) {
    this.#stream = stream;
    this.#reportFailure = reportFailure;
    this.#input = new IncomingBytes(stream);
    stream.on("close", this.#closed);
  }

  get hasLeft(): boolean {
    return this.#stream.destroyed;
  }

  /** Whether either side has told the other of a failure. */
  get failed(): boolean {
    return this.#failed;
  }

  /**
   * The next line of a source that is not a warning, without its newline; `undefined` when the peer has ended.
   *
   * @throws {FatalError} when it is too long, or does not start as a record does
   * @throws {PeerGoneError} when the stream ends in the line, or the peer gives up
   */
  async readRecord(): Promise<Buffer | undefined> {
    for (;;) {
      const first = await this.#input.readByte();
      if (first === undefined) return undefined;
      if (isRecordLetter(first)) return Buffer.concat([Buffer.of(first), await this.#readLine()]);
      if (first !== WARNING && first !== FATAL) throw new FatalError("protocol error: expected control record");
      await this.#readMessage(first);
    }
  }

  /**
   * Waits for the answer to what was sent.
   *
   * @throws {PeerGoneError} when there is none, or the peer gives up
   */
  async readAnswer(): Promise<"ok" | "refused"> {
    const first = await this.#input.readByte();
    if (first === undefined) throw new PeerGoneError("the peer has ended");
    if (first === OK) return "ok";
    await this.#readMessage(first);
    return "refused";
  }

  /** Fills a buffer with data. @returns how many bytes came; fewer than the buffer holds only at the end */
  readData(buffer: Buffer): Promise<number> {
    return this.#input.fill(buffer);
  }

  /** @returns once the stream takes more */
  write(data: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#stream.destroyed || this.#stream.writableEnded) throw new PeerGoneError("the stream is closed");
      this.#rejectWrite = reject;
      this.#stream.write(data, (error) => {
        if (error) reject(new PeerGoneError("the stream failed", { cause: error }));
        else resolve();
      });
    });
  }

  acknowledge(): Promise<void> {
    return this.write(OK_ANSWER);
  }

  /** Tells of a failure after which the session goes on. @param path as the peer knows it */
  warn(path: string, error: unknown): Promise<void> {
    if (systemErrorCode(error) === undefined) this.#reportFailure(error, path);
    return this.#tell(WARNING, `${path}: ${toFileError(error).message}`);
  }

  /** Tells of a failure that ends the session. */
  fail(text: string): Promise<void> {
    return this.#tell(FATAL, text);
  }

  /** The outcome of a file that is open when the session cannot go on. */
  outcomeOf(error: unknown): AbortedOutcome {
    return error instanceof PeerGoneError ? abandonedOn(this.#stream, error) : brokenBy(error);
  }

  /** Leaves the stream to others. */
  release(): void {
    this.#stream.off("close", this.#closed);
    this.#input.release();
  }

  #tell(kind: number, text: string): Promise<void> {
    this.#failed = true;
    // A newline would end the message, the rest is nothing for a terminal.
    const line = `scp: ${text.replace(/\p{Cc}/gu, "?")}\n`;
    return this.write(Buffer.concat([Buffer.of(kind), encodeName(line)]));
  }

  async #readMessage(kind: number): Promise<void> {
    this.#failed = true;
    await this.#readLine();
    if (kind !== WARNING) throw new PeerGoneError("the peer has given up");
  }

  async #readLine(): Promise<Buffer> {
    const line = await this.#input.readLine(MAX_LINE_LENGTH);
    if (line === undefined) throw new PeerGoneError("the peer has ended in a line");
    return line;
  }

  readonly #closed = (): void => {
    this.#rejectWrite?.(new PeerGoneError("the stream is closed"));
  };
}

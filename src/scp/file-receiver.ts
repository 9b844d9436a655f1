import { abortedBy, COMPLETED, type FileOutcome } from "../files/file-outcome.js";
import type { FileTransfer } from "../files/file-transfer.js";
import { PeerFailureError, PeerGoneError } from "./errors.js";
import { type Failure, failureOf } from "./failure.js";
import type { SCPPeer } from "./peer.js";
import { BLOCK_LENGTH } from "./session.js";

/** Takes the contents of files, one after another. */
export class FileReceiver {
  readonly #peer: SCPPeer;
  readonly #blocks = new Blocks();

  constructor(peer: SCPPeer) {
    this.#peer = peer;
  }

  /**
   * Takes the content of one file, and closes it: completed if all that was announced has come and was written. After a
   * failure the rest is read and dropped.
   *
   * @param finish run when all is written
   * @returns the failure that the peer is to be told, if there was one
   * @throws {PeerGoneError} when the data ends early; the part that came is in the file
   */
  async receive(transfer: FileTransfer, size: number, finish: () => Promise<void>): Promise<Failure | undefined> {
    let failure: Failure | undefined;
    let closeFailure: Failure | undefined;
    let outcome: FileOutcome = COMPLETED;
    try {
      await this.#peer.acknowledge();
      failure = await this.#receiveData(transfer, size);
      // It sends zeros for what it cannot read, and says so behind them.
      if ((await this.#peer.readAnswer()) === "refused") outcome = abortedBy(new PeerFailureError());
      failure ??= await failureOf(finish);
    } catch (error) {
      outcome = this.#peer.outcomeOf(error);
      throw error;
    } finally {
      closeFailure = await failureOf(() => transfer.end(outcome));
    }
    return failure ?? closeFailure;
  }

  /** Each block is written while the next one comes in. */
  async #receiveData(transfer: FileTransfer, size: number): Promise<Failure | undefined> {
    let failure: Failure | undefined;
    let written: Promise<void> = Promise.resolve();
    const write = async (data: Buffer, position: number) => {
      failure ??= await failureOf(() => transfer.write(data, position));
    };
    for (let position = 0; position < size; ) {
      const block = this.#blocks.next(Math.min(BLOCK_LENGTH, size - position));
      const length = await this.#peer.readData(block);
      await written;
      if (failure === undefined) written = write(block.subarray(0, length), position);
      if (length < block.length) {
        await written;
        throw new PeerGoneError("the peer has ended in a file");
      }
      position += length;
    }
    await written;
    return failure;
  }
}

/** Two blocks in turn: one is read into while the other is written. They are made when they are first needed. */
class Blocks {
  readonly #blocks: Buffer[] = [];
  #turn = 0;

  /** @param length bytes, at most BLOCK_LENGTH */
  next(length: number): Buffer {
    this.#turn = 1 - this.#turn;
    this.#blocks[this.#turn] ??= Buffer.allocUnsafeSlow(BLOCK_LENGTH);
    const block = this.#blocks[this.#turn] ?? Buffer.alloc(0);
    return block.subarray(0, length);
  }
}

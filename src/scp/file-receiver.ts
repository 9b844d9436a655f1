import { FileError } from "../files/errors.js";
import type { FileHandle } from "../files/file-system.js";
import { PeerGoneError } from "./errors.js";
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
   * Takes the content of one file, and closes it. After a failure the rest is read and dropped.
   *
   * @param finish run when all is written
   * @returns the failure that the peer is to be told, if there was one
   * @throws {PeerGoneError} when the data ends early; the part that came is in the file
   */
  async receive(handle: FileHandle, size: number, finish: () => Promise<void>): Promise<Failure | undefined> {
    let failure: Failure | undefined;
    let closeFailure: Failure | undefined;
    try {
      await this.#peer.acknowledge();
      failure = await this.#receiveData(handle, size);
      await this.#peer.readAnswer();
      failure ??= await failureOf(finish);
    } finally {
      closeFailure = await failureOf(async () => handle.close?.());
    }
    return failure ?? closeFailure;
  }

  /** Each block is written while the next one comes in. */
  async #receiveData(handle: FileHandle, size: number): Promise<Failure | undefined> {
    let failure: Failure | undefined;
    let written: Promise<void> = Promise.resolve();
    const write = async (data: Buffer, position: number) => {
      failure ??= await failureOf(() => writeBlock(handle, data, position));
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

async function writeBlock(handle: FileHandle, data: Buffer, position: number): Promise<void> {
  if (handle.write === undefined) throw new FileError("ENOTSUP");
  await handle.write(data, position);
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

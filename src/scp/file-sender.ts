import { FileError } from "../files/errors.js";
import type { FileTransfer } from "../files/file-transfer.js";
import { type Failure, failureOf } from "./failure.js";
import type { SCPPeer } from "./peer.js";
import { BLOCK_LENGTH } from "./session.js";

/** Sends the contents of files, one after another. */
export class FileSender {
  readonly #peer: SCPPeer;

  constructor(peer: SCPPeer) {
    this.#peer = peer;
  }

  /**
   * Sends as many bytes as were announced: zeros where the file has none, as the peer cannot be told in between. Each
   * block is read while the one before is sent.
   *
   * @returns the failure of the file, if there was one
   */
  async send(transfer: FileTransfer, size: number): Promise<Failure | undefined> {
    transfer.beginReading();
    let failure: Failure | undefined;
    const read = async (position: number): Promise<Buffer> => {
      // A new one each time: streams in memory hand on the buffer itself, and say so before anybody has looked at it.
      const block = Buffer.allocUnsafe(Math.min(BLOCK_LENGTH, size - position));
      failure ??= await failureOf(() => readBlock(transfer, block, position));
      return failure === undefined ? block : block.fill(0);
    };
    let next = size > 0 ? read(0) : undefined;
    try {
      for (let position = 0; next !== undefined; ) {
        const block = await next;
        position += block.length;
        next = position < size ? read(position) : undefined;
        await this.#peer.write(block);
      }
    } finally {
      // The handle may only be closed when nothing is read from it.
      await next;
    }
    return failure;
  }
}

/** Fills a block. */
async function readBlock(transfer: FileTransfer, block: Buffer, position: number): Promise<void> {
  for (let filled = 0; filled < block.length; ) {
    const length = await transfer.read(block.subarray(filled), position + filled);
    if (length === 0) transfer.fail(new FileError("EIO", "file became shorter while it was sent"));
    filled += length;
  }
}

/** Bytes of a block: room for four packets of 32 KiB. */
export const SEND_BLOCK_LENGTH = 4 * (32 * 1024 + 256);

/** Blocks that are kept for reuse by all connections of the process. */
const MAX_SPARE_BLOCKS = 32;

const spare: Buffer[] = [];

/** A block to write packets into. A connection has one only while it writes. */
export function takeSendBlock(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(SEND_BLOCK_LENGTH);
}

export function returnSendBlock(block: Buffer): void {
  if (spare.length < MAX_SPARE_BLOCKS && block.length === SEND_BLOCK_LENGTH) spare.push(block);
}

import { SpareBlocks } from "../base/spare-blocks.js";

/** What packets are written into: room for four of 32 KiB. A connection has a block only while it writes. */
export const sendBlocks = new SpareBlocks(4 * (32 * 1024 + 256), 32);

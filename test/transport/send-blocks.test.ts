import { describe, expect, it } from "vitest";
import { returnSendBlock, SEND_BLOCK_LENGTH, takeSendBlock } from "../../src/transport/send-blocks.js";

describe("send blocks", () => {
  it("are never given to two at once", () => {
    const blocks = Array.from({ length: 100 }, () => takeSendBlock());
    expect(new Set(blocks.map(({ buffer }) => buffer)).size).toBe(100);
    for (const block of blocks) expect(block.length).toBe(SEND_BLOCK_LENGTH);
    for (const block of blocks) returnSendBlock(block);
  });

  it("are kept for reuse, but not all of them", () => {
    const blocks = Array.from({ length: 100 }, () => takeSendBlock());
    for (const block of blocks) returnSendBlock(block);
    const again = Array.from({ length: 100 }, () => takeSendBlock());
    const reused = again.filter((block) => blocks.includes(block)).length;
    expect(reused).toBeGreaterThan(0);
    expect(reused).toBeLessThan(50);
  });

  it("do not include blocks of another length", () => {
    const odd = Buffer.alloc(SEND_BLOCK_LENGTH + 1);
    returnSendBlock(odd);
    expect(takeSendBlock()).not.toBe(odd);
  });
});

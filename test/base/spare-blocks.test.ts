import { describe, expect, it } from "vitest";
import { SpareBlocks } from "../../src/base/spare-blocks.js";

describe("SpareBlocks", () => {
  const LENGTH = 100;
  const takeAll = (blocks: SpareBlocks) => Array.from({ length: 10 }, () => blocks.take());

  it("gives a block to one at a time", () => {
    const taken = takeAll(new SpareBlocks(LENGTH, 3));
    expect(new Set(taken.map(({ buffer }) => buffer)).size).toBe(taken.length);
    for (const block of taken) expect(block.length).toBe(LENGTH);
  });

  it("keeps as many as it may for the next use", () => {
    const blocks = new SpareBlocks(LENGTH, 3);
    const taken = takeAll(blocks);
    for (const block of taken) blocks.giveBack(block);
    expect(takeAll(blocks).filter((block) => taken.includes(block))).toHaveLength(3);
  });

  it("keeps a block once, however often it is given back", () => {
    const blocks = new SpareBlocks(LENGTH, 3);
    const block = blocks.take();
    for (let times = 0; times < 3; times++) blocks.giveBack(block);
    expect(takeAll(blocks).filter((taken) => taken === block)).toHaveLength(1);
  });

  it("keeps no block of another length", () => {
    const blocks = new SpareBlocks(LENGTH, 3);
    const odd = Buffer.alloc(LENGTH + 1);
    blocks.giveBack(odd);
    expect(blocks.take()).not.toBe(odd);
  });
});

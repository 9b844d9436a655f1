import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UnreadBlocks } from "../../src/connection/unread-blocks.js";

describe("blocks of unread data", () => {
  it("give back the bytes that went in, in order, in few pieces that share no memory with what came", () => {
    const piece = fc.uint8Array({ maxLength: 40_000 });
    const step = fc.oneof({ weight: 5, arbitrary: piece }, { weight: 1, arbitrary: fc.constant("flush" as const) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        const unread = new UnreadBlocks();
        const blocks: Buffer[] = [];
        const expected: Buffer[] = [];
        let flushes = 1;
        for (const next of steps) {
          if (next === "flush") {
            flushes++;
            unread.flush((block) => blocks.push(block));
            expect(unread.length).toBe(0);
          } else {
            expected.push(Buffer.from(next));
            const data = Buffer.from(next);
            unread.append(data, (block) => blocks.push(block));
            data.fill(0xee);
          }
          const total = Buffer.concat(blocks).length + unread.length;
          expect(total).toBe(Buffer.concat(expected).length);
        }
        unread.flush((block) => blocks.push(block));
        const all = Buffer.concat(expected);
        expect(Buffer.concat(blocks).equals(all)).toBe(true);
        expect(blocks.length).toBeLessThanOrEqual(all.length / (16 * 1024) + flushes);
      }),
      { numRuns: 50 },
    );
  });

  it("emit nothing when there is nothing", () => {
    const unread = new UnreadBlocks();
    const fail = () => expect.unreachable();
    unread.append(Buffer.alloc(0), fail);
    unread.flush(fail);
    unread.append(Buffer.alloc(16 * 1024), () => {});
    unread.flush(fail);
    expect(unread.length).toBe(0);
  });
});

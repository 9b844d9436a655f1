import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Expiring, ExpiryHeap } from "../../../src/server/admission/expiry-heap.js";

const step = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), expiry: fc.integer({ min: 0, max: 50 }) }),
  fc.record({ kind: fc.constant("putOff" as const), index: fc.nat(), by: fc.integer({ min: 0, max: 50 }) }),
  fc.record({ kind: fc.constant("take" as const) }),
);

describe("the heap of ends", () => {
  it("gives what ends first, whatever is added, put off and taken", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const heap = new ExpiryHeap<Expiring>();
        const model: Expiring[] = [];
        for (const one of steps) {
          if (one.kind === "add") {
            const item = { expiry: one.expiry, place: -1 };
            heap.add(item);
            model.push(item);
          } else if (one.kind === "putOff") {
            const item = model[one.index % Math.max(1, model.length)];
            if (item === undefined) continue;
            item.expiry += one.by;
            heap.putOff(item);
          } else {
            const taken = heap.takeFirst();
            expect(taken?.expiry).toBe(model.length === 0 ? undefined : Math.min(...model.map(({ expiry }) => expiry)));
            if (taken !== undefined) model.splice(model.indexOf(taken), 1);
          }
          expect(heap.size).toBe(model.length);
          expect(heap.first?.expiry).toBe(
            model.length === 0 ? undefined : Math.min(...model.map(({ expiry }) => expiry)),
          );
        }
      }),
    );
  });
});

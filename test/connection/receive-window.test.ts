import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ReceiveWindow } from "../../src/connection/receive-window.js";
import { ProtocolError } from "../../src/protocol/errors.js";

const MAXIMUM = 16 * 1024 * 1024;
const always = () => true;
const INITIAL = new ReceiveWindow(MAXIMUM, always).size;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** One window's worth of data that takes so many milliseconds, for a reader that takes everything at once. */
function passWindow(window: ReceiveWindow, milliseconds: number): void {
  const { size } = window;
  vi.advanceTimersByTime(milliseconds);
  for (let part = 0; part < 4; part++) {
    window.receive(size / 4);
    window.credit(0);
  }
}

describe("a receive window", () => {
  it("takes exactly what it says and not a byte more", () => {
    const window = new ReceiveWindow(MAXIMUM, always);
    window.receive(INITIAL);
    expect(() => window.receive(1)).toThrow(ProtocolError);
    expect(() => window.receive(0)).not.toThrow();
  });

  it("gives nothing back for what nobody has read", () => {
    const window = new ReceiveWindow(MAXIMUM, always);
    window.receive(INITIAL);
    expect(window.credit(INITIAL)).toBe(0);
    expect(window.credit(INITIAL / 2)).toBe(INITIAL / 2);
    expect(window.credit(INITIAL / 2)).toBe(0);
  });

  it("does not send a message for little", () => {
    const window = new ReceiveWindow(MAXIMUM, always);
    window.receive(1);
    expect(window.credit(0)).toBe(0);
    window.receive(INITIAL / 2);
    expect(window.credit(0)).toBe(INITIAL / 2 + 1);
  });

  it("doubles while it is what limits the speed, up to its maximum", () => {
    const window = new ReceiveWindow(3 * INITIAL, always);
    // On a path of 100 ms a window of any size takes 100 ms.
    const sizes = [1, 2, 3, 4].map(() => {
      passWindow(window, 100);
      return window.size / INITIAL;
    });
    expect(sizes).toEqual([2, 3, 3, 3]);
  });

  it("does not grow on a path that it fills", () => {
    const window = new ReceiveWindow(MAXIMUM, always);
    for (let round = 0; round < 10; round++) passWindow(window, 5);
    expect(window.size).toBe(INITIAL);
  });

  it("stops growing when that does not help", () => {
    const window = new ReceiveWindow(MAXIMUM, always);
    // A slow path: twice the window takes twice as long.
    for (let round = 0; round < 10; round++) passWindow(window, (1000 * window.size) / INITIAL);
    expect(window.size).toBe(2 * INITIAL);
  });

  it("does not grow while the reader is behind", () => {
    const window = new ReceiveWindow(MAXIMUM, always);
    for (let round = 0; round < 20; round++) {
      vi.advanceTimersByTime(100);
      window.receive((INITIAL / 4) * 3);
      expect(window.credit(1)).toBeGreaterThan(0);
      window.receive(1);
    }
    expect(window.size).toBe(INITIAL);
  });

  it("does not grow beyond what the connection allows", () => {
    const asked: number[] = [];
    const window = new ReceiveWindow(MAXIMUM, (bytes) => asked.push(bytes) < 0);
    for (let round = 0; round < 3; round++) passWindow(window, 100);
    expect(window.size).toBe(INITIAL);
    expect(asked).toEqual([INITIAL, INITIAL, INITIAL]);
  });

  it("starts no larger than its maximum", () => {
    const window = new ReceiveWindow(32 * 1024, always);
    expect([window.size, window.initialSize]).toEqual([32 * 1024, 32 * 1024]);
    for (let round = 0; round < 4; round++) passWindow(window, 100);
    expect(window.size).toBe(32 * 1024);
    expect(() => window.receive(32 * 1024 + 1)).toThrow(ProtocolError);
  });

  it("never has more under way and unread than its size, whatever the reader does", () => {
    const step = fc.record({
      received: fc.nat(INITIAL),
      read: fc.double({ min: 0, max: 1, noNaN: true }),
      milliseconds: fc.nat(300),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.boolean(), (steps, mayGrow) => {
        const window = new ReceiveWindow(4 * INITIAL, () => mayGrow);
        let available = INITIAL;
        let unread = 0;
        for (const { received, read, milliseconds } of steps) {
          vi.advanceTimersByTime(milliseconds);
          if (received > available) {
            expect(() => window.receive(received)).toThrow(ProtocolError);
          } else {
            window.receive(received);
            available -= received;
            unread += received;
          }
          unread -= read > 0.9 ? unread : Math.floor(unread * read);
          available += window.credit(unread);
          expect(available + unread).toBeLessThanOrEqual(window.size);
          expect(window.size).toBeLessThanOrEqual((mayGrow ? 4 : 1) * INITIAL);
          // Once everything is read, the peer has most of the window.
          if (unread === 0) expect(available).toBeGreaterThan(window.size / 2);
        }
      }),
    );
  });
});

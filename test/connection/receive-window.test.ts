import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ReceiveWindow } from "../../src/connection/receive-window.js";
import { ProtocolError } from "../../src/protocol/errors.js";
import { PACKET, passWindows } from "./window-path.js";

const MAXIMUM = 16 * 1024 * 1024;
const always = () => true;
const INITIAL = new ReceiveWindow(MAXIMUM, always).size;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const KIB = 1024;
const FAST = 1024 * KIB;

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
    passWindows(window, { roundTrip: 100, perMillisecond: FAST }, 8);
    expect(window.size).toBe(2 * INITIAL);
    passWindows(window, { roundTrip: 100, perMillisecond: FAST }, 20);
    expect(window.size).toBe(3 * INITIAL);
  });

  it("doubles for a peer that uses up its window to the last byte, too", () => {
    const window = new ReceiveWindow(8 * INITIAL, always);
    passWindows(window, { roundTrip: 100, perMillisecond: FAST, leastPacket: 1, firstPacket: 1000 }, 40);
    expect(window.size).toBe(8 * INITIAL);
  });

  it("grows until it fills the path, and no further", () => {
    const window = new ReceiveWindow(64 * INITIAL, always);
    // 10 MiB are under way at a time.
    passWindows(window, { roundTrip: 100, perMillisecond: 100 * KIB }, 200);
    expect(window.size / INITIAL).toBeGreaterThanOrEqual(8);
    expect(window.size / INITIAL).toBeLessThanOrEqual(16);
  });

  it.each([
    ["a short path, however fast", { roundTrip: 1, perMillisecond: FAST }],
    ["a short path, however slow", { roundTrip: 1, perMillisecond: KIB }],
    ["a long path that a window fills", { roundTrip: 100, perMillisecond: 5 * KIB }],
  ])("does not grow on %s", (_, path) => {
    const window = new ReceiveWindow(MAXIMUM, always);
    passWindows(window, path, 20);
    expect(window.size).toBe(INITIAL);
  });

  it("does not take a peer that has nothing to send for a long path", () => {
    const window = new ReceiveWindow(MAXIMUM, always);
    for (let pause = 0; pause < 200; pause++) {
      vi.advanceTimersByTime(500);
      for (let packet = 0; packet < 10; packet++) {
        window.receive(PACKET);
        window.credit(0);
      }
    }
    expect(window.size).toBe(INITIAL);
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
    passWindows(window, { roundTrip: 100, perMillisecond: FAST }, 12);
    expect(window.size).toBe(INITIAL);
    expect(asked.length).toBeGreaterThan(1);
    expect(new Set(asked)).toEqual(new Set([INITIAL]));
  });

  it("starts no larger than its maximum", () => {
    const window = new ReceiveWindow(32 * 1024, always);
    expect([window.size, window.initialSize]).toEqual([32 * 1024, 32 * 1024]);
    passWindows(window, { roundTrip: 100, perMillisecond: FAST }, 20);
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

import { vi } from "vitest";
import type { ReceiveWindow } from "../../src/connection/receive-window.js";

export const PACKET = 32 * 1024;

export interface Path {
  /** Milliseconds from a credit to the first data that was sent on it. */
  readonly roundTrip: number;
  /** Bytes. */
  readonly perMillisecond: number;
}

/** So many windows of data from a peer that always has more, for a reader that takes everything at once. */
export function passWindows(window: ReceiveWindow, path: Path, windows: number): void {
  const underWay: { readonly at: number; readonly bytes: number }[] = [];
  let usable = window.size;
  for (let left = windows * window.size; left > 0; left -= PACKET) {
    while (usable < PACKET) {
      const credit = underWay.shift() ?? { at: 0, bytes: Number.NaN };
      vi.advanceTimersByTime(Math.max(0, credit.at - performance.now()));
      usable += credit.bytes;
    }
    vi.advanceTimersByTime(PACKET / path.perMillisecond);
    window.receive(PACKET);
    usable -= PACKET;
    const bytes = window.credit(0);
    if (bytes > 0) underWay.push({ at: performance.now() + path.roundTrip, bytes });
  }
}

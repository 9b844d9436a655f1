import { vi } from "vitest";
import type { ReceiveWindow } from "../../src/connection/receive-window.js";

export const PACKET = 32 * 1024;

export interface Path {
  /** Milliseconds from a credit to the first data that was sent on it. */
  readonly roundTrip: number;
  /** Bytes. */
  readonly perMillisecond: number;
  /** Bytes of the least packet that the peer sends rather than wait for more window; a full packet where absent. */
  readonly leastPacket?: number;
  /** Bytes of the first packet. */
  readonly firstPacket?: number;
}

/** So many windows of data from a peer that always has more, for a reader that takes everything at once. */
export function passWindows(window: ReceiveWindow, path: Path, windows: number): void {
  const underWay: { readonly at: number; readonly bytes: number }[] = [];
  const leastPacket = path.leastPacket ?? PACKET;
  let packet = path.firstPacket ?? PACKET;
  let usable = window.size;
  for (let left = windows * window.size; left > 0; ) {
    while (usable < leastPacket) {
      const credit = underWay.shift() ?? { at: 0, bytes: Number.NaN };
      vi.advanceTimersByTime(Math.max(0, credit.at - performance.now()));
      usable += credit.bytes;
    }
    const length = Math.min(usable, packet);
    packet = PACKET;
    vi.advanceTimersByTime(length / path.perMillisecond);
    window.receive(length);
    usable -= length;
    left -= length;
    const bytes = window.credit(0);
    if (bytes > 0) underWay.push({ at: performance.now() + path.roundTrip, bytes });
  }
}

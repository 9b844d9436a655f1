import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { firstConnection } from "../../../src/forwarding/tcp/first-connection.js";
import { SilentListener } from "./silent-listener.js";

describe("the first connection of many", () => {
  const sockets: Socket[] = [];
  const add = (message: unknown) => sockets.push((message as { socket: Socket }).socket);

  beforeEach(() => {
    sockets.length = 0;
    subscribe("net.client.socket", add);
  });
  afterEach(() => {
    unsubscribe("net.client.socket", add);
    vi.useRealTimers();
  });

  it("is tried at six addresses at a time, also where none of them answers", async () => {
    // All of 127.0.0.0/8 leads there.
    await using silent = await SilentListener.listen("0.0.0.0");
    sockets.length = 0;
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const controller = new AbortController();
    const addresses = Array.from({ length: 16 }, (_, index) => `127.0.0.${index + 2}`);
    const connecting = firstConnection(addresses, silent.port, controller.signal);
    connecting.catch(() => {});
    for (let tried = 1; tried <= 16; tried++) {
      expect(sockets).toHaveLength(tried);
      const alive = sockets.map(({ destroyed }) => !destroyed);
      expect(alive).toEqual(alive.map((_, index) => index >= tried - 6));
      await vi.advanceTimersByTimeAsync(250);
    }
    controller.abort(new Error("the time is over"));
    await expect(connecting).rejects.toThrow("the time is over");
    expect(sockets.every(({ destroyed }) => destroyed)).toBe(true);
  });
});

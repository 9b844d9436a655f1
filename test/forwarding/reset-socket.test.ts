import { once } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { resetSocket } from "../../src/forwarding/reset-socket.js";
import { ending } from "./listening-client.js";
import { socketPair } from "./socket-pair.js";

describe("a socket that is reset", () => {
  it("tells the other end", async () => {
    const { near, far } = await socketPair();
    resetSocket(near);
    expect(await ending(far)).toBe("ECONNRESET");
  });

  it.each(["at once", "a moment later"])("is closed also while it is shutting down: %s", async (when) => {
    const { near, far } = await socketPair();
    near.end("all");
    if (when !== "at once") await nextTurn();
    const closed = once(near, "close");
    resetSocket(near);
    await closed;
    expect(await ending(far)).toBe("end");
  });
});

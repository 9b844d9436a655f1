import { EventEmitter } from "node:events";
import { runInNewContext } from "node:vm";
import { expect, it, vi } from "vitest";
import { tell } from "../../src/server/manager-events.js";

it.each([
  ["this", async () => Promise.reject("early")],
  ["another", runInNewContext(`async () => Promise.reject("early")`)],
])("a listener that rejects is reported, with a promise of %s context", async (_, listener) => {
  const failed = vi.fn<(error: unknown) => void>();
  tell(new EventEmitter().on("event", listener), "event", [], failed);
  await vi.waitFor(() => expect(failed).toHaveBeenCalledWith("early"));
});

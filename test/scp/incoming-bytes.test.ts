import { PassThrough } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { IncomingBytes } from "../../src/scp/incoming-bytes.js";

it("lets others have their turn, however much has come", async () => {
  const stream = new PassThrough();
  const bytes = new IncomingBytes(stream);
  stream.end("\n".repeat(10_000));
  let lines = 0;
  let isDone = false;
  const all = (async () => {
    while ((await bytes.readLine(1)) !== undefined) lines++;
    isDone = true;
  })();
  let most = 0;
  while (!isDone) {
    const before = lines;
    await setImmediate();
    most = Math.max(most, lines - before);
  }
  await all;
  expect(lines).toBe(10_000);
  expect(most).toBeLessThanOrEqual(128);
});

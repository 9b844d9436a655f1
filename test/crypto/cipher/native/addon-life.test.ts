import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { findOwnAddon } from "../../../../src/base/own-addon.js";
import { needs } from "../../../support/clients.js";
import { runOk } from "../../../support/tools.js";

describe("the addon", needs("cc"), () => {
  it("works in threads that come and go, at the same time", async () => {
    const seals = `
      const { Sealer, Opener } = require(${JSON.stringify(findOwnAddon())});
      const keys = ["aes-gcm", Buffer.alloc(16, 1), Buffer.alloc(12, 2), Buffer.alloc(0)];
      const [sealer, opener] = [new Sealer(...keys), new Opener(...keys)];
      const packet = Buffer.alloc(4 + 1024 + 16);
      let opened = 0;
      for (let number = 0; number < 1000; number++) {
        packet.writeUInt32BE(1024, 0);
        sealer.seal(packet, 0, packet.length, number);
        if (opener.open(packet, 0, packet.length, number)) opened++;
      }
      require("node:worker_threads").parentPort.postMessage(opened);`;
    for (let round = 0; round < 3; round++) {
      const results = Array.from(
        { length: 4 },
        () =>
          new Promise((resolve, reject) => {
            const worker = new Worker(seals, { eval: true });
            let result: unknown;
            worker.once("message", (message) => {
              result = message;
            });
            worker.once("error", reject);
            worker.once("exit", (code) => resolve([result, code]));
          }),
      );
      expect(await Promise.all(results)).toEqual(Array.from({ length: 4 }, () => [1000, 0]));
    }
  });

  it("gives back the memory of what is garbage", async () => {
    const script = `
      const { Sealer, Opener } = require(${JSON.stringify(findOwnAddon())});
      const none = Buffer.alloc(0);
      const kinds = [
        ["chacha20-poly1305", Buffer.alloc(64), none, none],
        ["aes-gcm", Buffer.alloc(16), Buffer.alloc(12), none],
        ["aes-ctr encrypt-and-mac", Buffer.alloc(16), Buffer.alloc(16), Buffer.alloc(64)],
      ];
      const make = async () => {
        for (let count = 0; count < 1000; count++) {
          for (const keys of kinds) { new Sealer(...keys); new Opener(...keys); }
        }
        gc();
        await new Promise(setImmediate);
        return process.memoryUsage().rss;
      };
      (async () => {
        await make();
        const before = await make();
        for (let round = 0; round < 3; round++) await make();
        console.log(await make() - before);
      })();`;
    const growth = await runOk(process.execPath, ["--expose-gc", "--eval", script]);
    // Half of what is made meanwhile, if it were kept.
    expect(Number(growth)).toBeLessThan(12 * 1024 * 1024);
  });
});

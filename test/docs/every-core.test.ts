import { EventEmitter } from "node:events";
import { expect, it } from "vitest";
import type { Workers } from "../../src/index.js";
import { listeningPort } from "../examples/running-process.js";
import { describePage } from "./page-fixture.js";

describePage("docs/every-core.md", (page) => {
  it("serves with a worker for each processor, and reloads", async () => {
    page.write("keys/ann");
    const program = await page.start("workers.reload", { "0.0.0.0": "127.0.0.1", 'workers: "auto"': "workers: 2" });
    const port = await listeningPort(program);
    const parent = async () => (await page.ssh(port, ["-T", "ann@127.0.0.1"], "echo $PPID\nexit\n")).stdout;
    const before = await parent();
    expect(before).toMatch(/^\d+$/m);
    program.signal("SIGHUP");
    await expect.poll(parent, { timeout: 20_000 }).not.toBe(before);
    program.signal("SIGTERM");
    expect(await program.exitCode()).toBe(0);
  });

  it("serves in CommonJS, too", async () => {
    page.write("keys/ann");
    const program = await page.start("require(", { '"auto"': "2", "listen(2222)": 'listen(0, "127.0.0.1")' });
    const port = await listeningPort(program);
    expect((await page.ssh(port, ["ann@127.0.0.1"])).stdout).toContain("load average");
  });

  it("gives a secret to each worker", async () => {
    const program = await page.start("prepare:", { 'randomBytes(16).toString("hex")': '"secret"' });
    const port = await listeningPort(program);
    const { stdout } = await page.sshWithPassword(port, "secret", ["ann@127.0.0.1"]);
    expect(stdout).toMatch(/^worker [12] of process \d+\n$/);
    expect(await page.sshWithPassword(port, "guess", ["ann@127.0.0.1"])).toMatchObject({ stdout: "", code: 255 });
  });

  it("tells what happens, and ends the connections of a user", async () => {
    const { watch, disconnectUser } = await page.load<{
      watch: (workers: Workers) => void;
      disconnectUser: (workers: Workers, name: string) => Promise<void>;
    }>("function watch");
    const closed: number[] = [];
    const workers = Object.assign(new EventEmitter(), {
      workers: [{}, {}],
      statistics: async () => ({
        active: 3,
        workers: [1, 2].map((worker) => ({ worker, active: worker, bytesSent: 100 })),
      }),
      connections: async () => [1, 2, 3].map((id) => ({ id, username: id === 2 ? "ben" : "ann" })),
      closeConnection: async (id: number) => closed.push(id),
    }) as unknown as Workers;
    watch(workers);
    workers.emit("refused", { reason: "denyFrom", remoteAddress: "192.0.2.1", worker: undefined });
    await disconnectUser(workers, "ann");
    expect(closed).toEqual([1, 3]);
    expect(page.log).toContain("refused denyFrom 192.0.2.1\n3 connections of 2 workers\n1 of worker 1, 100 bytes\n");
  });
});

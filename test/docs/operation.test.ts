import { expect, it } from "vitest";
import type { Server, SSHServerManager } from "../../src/index.js";
import { startManager } from "../server/test-server.js";
import { PacketClient } from "../support/packet-client.js";
import { describePage } from "./page-fixture.js";

describePage("docs/operation.md", (page) => {
  it("listens on a port and a socket", async () => {
    page.write("keys/ann");
    page.write("run/my-server/nothing", "");
    const { server } = await page.load<{ server: Server }>("path: ", { "port: 2222": "port: 0" });
    const [port, socket] = server.addresses;
    expect([port, socket]).toEqual([
      { address: "127.0.0.1", port: server.port },
      { path: `${page.folder}/run/my-server/ssh.sock` },
    ]);
    expect(page.log).toContain("ssh.sock");
    await (await PacketClient.handshake(`${page.folder}/run/my-server/ssh.sock`)).close();
    expect((await page.ssh(server.port, ["ann@127.0.0.1", "true"])).stderr).toContain("exec request failed");
  });

  it("blocks clients that come from there", async () => {
    page.write("keys/ann");
    const { server, block } = await page.load<{ server: Server; block: (networks: string[]) => Promise<void> }>(
      "block(",
    );
    const port = await page.serve(server);
    expect((await page.ssh(port, ["ann@127.0.0.1", "true"])).stderr).toContain("exec request failed");
    await block(["127.0.0.0/8"]);
    expect((await page.ssh(port, ["ann@127.0.0.1", "true"])).stderr).not.toContain("exec request failed");
    expect(server.statistics.refusedBy.denyFrom).toBe(1);
  });

  it("drains a server", async () => {
    const { retire } = await page.load<{ retire: (old: SSHServerManager) => Promise<void> }>("retire(");
    const manager = await startManager();
    const client = await PacketClient.login(manager.port, "admin", "secret");
    const retired = retire(manager);
    await expect.poll(() => manager.isRunning()).toBe(false);
    expect((await client.exec("hello")).exitStatus).toBe(0);
    await client.close();
    await retired;
  });
});

import { once } from "node:events";
import type { Duplex } from "node:stream";
import { Client } from "ssh2";
import { expect, it } from "vitest";
import { PKey } from "../../src/crypto/index.js";
import { type Server, SSHServer, SSHServerManager, type SSHServerOptions } from "../../src/index.js";
import { describePage, OPEN } from "./page-fixture.js";

/** What a client of the library ssh2 gets, which does not drop what came before the end of the connection, as `ssh` does. */
async function cut(port: number): Promise<string> {
  const client = new Client().connect({ host: "127.0.0.1", port, username: "ann" });
  client.on("error", () => {});
  await once(client, "ready");
  return new Promise((resolve, reject) => {
    let got = "";
    client.on("close", () => resolve(got));
    client.exec("cut", (error, stream) => {
      if (error) return reject(error);
      stream.on("data", (chunk: Buffer) => {
        got += chunk.toString();
      });
    });
  });
}

describePage("docs/testing-with-spindlex.md", (page) => {
  it("knows what was run", async () => {
    interface Exports {
      readonly server: Server;
      readonly commands: readonly string[];
    }
    const { server, commands } = await page.load<Exports>("What clients have run", { "await using": "const" });
    expect((await page.sshWithPassword(server.port, "any", ["ann@127.0.0.1", "deploy"])).stdout).toBe("ok\n");
    expect(commands).toEqual(["deploy"]);
    expect(page.log).toContain(`127.0.0.1:${server.port}`);
  });

  it("speaks in memory", async () => {
    const { greeting } = await page.load<{
      connectInMemory(manager: SSHServerManager): Duplex;
      greeting(manager: SSHServerManager): Promise<string>;
    }>("connectInMemory");
    const serverKey = PKey.generate({ keyType: "ed25519" });
    const manager = new SSHServerManager({ serverInterface: new SSHServer(OPEN), serverKey, connectionTimeout: 1 });
    expect(await greeting(manager)).toMatch(/^SSH-2\.0-/);
    await manager.stopServer({ gracePeriod: 0 });
  });

  it("looks at what was uploaded", async () => {
    interface Exports {
      readonly server: Server;
      uploaded(): string;
    }
    const { server, uploaded } = await page.load<Exports>("MemoryFileSystem.from");
    const upload = page.write("receipt", "paid");
    const { stdout } = await page.sftp(server.port, "ann", ["ls inbox", `put ${upload} /outbox/receipt.txt`]);
    expect(stdout).toContain("inbox/order.csv");
    expect(uploaded()).toBe("paid");
  });

  it("makes trouble", async () => {
    type TroubleClass = new (options: SSHServerOptions) => SSHServer;
    const { TroubleServer } = await page.load<{ TroubleServer: TroubleClass }>("class TroubleServer");
    const port = await page.serve(new TroubleServer(OPEN));
    expect(await page.ssh(port, ["ann@127.0.0.1", "killed"])).toMatchObject({ code: 255 });
    expect(await cut(port)).toBe("half an ans");
    const client = page.client.start(port, "", ["-vv", "ann@127.0.0.1", "silent"]);
    await client.errorOutput(/exec request accepted/);
    expect(client.stdout).toBe("");
    await client.kill();
  });
});

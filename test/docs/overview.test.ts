import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { PKey } from "../../src/crypto/index.js";
import type { Server, SSHServer, SSHServerManager } from "../../src/index.js";
import { KNOWN_HASHES } from "../authenticators/passwords/known-hashes.js";
import { describePage } from "./page-fixture.js";

describePage("docs/overview.md", (page) => {
  it("says hello, and serves a folder for each user", async () => {
    page.write("keys/ann");
    mkdirSync(join(page.folder, "homes/ann"), { recursive: true });
    writeFileSync(join(page.folder, "homes/ann/notes.txt"), "notes");
    const { server } = await page.load<{ server: Server }>("you have sent");
    expect(await page.ssh(server.port, ["ann@127.0.0.1", "date"])).toEqual({
      stdout: "hello ann, you have sent: date\n",
      stderr: "",
      code: 0,
    });
    const listed = await page.sftp(server.port, "ann", ["ls"]);
    expect(listed.stdout).toContain("notes.txt");
    expect((await page.ssh(server.port, ["bob@127.0.0.1", "date"])).code).toBe(255);
    expect(page.log).toContain("date");
  });

  it("wants a key and a password", async () => {
    page.write("keys/ann");
    page.write("user_ca.pub", `${PKey.generate({ keyType: "ed25519" }).toPublicString()}\n`);
    page.write("users", `ann:${KNOWN_HASHES.scrypt.hash}\n`);
    const { server } = await page.load<{ server: SSHServer }>("trustedUserCAs");
    const port = await page.serve(server);
    const refused = (methods: string, options: readonly string[] = []) =>
      expect(page.sshWithPassword(port, "secret", [...options, "ann@127.0.0.1", "true"])).resolves.toMatchObject({
        code: 255,
        stderr: expect.stringContaining(`(${methods})`),
      });
    await refused("publickey");
    await refused("password", ["-i", page.key, "-o", "PreferredAuthentications=publickey"]);
    // Both factors are there, and the server runs nothing for anybody.
    const inside = await page.sshWithPassword(port, "secret", ["-i", page.key, "ann@127.0.0.1", "true"]);
    expect(inside.stderr).toContain("exec request failed");
  });

  it("is a jump host for the targets of each user", async () => {
    for (const user of ["ann", "bob"]) page.write(`keys/${user}`);
    const target = await page.load<{ manager: SSHServerManager }>("class ExecServer");
    const { bastion } = await page.load<{ bastion: Server }>("bastion", {
      "db.internal:22": `127.0.0.1:${target.manager.port}`,
    });
    const port = await page.serve(bastion);
    const greeting = (user: string) =>
      page.ssh(port, ["-W", `127.0.0.1:${target.manager.port}`, `${user}@127.0.0.1`], "SSH-2.0-nobody\r\n");
    expect((await greeting("ann")).stdout).toMatch(/^SSH-2\.0-/);
    expect(await greeting("bob")).toMatchObject({ stdout: "", code: 255 });
    expect(page.log).toMatch(/Z info a request was refused .*username=bob .*reason="direct-tcpip: /);
  });

  it("runs hooks", async () => {
    const { manager } = await page.load<{ manager: SSHServerManager }>("class ExecServer");
    expect(await page.sshWithPassword(manager.port, "secret", ["admin@127.0.0.1", "make tea"])).toEqual({
      stdout: "Executed: make tea\n",
      stderr: "",
      code: 0,
    });
    expect((await page.sshWithPassword(manager.port, "wrong", ["admin@127.0.0.1", "make tea"])).code).toBe(255);
  });
});

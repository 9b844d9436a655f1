import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Server } from "../../src/index.js";
import { ROOT } from "./page-blocks.js";
import { describePage } from "./page-fixture.js";

describePage("README.md", (page) => {
  it("serves a folder for each user", async () => {
    page.write("keys/ann");
    mkdirSync(join(page.folder, "homes/ann"), { recursive: true });
    writeFileSync(join(page.folder, "homes/ann/notes.txt"), "notes");
    const { server } = await page.load<{ server: Server }>("sftp: homes(");
    expect((await page.sftp(server.port, "ann", ["ls"])).stdout).toContain("notes.txt");
    expect((await page.sftp(server.port, "ann", [`put ${page.folder}/keys/ann new`, "ls"])).stdout).toContain("new");
    expect((await page.sftp(server.port, "bob", ["ls"])).code).toBe(255);
  });

  it("runs programs", async () => {
    page.write("keys/ann");
    const { server } = await page.load<{ server: Server }>("loginShell: true", {
      // Told that it is the inner of two, bash does not read the .bashrc of the user who runs the tests.
      ": { shell: session.command })": ': { shell: session.command }, { env: { SHLVL: "1" } })',
    });
    expect(await page.ssh(server.port, ["ann@127.0.0.1", "echo one; exit 3"])).toMatchObject({
      stdout: "one\n",
      code: 3,
    });
    const shell = await page.ssh(server.port, ["-T", "ann@127.0.0.1"], "echo two\nexit 4\n");
    expect(shell).toMatchObject({ stdout: expect.stringContaining("two\n"), code: 4 });
  });

  it("can be read in one sitting", () => {
    expect(readFileSync(join(ROOT, "README.md"), "utf8").split("\n").length).toBeLessThanOrEqual(121);
  });
});

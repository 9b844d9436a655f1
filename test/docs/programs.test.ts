import { expect, it } from "vitest";
import type { Server, SSHServer, SSHServerOptions } from "../../src/index.js";
import { KNOWN_HASHES } from "../authenticators/passwords/known-hashes.js";
import { describePage, OPEN } from "./page-fixture.js";

const MAKEFILE = "build:\n\t@echo built\ndeploy:\n\t@echo deployed by $$DEPLOYER\n";

describePage("docs/programs.md", (page) => {
  it("runs a shell", async () => {
    page.write("keys/ann");
    const { server } = await page.load<{ server: Server }>("session: (session) => session.run({ loginShell: true })");
    const shell = await page.ssh(server.port, ["-T", "ann@127.0.0.1"], "echo two\nexit 4\n");
    expect(shell).toMatchObject({ stdout: expect.stringContaining("two\n"), code: 4 });
  });

  it("builds and deploys", async () => {
    page.write("users", `ann:${KNOWN_HASHES.scrypt.hash}\n`);
    page.write("srv/app/Makefile", MAKEFILE);
    const { server } = await page.load<{ server: Server }>("There is only one command");
    expect(await page.sshWithPassword(server.port, "secret", ["ann@127.0.0.1", "deploy"])).toEqual({
      stdout: "built\ndeployed by ann\n",
      stderr: "",
      code: 0,
    });
    const refused = await page.sshWithPassword(server.port, "secret", ["ann@127.0.0.1", "deploy now"]);
    expect(refused).toMatchObject({ stdout: "", stderr: expect.stringContaining("only one command"), code: 2 });
    page.write("srv/app/Makefile", "build:\n\t@exit 1\n");
    expect((await page.sshWithPassword(server.port, "secret", ["ann@127.0.0.1", "deploy"])).code).toBe(2);
  });

  it("runs programs as another user, or as this one where it is not root", async () => {
    const isRoot = process.getuid?.() === 0;
    for (const user of ["ann", "cid"]) page.write(`etc/spindlex/keys/${user}`);
    const { server } = await page.load<{ server: Server }>("ProgramOptions", {
      'listen(22, "0.0.0.0")': "listen(0)",
      ...(isRoot ? {} : { "uid: 1001, gid: 1001": `uid: ${process.getuid?.()}, gid: ${process.getgid?.()}` }),
    });
    const shown = await page.ssh(server.port, ["ann@127.0.0.1", "id -u"]);
    expect(shown).toMatchObject({ stdout: `${isRoot ? 1001 : process.getuid?.()}\n`, code: 0 });
    expect(await page.ssh(server.port, ["cid@127.0.0.1", "id -u"])).toMatchObject({ stdout: "", code: 1 });
  });

  it("runs a program by a hook", async () => {
    page.write("srv/app/Makefile", MAKEFILE);
    type BuildClass = new (options: SSHServerOptions) => SSHServer;
    const { BuildServer } = await page.load<{ BuildServer: BuildClass }>("class BuildServer");
    const port = await page.serve(new BuildServer(OPEN));
    expect(await page.ssh(port, ["ann@127.0.0.1", "build"])).toMatchObject({ stdout: "built\n", code: 0 });
    expect((await page.ssh(port, ["ann@127.0.0.1", "deploy"])).stderr).toContain("exec request failed");
  });
});

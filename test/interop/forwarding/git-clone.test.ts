import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { needs, TOOLS } from "../../support/clients.js";
import { ClientKeys } from "../../support/clients-keys.js";
import { serverFixture } from "../../support/server-fixture.js";
import { ExternalProcess, run, runOk, temporaryFolder } from "../../support/tools.js";
import { ProgramServer } from "./program-server.js";
import { SSH_LOGIN } from "./ssh-forwards.js";

const GIT = ["git", "ssh-agent", "ssh-add"] as const;
const AUTHOR = {
  GIT_AUTHOR_NAME: "Ann",
  GIT_AUTHOR_EMAIL: "ann@example.org",
  GIT_COMMITTER_NAME: "Ann",
  GIT_COMMITTER_EMAIL: "ann@example.org",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
};

describe("programs that start ssh", needs("ssh"), () => {
  const folder = temporaryFolder();
  const here = (name: string) => join(folder, name);
  const fixture = serverFixture({ server: new ProgramServer(folder) });
  const next = serverFixture({ server: new ProgramServer(folder) });
  const keys = new ClientKeys();

  /** `ssh` and its options, as other programs take them; no word of them has a space. */
  async function sshCommand(server = fixture.server) {
    const { program, parameters, environment } = await fixture.clients.openssh("ssh", server, SSH_LOGIN);
    return { program, parameters: [...parameters, "-q"], environment };
  }

  it("git clone, from a server behind the server, by a key of the forwarded agent", needs(...GIT), async () => {
    await mkdir(here("work"));
    const git = (...words: string[]) => runOk(TOOLS.git, ["-C", here("work"), ...words], { environment: AUTHOR });
    await git("init", "-q", "-b", "main");
    await writeFile(here("work/file"), "line of text\n".repeat(20_000));
    await git("add", "file");
    await git("commit", "-q", "-m", "first");
    using agent = new ExternalProcess(TOOLS["ssh-agent"], ["-D", "-a", here("agent")]);
    await agent.untilOutput("SSH_AUTH_SOCK");
    const socket = { SSH_AUTH_SOCK: here("agent") };
    await runOk(TOOLS["ssh-add"], ["-q", await keys.openssh("ecdsa256")], { environment: socket });

    const { program, parameters } = await next.clients.openssh("ssh", next.server, { user: "admin" });
    const inner = [program, "-o", "IdentitiesOnly=no", "-o", "BatchMode=yes", ...parameters, "-q"].join(" ");
    const clone = `git clone -q ssh://admin@127.0.0.1:${next.server.port}${here("work")} clone`;
    const ssh = await sshCommand();
    const words = [...ssh.parameters, "-A", "127.0.0.1", `GIT_SSH_COMMAND="${inner}" ${clone}`];
    const { code, stderr } = await run(ssh.program, words, { environment: { ...ssh.environment, ...socket } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(await readFile(here("clone/file"), "utf8")).toBe("line of text\n".repeat(20_000));
  });
});

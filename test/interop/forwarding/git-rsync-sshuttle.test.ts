import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { needs, TOOLS } from "../../support/clients.js";
import { ClientKeys } from "../../support/clients-keys.js";
import { isLong } from "../../support/extent.js";
import { serverFixture } from "../../support/server-fixture.js";
import { ExternalProcess, run, runOk, temporaryFolder } from "../../support/tools.js";
import { makeTree } from "../../support/tree.js";
import { treeDifferences } from "../../support/tree-compare.js";
import { ProgramServer } from "./program-server.js";
import { SSH_LOGIN, SshForwards } from "./ssh-forwards.js";

const ALL = ["modes", "times", "directory modes", "directory times"] as const;
const GIT = ["git", "ssh-agent", "ssh-add"] as const;
const AUTHOR = {
  GIT_AUTHOR_NAME: "Ann",
  GIT_AUTHOR_EMAIL: "ann@example.org",
  GIT_COMMITTER_NAME: "Ann",
  GIT_COMMITTER_EMAIL: "ann@example.org",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
};

/** Python on the server, in a network where a page is served. */
const REMOTE_PYTHON = `#!/bin/sh
cd "$(dirname "$0")"
exec unshare -n -p -f --kill-child sh -c '
  ip link set lo up && ip address add 192.0.2.1/32 dev lo
  /usr/bin/python3 -m http.server 80 --bind 192.0.2.1 >/dev/null 2>&1 &
  exec /usr/bin/python3 "$@"' sh "$@"
`;

/** $0 is a folder, $1 how to run ssh. */
const THROUGH_SSHUTTLE = `
  ip link set lo up && ip address add 198.51.100.1/32 dev lo && ip route add 192.0.2.0/24 dev lo src 198.51.100.1
  sshuttle --method nft --python "$0/python" -e "$1" -r 127.0.0.1 192.0.2.0/24 >"$0/log" 2>&1 &
  until grep -q Connected "$0/log"; do kill -0 $! || { cat "$0/log" >&2; exit 1; }; sleep 0.1; done
  curl -sS --connect-timeout 1 --retry 9 --retry-delay 1 --retry-all-errors http://192.0.2.1/page
`;

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

  it("rsync, both ways", needs("rsync"), async () => {
    const { program, parameters, environment } = await sshCommand();
    const rsync = (from: string, to: string) =>
      runOk(TOOLS.rsync, ["-a", "--delete", "-e", [program, ...parameters].join(" "), from, to], { environment });
    await makeTree(here("tree"));
    await rsync(`${here("tree")}/`, "127.0.0.1:put/");
    expect(await treeDifferences(here("tree"), here("put"), ALL)).toEqual([]);
    await rm(here("put/sizes"), { recursive: true });
    await rsync("127.0.0.1:put/", `${here("tree")}/`);
    expect(await treeDifferences(here("put"), here("tree"), ALL)).toEqual([]);
  });

  /**
   * It redirects the connections of a network namespace to a program of its own on the server, which makes them there. Each
   * side gets a namespace, so that nothing of the machine changes, and no route leads from one to the other.
   */
  it.runIf(isLong && process.getuid?.() === 0)(
    "sshuttle, into a network behind the server",
    needs("sshuttle", "curl"),
    async () => {
      await writeFile(here("page"), "behind the server\n");
      await writeFile(here("python"), REMOTE_PYTHON, { mode: 0o755 });
      using ssh = await SshForwards.start(fixture, "ssh", folder, ["-R", "0:127.0.0.1:1"]);
      const words = ["-n", "-p", "-f", "--kill-child", "bash", "-c", THROUGH_SSHUTTLE, folder, ssh.command.join(" ")];
      const { code, stdout, stderr } = await run("unshare", words);
      expect({ code, stdout: stdout.toString() }, stderr).toEqual({ code: 0, stdout: "behind the server\n" });
      await ssh.end();
    },
  );
});

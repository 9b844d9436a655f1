import { writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { needs, QUICK_KEX, TOOLS } from "../../support/clients.js";
import { ClientKeys } from "../../support/clients-keys.js";
import { sha256, testBytes } from "../../support/server.js";
import { serverFixture } from "../../support/server-fixture.js";
import { SshdOracle } from "../../support/sshd-oracle.js";
import { run, temporaryFolder } from "../../support/tools.js";
import { ForwardingServer } from "./forwarding-server.js";
import { SSH_NAMES } from "./ssh-forwards.js";

describe("ssh -J", needs("ssh", "ssh10", "sshd"), () => {
  const folder = temporaryFolder();
  const configuration = join(folder, "config");
  const keys = new ClientKeys();
  const servers = [new ForwardingServer(), new ForwardingServer()] as const;
  const [first, second] = [serverFixture({ server: servers[0] }), serverFixture({ server: servers[1] })];
  let lastPort = 0;

  beforeAll(async () => {
    const sshd = await SshdOracle.start(folder, "sshd");
    lastPort = await sshd.serve({ authorizedKeys: await keys.publicLine("ed25519") });
    const knownHosts = join(folder, "known_hosts");
    await writeFile(knownHosts, first.server.knownHosts + second.server.knownHosts);
    const host = (name: string, port: number, user: string, check: string) =>
      `Host ${name}\nHostName 127.0.0.1\nPort ${port}\nUser ${user}\nStrictHostKeyChecking ${check}\n`;
    const lines = [
      host("first", first.server.port, "admin", "yes"),
      host("second", second.server.port, "admin", "yes"),
      host("last", lastPort, userInfo().username, "accept-new"),
      `Host *\nIdentityFile ${await keys.openssh("ed25519")}\nIdentitiesOnly yes\nUserKnownHostsFile ${knownHosts}\n`,
      `${QUICK_KEX}\n`,
    ];
    await writeFile(configuration, lines.join(""));
    return () => sshd[Symbol.dispose]();
  });

  it.each(SSH_NAMES)("%s, over two servers to an sshd", async (client) => {
    const data = testBytes(300_000);
    const words = ["-F", configuration, "-q", "-J", "first,second", "last", "cat"];
    const { code, stdout, stderr } = await run(TOOLS[client], words, { input: data });
    expect({ code, hash: sha256(stdout) }, stderr).toEqual({ code: 0, hash: sha256(data) });
    expect(servers.map(({ targets }) => targets.splice(0))).toEqual([
      [`127.0.0.1:${second.server.port}`],
      [`127.0.0.1:${lastPort}`],
    ]);
  });

  it("ssh, over one server to another", async () => {
    const words = ["-F", configuration, "-q", "-J", "first", "second", "hello"];
    const { code, stdout, stderr } = await run(TOOLS.ssh, words);
    expect({ code, stdout: stdout.toString() }, stderr).toEqual({ code: 0, stdout: "Executed: hello\n" });
  });
});

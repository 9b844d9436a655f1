import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PKey } from "../../src/crypto/index.js";
import { anyOf, authorizedKeys, type Channel, SSHServer, SSHServerManager, trustedUserCAs } from "../../src/index.js";
import { needs, QUICK_ALGORITHMS } from "../support/clients.js";
import { sample } from "../support/extent.js";
import { type SshLogin, sshLogin } from "../support/sshd-oracle.js";
import { runOk, temporaryFolder } from "../support/tools.js";

const folder = temporaryFolder();
const path = (name: string) => join(folder, name);
const read = (name: string) => readFileSync(path(name), "utf8").trim();

/** Allows everything, and tells each command what it has come with. */
class ReportingServer extends SSHServer {
  override checkChannelRequest(kind: string): number {
    return kind === "session" ? 0 : 2;
  }

  override checkChannelPtyRequest(): boolean {
    return true;
  }

  override checkChannelExecRequest(channel: Channel, command: Buffer): boolean {
    const { environment, pty, connection } = channel;
    const A = environment.get("A")?.toString();
    channel.send(JSON.stringify({ command: `${command}`, pty: pty !== undefined, A, user: connection.username }));
    channel.sendExitStatus(0);
    channel.close();
    return true;
  }
}

const server = new ReportingServer({
  authentication: {
    publicKey: anyOf(
      trustedUserCAs({ file: path("authorities") }, { principals: { file: path("%u.principals") } }),
      authorizedKeys({ file: path("%u.keys") }, { permitUserEnvironment: true }),
    ),
  },
});
const manager = new SSHServerManager({
  serverInterface: server,
  serverKey: PKey.generate({ keyType: "ed25519" }),
  bindAddress: "127.0.0.1",
  port: 0,
  logger: false,
  algorithms: QUICK_ALGORITHMS,
  authFailureDelay: 0,
});

const TYPES = { ed25519: [], ecdsa: ["-b", "384"], rsa: ["-b", "2048"] } as const;

function write(name: string, ...lines: readonly string[]): void {
  writeFileSync(path(name), `${lines.join("\n")}\n`);
  chmodSync(path(name), 0o644);
}

async function certify(key: string, principals: string, ...options: readonly string[]): Promise<string> {
  await runOk("ssh-keygen", ["-q", "-s", path("ca"), "-I", "test", "-n", principals, ...options, path(`${key}.pub`)]);
  return path(`${key}-cert.pub`);
}

async function login(user: string, identity: string, rest: Partial<SshLogin> = {}) {
  const { verdict, stdout, stderr } = await sshLogin(manager.port, user, {
    identity: path(identity),
    command: "ask",
    ...rest,
  });
  return { verdict, report: stdout === "" ? undefined : JSON.parse(stdout), stderr };
}

describe("authorizedKeys and trustedUserCAs, with ssh", needs("ssh"), () => {
  beforeAll(async () => {
    for (const [type, options] of Object.entries(TYPES)) {
      await runOk("ssh-keygen", ["-q", "-N", "", "-t", type, ...options, "-f", path(type)]);
    }
    await runOk("ssh-keygen", ["-q", "-N", "", "-t", "ed25519", "-f", path("ca")]);
    // ssh takes a certificate beside a key of its own accord: these have none.
    await runOk("ssh-keygen", ["-q", "-N", "", "-t", "ed25519", "-f", path("plain")]);
    write("authorities", read("ca.pub"));
    await manager.startServer();
  });
  afterAll(() => manager.stopServer({ gracePeriod: 0 }));

  it("let in the user's own keys, as soon as they are there", async () => {
    expect(await login("ann", "plain")).toMatchObject({ verdict: "refused" });
    write("ann.keys", "# mine", read("plain.pub"));
    expect(await login("ann", "plain")).toMatchObject({ verdict: "accepted", report: { command: "ask", user: "ann" } });
    expect(await login("bob", "plain")).toMatchObject({ verdict: "refused" });
    write("ann.keys", `from="10.0.0.0/8" ${read("plain.pub")}`, `expiry-time="20200101" ${read("plain.pub")}`);
    expect(await login("ann", "plain")).toMatchObject({ verdict: "refused" });
    write("ann.keys", `unknown ${read("plain.pub")}`);
    expect(await login("ann", "plain")).toMatchObject({ verdict: "refused" });
  });

  it("hold the options of the line", async () => {
    write("carl.keys", `restrict,command="backup \\"all\\"",environment="A=b" ${read("plain.pub")}`);
    const { report } = await login("carl", "plain", { command: "rm -r /" });
    expect(report).toEqual({ command: 'backup "all"', pty: false, A: "b", user: "carl" });
    const { stderr } = await login("carl", "plain", { options: ["RequestTTY=force"] });
    expect(stderr).toContain("PTY allocation request failed");
    write("carl.keys", `restrict,pty ${read("plain.pub")}`);
    const forced = await login("carl", "plain", { options: ["RequestTTY=force"] });
    expect(forced.report).toMatchObject({ command: "ask", pty: true });
  });

  it.each(sample(Object.keys(TYPES), 2))(
    "let in with a certificate of an %s key that a line's authority has signed",
    async (type) => {
      write("dora.keys", `cert-authority,principals="web,db",no-pty ${read("ca.pub")}`);
      const certificate = await certify(type, "db");
      const accepted = await login("dora", type, { certificate });
      expect(accepted).toMatchObject({ verdict: "accepted", report: { command: "ask", pty: false, user: "dora" } });
      const { stderr } = await login("dora", type, { certificate, options: ["RequestTTY=force"] });
      expect(stderr).toContain("PTY allocation request failed");
      expect(await login("erin", type, { certificate })).toMatchObject({ verdict: "refused" });
      expect(await login("dora", type, { certificate: await certify(type, "dora") })).toMatchObject({
        verdict: "refused",
      });
    },
  );

  it("let in with a certificate of a trusted authority, for the user's principals", async () => {
    write("fay.principals", 'command="report" web', "db");
    const forced = await login("fay", "ed25519", { certificate: await certify("ed25519", "web") });
    expect(forced.report).toMatchObject({ command: "report", user: "fay" });
    const free = await login("fay", "ed25519", { certificate: await certify("ed25519", "db") });
    expect(free.report).toMatchObject({ command: "ask" });
    for (const options of [["-V", "20200101:20200102"], ["-h"], ["-O", "source-address=10.0.0.0/8"]]) {
      const certificate = await certify("ed25519", "db", ...options);
      expect(await login("fay", "ed25519", { certificate })).toMatchObject({ verdict: "refused" });
    }
    expect(await login("fay", "ed25519", { certificate: await certify("ed25519", "fay") })).toMatchObject({
      verdict: "refused",
    });
  });
});

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SshClient } from "../../examples/real-client.js";
import { RunningProcess } from "../../examples/running-process.js";
import { needs } from "../../support/clients.js";
import { type StartedServer, startServer } from "./started-server.js";

let client: SshClient;
/** How ssh logs in. */
let login: readonly string[];
let echo: Server;
let shared: StartedServer;
let agent: RunningProcess;
let agentSocket = "";

beforeAll(async () => {
  client = new SshClient();
  const key = join(client.folder, "key");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key]);
  login = ["-i", key, "ann@127.0.0.1"];
  agentSocket = join(client.folder, "agent");
  agent = new RunningProcess("ssh-agent", ["-D", "-a", agentSocket]);
  await agent.output(/SSH_AUTH_SOCK/);
  execFileSync("ssh-add", ["-q", key], { env: { ...process.env, SSH_AUTH_SOCK: agentSocket } });
  echo = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
  await once(echo, "listening");
  const forwarding = ["--allow-forwarding", "local,remote,agent,x11", "--permit-listen", "localhost:*"];
  const targets = ["--permit-open", `127.0.0.0/8:${portOf(echo)},db.internal:5432`];
  shared = await startServer(
    ["--user", "ann", "--authorized-keys", `${key}.pub`, "--allow-exec", ...forwarding, ...targets],
    { ...process.env, XDG_STATE_HOME: join(client.folder, "state") },
  );
});
afterAll(async () => {
  await shared?.server.kill();
  await agent?.kill();
  echo?.close();
  client.dispose();
});

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** What comes back for a text, to its end. */
async function exchange(target: { readonly port: number } | { readonly path: string }, sent: string): Promise<string> {
  const socket = connect({ ...target, allowHalfOpen: true });
  socket.end(sent);
  return text(socket);
}

describe("a server with --allow-forwarding", needs("ssh", "ssh-agent", "ssh-add"), () => {
  it("says what it forwards", () => {
    expect(shared.server.stdout).toContain(
      `Forwards:  ssh -L, -D, -W and -J to 127.0.0.0/8:${portOf(echo)}, db.internal:5432\n` +
        "Forwards:  ssh -R from localhost:*, on loopback\n" +
        "Forwards:  ssh -A for programs\n" +
        "Forwards:  ssh -X for programs\n",
    );
  });

  it("connects to the targets of --permit-open and listens on the ports of --permit-listen: ssh -L, ssh -R", async () => {
    const path = join(client.folder, "local");
    const target = `127.0.0.1:${portOf(echo)}`;
    const options = ["-N", "-o", "LogLevel=INFO", "-o", "ExitOnForwardFailure=yes"];
    const ssh = client.start(shared.port, "", [...options, "-L", `${path}:${target}`, "-R", `0:${target}`, ...login]);
    const [, port] = await ssh.errorOutput(/Allocated port (\d+)/);
    expect(await exchange({ path }, "there and back")).toBe("there and back");
    expect(await exchange({ port: Number(port) }, "back and there")).toBe("back and there");
    await ssh.kill();
  });

  it("refuses other targets, and tells its log which", async () => {
    const other = `127.0.0.1:${portOf(echo) - 1}`;
    const outcome = await client.run(shared.port, "", ["-W", other, "-o", "LogLevel=INFO", ...login]);
    expect(outcome).toMatchObject({ code: 255, stderr: expect.stringContaining("administratively prohibited") });
    const [line] = await shared.server.errorOutput(/.*direct-tcpip: refused by the decision.*/);
    expect(line).toContain(other);
  });

  it("refuses to listen for other addresses", async () => {
    const options = ["-N", "-o", "ExitOnForwardFailure=yes", "-R", `*:0:127.0.0.1:${portOf(echo)}`];
    const outcome = await client.run(shared.port, "", [...options, ...login]);
    expect(outcome).toMatchObject({ code: 255, stderr: expect.stringContaining("remote port forwarding failed") });
  });

  it("gives programs the client's agent and display, which are gone with the session: ssh -A, ssh -Y", async () => {
    const options = ["-A", "-Y", "-o", `IdentityAgent=${agentSocket}`];
    const command = 'ssh-add -L; echo "$DISPLAY"; ls "$SSH_AUTH_SOCK"; ls "$XAUTHORITY"';
    const { stdout } = await client.run(shared.port, "", [...options, ...login, command]);
    const [key, display, ...paths] = stdout.trimEnd().split("\n");
    expect(key).toContain(readFileSync(`${login[1]}.pub`, "utf8").trim());
    expect(display).toMatch(/^localhost:\d+\.0$/);
    expect(paths).toEqual([expect.stringContaining("agent."), expect.stringContaining("Xauthority")]);
    await expect.poll(() => paths.filter((path) => existsSync(path))).toEqual([]);
  });
});

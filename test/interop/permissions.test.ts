import { type AddressInfo, createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MemoryFileSystem } from "../../src/files/memory/memory-file-system.js";
import {
  type AuthDecision,
  type Channel,
  Grant,
  type Permissions,
  RESTRICTED_PERMISSIONS,
  SFTPServer,
} from "../../src/index.js";
import { needs } from "../support/clients.js";
import { GuideServer } from "../support/server.js";
import { serverFixture } from "../support/server-fixture.js";
import { run } from "../support/tools.js";

/** What each user may do. */
const USERS: Readonly<Record<string, Partial<Permissions>>> = {
  free: {},
  restricted: RESTRICTED_PERMISSIONS,
  forced: { forceCommand: "report --all" },
  sftponly: { forceCommand: "internal-sftp" },
  variables: { environment: { GREETING: "hello from the server" } },
  forwarding: { permitOpen: [[{ host: "127.0.0.1", port: 9 }]] },
};

/** Allows everything that is asked for, and tells what it was asked. */
class AllowingServer extends GuideServer {
  readonly asked: string[] = [];

  override getAllowedAuths(): string[] {
    return ["password"];
  }

  override checkAuthPassword(username: string): AuthDecision {
    return new Grant({ permissions: USERS[username] ?? RESTRICTED_PERMISSIONS });
  }

  override checkChannelRequest(kind: string): number {
    this.asked.push(kind);
    return kind === "session" ? 0 : 2;
  }

  override checkChannelPtyRequest(): boolean {
    this.asked.push("pty");
    return true;
  }

  override checkChannelEnvRequest(): boolean {
    return true;
  }

  override checkPortForwardRequest(_address: string, port: number): number {
    this.asked.push(`listen ${port}`);
    return port;
  }

  override checkChannelExecRequest(channel: Channel, command: Buffer): boolean {
    const { environment, pty, originalCommand } = channel;
    const facts = { command: `${command}`, original: originalCommand?.toString(), pty: pty !== undefined };
    const variables = Object.fromEntries([...environment].map(([name, value]) => [name, value.toString()]));
    channel.send(JSON.stringify({ ...facts, environment: variables }));
    channel.sendExitStatus(0);
    channel.close();
    return true;
  }

  override checkChannelSubsystemRequest(channel: Channel, name: string): boolean {
    this.asked.push(`subsystem ${name}`);
    new SFTPServer(channel, { fileSystem: MemoryFileSystem.from({ "/here.txt": "" }) });
    return true;
  }
}

describe("permissions, with ssh", needs("ssh"), () => {
  const server = new AllowingServer();
  const fixture = serverFixture({ server });

  async function ssh(
    user: string,
    options: readonly string[],
    command = "ask",
    variables: Record<string, string> = {},
  ) {
    server.asked.length = 0;
    const login = { user, password: "any" };
    const { program, parameters, environment } = await fixture.clients.commandLine("ssh", fixture.server, {
      login,
      command,
      options,
    });
    return run(program, parameters, { environment: { ...environment, ...variables } });
  }
  const report = async (...parameters: Parameters<typeof ssh>) =>
    JSON.parse((await ssh(...parameters)).stdout.toString());

  it("give a terminal, or do not ask for one", async () => {
    expect(await report("free", ["-tt"])).toMatchObject({ pty: true });
    const { stderr } = await ssh("restricted", ["-tt"]);
    expect(stderr).toContain("PTY allocation request failed");
    expect(server.asked).toEqual(["session"]);
  });

  it("force a command in place of any other, of the shell and of a subsystem", async () => {
    const variable = { SSH_ORIGINAL_COMMAND: "something else" };
    const asked = await report("forced", ["-o", "SendEnv=SSH_ORIGINAL_COMMAND"], "rm -r /", variable);
    expect(asked).toEqual({
      command: "report --all",
      original: "rm -r /",
      pty: false,
      environment: expect.objectContaining({ SSH_ORIGINAL_COMMAND: "rm -r /" }),
    });
    expect(await report("forced", ["-s"], "sftp")).toMatchObject({ command: "report --all", original: "sftp" });
    expect(server.asked).toEqual(["session"]);
    const { program, parameters, environment } = await fixture.clients.openssh("ssh", fixture.server, {
      user: "forced",
      password: "any",
    });
    const { stdout } = await run(program, [...parameters, "127.0.0.1"], { environment });
    expect(JSON.parse(stdout.toString())).toMatchObject({ command: "report --all", pty: false });
  });

  it("force SFTP", async () => {
    const { code } = await ssh("sftponly", [], "rm -r /");
    expect(code).not.toBe(undefined);
    expect(server.asked).toEqual(["session", "subsystem sftp"]);
  });

  it("set variables that the client cannot change", async () => {
    const variable = { GREETING: "hello from the client", LANG: "C" };
    expect(await report("variables", ["-o", "SendEnv=GREETING LANG"], "ask", variable)).toMatchObject({
      environment: { GREETING: "hello from the server", LANG: "C" },
    });
  });

  it.each([
    ["free", "127.0.0.1:10", ["direct-tcpip"]],
    ["forwarding", "127.0.0.1:9", ["direct-tcpip"]],
    ["forwarding", "127.0.0.1:10", []],
    ["forwarding", "localhost:9", []],
    ["restricted", "127.0.0.1:9", []],
  ])("of %s let ssh -W %s ask for %j", async (user, target, asked) => {
    const { stderr } = await ssh(user, ["-W", target]);
    expect(server.asked).toEqual(asked);
    expect(stderr).toContain(asked.length === 0 ? "administratively prohibited" : "connect failed");
  });

  it.each([
    ["free", ["listen 4711", "session"]],
    ["restricted", ["session"]],
  ])("of %s let ssh -R ask for %j", async (user, asked) => {
    await ssh(user, ["-R", "4711:127.0.0.1:9"]);
    expect(server.asked).toEqual(asked);
  });
});

const greeter = createServer((socket) => socket.on("error", () => {}).end("hello\n"));
const greeterPort = () => (greeter.address() as AddressInfo).port;

/** Each user is let in by a grant; what it leaves is narrowed by name. */
class ByUserServer extends GuideServer {
  constructor() {
    super({
      authentication: {
        permissions: (username) =>
          username === "clerk" ? { permitOpen: [[{ host: "127.0.0.1", port: greeterPort() }]] } : {},
      },
      forwarding: { local: () => true },
    });
  }

  override getAllowedAuths(): string[] {
    return ["password"];
  }

  override checkAuthPassword(username: string): AuthDecision {
    const grant = new Grant({ permissions: { pty: false } });
    if (username === "guest") return grant.restrict({ portForwarding: false });
    if (username === "other") return grant.restrict({ permitOpen: [[{ host: "localhost", port: "*" }]] });
    return grant;
  }

  override checkChannelRequest(): number {
    return 0;
  }
}

describe("permissions by user, with ssh -W", needs("ssh"), () => {
  const fixture = serverFixture({ server: new ByUserServer() });
  beforeAll(() => new Promise<void>((resolve) => greeter.listen(0, "127.0.0.1", resolve)));
  afterAll(() => new Promise((resolve) => greeter.close(resolve)));

  it.each([
    ["admin, whom nothing narrows", "admin", ["127.0.0.1", "localhost"]],
    ["clerk, whom authentication.permissions narrows", "clerk", ["127.0.0.1"]],
    ["other, whom grant.restrict narrows to another host", "other", ["localhost"]],
    ["guest, whom grant.restrict forbids it", "guest", []],
  ])("connect %s, where they may", async (_who, user, allowed) => {
    for (const host of ["127.0.0.1", "localhost"]) {
      const { program, parameters, environment } = await fixture.clients.openssh("ssh", fixture.server, {
        user,
        password: "any",
      });
      const { code, stdout, stderr } = await run(
        program,
        [...parameters, "-W", `${host}:${greeterPort()}`, "127.0.0.1"],
        { environment },
      );
      if (allowed.includes(host)) expect({ code, stdout: `${stdout}` }).toEqual({ code: 0, stdout: "hello\n" });
      else {
        expect({ code, stdout: `${stdout}` }).toEqual({ code: 255, stdout: "" });
        expect(stderr).toContain("administratively prohibited");
      }
    }
  });
});

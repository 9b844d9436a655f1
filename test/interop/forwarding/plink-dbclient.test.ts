import { beforeAll, describe, expect, it } from "vitest";
import { PKey } from "../../../src/crypto/index.js";
import { TestAgent } from "../../forwarding/agent/test-agent.js";
import { connectError } from "../../forwarding/listening-client.js";
import { needs } from "../../support/clients.js";
import { ClientKeys } from "../../support/clients-keys.js";
import { freePort } from "../../support/free-port.js";
import { testBytes } from "../../support/server.js";
import { serverFixture } from "../../support/server-fixture.js";
import { ExternalProcess, type ProcessResult, run } from "../../support/tools.js";
import { echoTarget } from "./echo.js";
import { answerAs, sentBySocks, sentThrough } from "./programs-on-both-sides.js";
import { SessionServer } from "./session-server.js";

type ProgramName = "plink" | "dbclient";

const DATA = testBytes(100 * 1024);
const LOGIN = { user: "admin", password: "secret" };

const keys = new ClientKeys();
const agent = TestAgent.start();
const display = echoTarget();
const target = echoTarget();
const server = new SessionServer({ x11: true });
const fixture = serverFixture({ server });
const hidden = serverFixture();

let agentKey = "";
beforeAll(async () => {
  agent.answer = answerAs(await PKey.fromFile(await keys.openssh("ecdsa256")));
  agentKey = await keys.fingerprint("ecdsa256");
});

/** A session that stays until its input ends, and what it may use. */
async function start(client: ProgramName, options: readonly string[]): Promise<ExternalProcess> {
  const request = { login: LOGIN, command: "use-and-stay", options };
  const { program, parameters, environment } = await fixture.clients.commandLine(client, fixture.server, request);
  const forwarded = { SSH_AUTH_SOCK: agent.path, DISPLAY: `127.0.0.1:${display.port - 6000}` };
  return new ExternalProcess(program, parameters, { environment: { ...environment, ...forwarded } });
}

/** A connection in place of a session. */
async function connect(client: ProgramName, option: string, port: number): Promise<ProcessResult> {
  const request = { login: LOGIN, command: "", options: [option, `127.0.0.1:${port}`] };
  const { program, parameters, environment } = await fixture.clients.commandLine(client, fixture.server, request);
  return run(program, parameters.slice(0, -1), { environment, input: DATA });
}

async function expectEcho(port: number): Promise<void> {
  const got = await sentThrough({ host: "127.0.0.1", port }, DATA, "before the answer");
  expect(DATA.equals(got)).toBe(true);
}

async function expectLost(port: number): Promise<void> {
  expect(await sentThrough({ host: "127.0.0.1", port }, "lost", "before the answer")).toEqual(Buffer.of());
}

/** Neither of the programs cancels. */
async function expectNoListener(port: number): Promise<void> {
  await expect.poll(() => connectError({ host: "127.0.0.1", port }), { interval: 5 }).toBe("ECONNREFUSED");
}

describe("plink", needs("plink"), () => {
  // It knows no sockets of the file system.
  it("-L, -R, -D, -A and -X, for as long as it runs", needs("curl"), async () => {
    const [local, toNobody, remote, socks] = [await freePort(), await freePort(), await freePort(), await freePort()];
    const ports = [
      "-L",
      `${local}:${target.address}`,
      "-L",
      `${toNobody}:127.0.0.1:${await freePort()}`,
      "-D",
      `${socks}`,
    ];
    // It takes 0 for no port of the server.
    using plink = await start("plink", ["-v", "-A", "-X", ...ports, "-R", `${remote}:${target.address}`]);
    await plink.untilOutput("display");
    expect(plink.output).toBe(`agent ${agentKey}, display`);
    await expectEcho(local);
    await expectEcho(remote);
    await expectLost(toNobody);
    expect(plink.errorOutput).toContain("Forwarded connection refused by remote: Connect failed [connect failed]");
    const { code, answer } = await sentBySocks(socks, DATA);
    expect(DATA.equals(answer)).toBe(true);
    // It ends the connection without an answer.
    expect([52, 56], "an empty reply, or a reset").toContain(code);
    plink.stdin.end();
    expect((await plink.finished).code).toBe(0);
    await expectNoListener(remote);
  });

  it("-nc, and the error of a target that cannot be had", async () => {
    const [echoed, refused] = await Promise.all([
      connect("plink", "-nc", target.port),
      connect("plink", "-nc", await freePort()),
    ]);
    expect(echoed.code).toBe(0);
    expect(DATA.equals(echoed.stdout)).toBe(true);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("Server refused to open main channel: Connect failed [connect failed]");
  });
});

describe("dbclient", needs("dbclient"), () => {
  // It knows no sockets of the file system, SOCKS and X11.
  it("-L, -R and -A, for as long as it runs", async () => {
    const [local, toNobody] = [await freePort(), await freePort()];
    const ports = ["-L", `${local}:${target.address}`, "-L", `${toNobody}:127.0.0.1:${await freePort()}`];
    using dbclient = await start("dbclient", ["-A", ...ports, "-R", `0:${target.address}`]);
    await dbclient.untilOutput("display");
    expect(dbclient.output).toBe(`agent ${agentKey}, no display`);
    const remote = Number(/Allocated port (\d+)/.exec(dbclient.errorOutput)?.[1]);
    await expectEcho(local);
    await expectEcho(remote);
    await expectLost(toNobody);
    dbclient.stdin.end();
    expect((await dbclient.finished).code).toBe(0);
    await expectNoListener(remote);
  });

  it("-B, where it makes no error of a target that cannot be had", async () => {
    const [echoed, refused] = await Promise.all([
      connect("dbclient", "-B", target.port),
      connect("dbclient", "-B", await freePort()),
    ]);
    expect(echoed.code).toBe(0);
    expect(DATA.equals(echoed.stdout)).toBe(true);
    expect(refused.code).toBe(0);
    expect(refused.stdout).toHaveLength(0);
    expect(refused.stderr).toMatch(/Connection to admin@127\.0\.0\.1:\d+ closed\.\s*$/);
  });

  it("reaches a server behind the server, which is -J with -B", async () => {
    const [before, behind] = [fixture.server, hidden.server].map(({ port }) => `admin@127.0.0.1/${port}`);
    const request = { login: LOGIN, command: "" };
    const { program, environment } = await fixture.clients.commandLine("dbclient", fixture.server, request);
    const { code, stdout } = await run(program, ["-y", `${before},${behind}`, "hello"], { environment });
    expect({ code, output: `${stdout}` }).toEqual({ code: 0, output: "Executed: hello\n" });
    expect(server.targets).toContain(`127.0.0.1:${hidden.server.port}`);
  });
});

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { silentLogger } from "../../../src/base/logger.js";
import type { Channel } from "../../../src/index.js";
import { watchListeners } from "../../forwarding/x11/listeners.js";
import { needs, TOOLS, TRIED_SSHS } from "../../support/clients.js";
import { GuideServer } from "../../support/server.js";
import { serverFixture } from "../../support/server-fixture.js";
import { ExternalProcess, runOk, temporaryFolder } from "../../support/tools.js";

const LOGIN = { user: "admin", password: "secret" };
const COOKIE = "00112233445566778899aabbccddeeff";

/** Runs what clients ask for as programs of this machine, which may show windows where the client has said so. */
class X11Server extends GuideServer {
  /** Of the last session. */
  authorityFile: string | undefined;

  override checkChannelExecRequest(channel: Channel, command: Buffer): true {
    this.#run(channel, `${command}`).catch((error) => channel.destroy(error));
    return true;
  }

  async #run(channel: Channel, command: string): Promise<void> {
    const made = await channel.x11?.listen();
    this.authorityFile = made?.authorityFile;
    const variables = [...channel.environment].map(([name, value]) => [name, `${value}`]);
    const env = { PATH: process.env.PATH, ...Object.fromEntries(variables) };
    const program = spawn("sh", ["-c", command], { env, stdio: "pipe" });
    channel.signal.addEventListener("abort", () => program.kill());
    program.stdout.on("data", (data) => channel.send(data));
    program.stderr.on("data", (data) => channel.sendStderr(data));
    program.on("close", (code) => {
      channel.sendExitStatus(code ?? 255);
      channel.close();
    });
  }
}

/** An X server with a screen in memory. */
async function startXServer(folder: string) {
  const authorityFile = join(folder, "server-authority");
  const add = (display: string) => runOk(TOOLS.xauth, ["-q", "-f", authorityFile, "add", display, ".", COOKIE]);
  await add(":0");
  // Without -noreset it throws out all of its clients whenever the last one leaves, those that come just then as well.
  const options = "-displayfd 1 -noreset -nolisten tcp -screen 0 640x480x24 -auth".split(" ");
  const server = new ExternalProcess(TOOLS.Xvfb, [...options, authorityFile], { timeout: 120_000 });
  await vi.waitFor(() => expect(server.output).toMatch(/^\d+\n$/), 10_000);
  const display = `:${server.output.trim()}`;
  await add(display);
  return { environment: { DISPLAY: display, XAUTHORITY: authorityFile }, stop: () => server.kill("SIGTERM") };
}

describe("X11 forwarding", needs("Xvfb", "xauth", "xdpyinfo", "xclock"), () => {
  const server = new X11Server({ forwarding: { x11: true } });
  const refusals: unknown[] = [];
  const info = (fields: object, message: string) => {
    if (message === "a request was refused" && "reason" in fields) refusals.push(fields.reason);
  };
  const fixture = serverFixture({ server, logger: { ...silentLogger, info } });
  const folder = temporaryFolder();
  let xServer: Awaited<ReturnType<typeof startXServer>> | undefined;
  beforeAll(async () => {
    xServer = await startXServer(folder);
  });
  afterAll(() => xServer?.stop());

  async function start(client: "ssh" | "ssh10", option: string, program: string): Promise<ExternalProcess> {
    const { environment, ...command } = await fixture.clients.openssh(client, fixture.server, LOGIN);
    const parameters = [...command.parameters, "-q", option, "127.0.0.1", program];
    return new ExternalProcess(command.program, parameters, {
      environment: { ...environment, ...xServer?.environment },
    });
  }

  async function expectNothingLeft(listeners: () => number): Promise<void> {
    const { authorityFile } = server;
    if (authorityFile === undefined) expect.fail("no display was made");
    await vi.waitFor(() => {
      expect(existsSync(dirname(authorityFile))).toBe(false);
      expect(listeners()).toBe(0);
    });
  }

  describe.each(TRIED_SSHS)("of %s", (client) => {
    it.each(["-X", "-Y"])("%s: programs see the client's display", needs(client), async (option) => {
      const listeners = watchListeners();
      // Two at once.
      using ssh = await start(client, option, "xdpyinfo > /dev/null & xdpyinfo && wait $!");
      const { code, stdout, stderr } = await ssh.finished;
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout.toString()).toMatch(/^name of display: +localhost:\d+\.0$/m);
      expect(stdout.toString()).toMatch(/^ +dimensions: +640x480 pixels/m);
      await expectNothingLeft(listeners);
      expect(refusals).toEqual([]);
    });
  });

  it("opens no window without the cookie, and ends those of a session with it", needs("ssh"), async () => {
    const listeners = watchListeners();
    using ssh = await start("ssh", "-Y", "XAUTHORITY=/dev/null xdpyinfo; xclock -title forwarded");
    await ssh.untilOutput("unable to open display");
    expect(refusals.splice(0)).toEqual(["x11-req: an X client has not shown the cookie"]);
    const windows = () => runOk("xwininfo", ["-root", "-tree"], { environment: xServer?.environment });
    await vi.waitFor(async () => expect(await windows()).toContain('"forwarded"'), 10_000);
    ssh.kill("SIGTERM");
    await expectNothingLeft(listeners);
    await vi.waitFor(async () => expect(await windows()).not.toContain('"forwarded"'), 10_000);
  });
});

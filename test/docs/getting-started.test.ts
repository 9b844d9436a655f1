import { expect, it, vi } from "vitest";
import type { Server, SSHServerManager } from "../../src/index.js";
import { describePage } from "./page-fixture.js";

describePage("docs/getting-started.md", (page) => {
  it("1: runs something for a client", async () => {
    const { server } = await page.load<{ server: Server }>("has asked for");
    expect(page.log).toMatch(
      new RegExp(
        `^.* warn a host key was made path=.*/host_key fingerprint=SHA256:.*\nListening on .*:${server.port}\n$`,
      ),
    );
    expect(await page.sshWithPassword(server.port, "secret", ["admin@127.0.0.1", "hello"])).toEqual({
      stdout: "admin has asked for hello\n",
      stderr: "",
      code: 0,
    });
    const shell = await page.sshWithPassword(server.port, "secret", ["-T", "admin@127.0.0.1"]);
    expect(shell).toMatchObject({ stdout: "admin has asked for a shell\n", code: 0 });
    // What is not declared is refused, and the log says what would allow it.
    const tunnel = await page.sshWithPassword(server.port, "secret", ["-W", "127.0.0.1:1", "admin@127.0.0.1"]);
    expect(tunnel).toMatchObject({ code: 255, stderr: expect.stringContaining("forwarding failed") });
    expect(page.log).toMatch(/forwarding\b.*\blocal/);
    expect((await page.sshWithPassword(server.port, "wrong", ["admin@127.0.0.1", "hello"])).code).toBe(255);
  });

  it("2: lets the right people in", async () => {
    page.write("keys/ann");
    const { server } = await page.load<{ server: Server }>(
      'authorizedKeys({ file: "keys/%u" }) },\n  session: ({ user',
    );
    expect((await page.ssh(server.port, ["ann@127.0.0.1"])).stdout).toBe("hello ann\n");
    expect((await page.ssh(server.port, ["ben@127.0.0.1"])).code).toBe(255);
  });

  it("2: hands on what belongs to a user", async () => {
    const { server } = await page.load<{ server: Server }>("new Grant({ data: customer })");
    const { stdout } = await page.sshWithPassword(server.port, "secret", ["ann@127.0.0.1"]);
    expect(stdout).toBe("Your plan is large.\n");
  });

  it("3: starts programs and serves files", async () => {
    page.write("keys/ann");
    page.write("srv/files/ann/notes.txt");
    const { server } = await page.load<{ server: Server }>('session.run(["uptime"])');
    expect(await page.ssh(server.port, ["ann@127.0.0.1", "anything"])).toMatchObject({
      stdout: expect.stringContaining("load average"),
      code: 0,
    });
    expect((await page.sftp(server.port, "ann", ["ls", "pwd"])).stdout).toMatch(/notes\.txt[\s\S]*directory: \/\n/);
    expect(page.log.match(/ info /g)?.length).toBe(4);
  });

  it("4: decides by hooks", async () => {
    page.write("srv/files/readme.txt", "read me");
    const stops = vi.spyOn(process, "once");
    const { manager } = await page.load<{ manager: SSHServerManager }>("class MyServer");
    expect(page.log).toBe(`Listening on port ${manager.port}\n`);
    expect(await page.sshWithPassword(manager.port, "secret", ["admin@127.0.0.1", "make tea"])).toEqual({
      stdout: "Executed: make tea\n",
      stderr: "",
      code: 0,
    });
    expect((await page.sftp(manager.port, "admin", ["ls"])).stdout).toContain("readme.txt");
    const [, stop = () => expect.fail("nothing stops it")] = stops.mock.calls.find(([name]) => name === "SIGINT") ?? [];
    process.off("SIGINT", stop);
    await stop();
    expect(manager.isRunning()).toBe(false);
  });
});

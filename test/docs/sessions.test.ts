import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { createServer, type Server, type SessionHandler } from "../../src/index.js";
import { KNOWN_HASHES } from "../authenticators/passwords/known-hashes.js";
import { RunningProcess } from "../examples/running-process.js";
import { describePage, OPEN } from "./page-fixture.js";

describePage("docs/sessions.md", (page) => {
  it("counts what the client has sent", async () => {
    const { server } = await page.load<{ server: Server }>("you have sent");
    const counted = await page.ssh(server.port, ["ann@127.0.0.1", "count"], "hello");
    expect(counted).toEqual({ stdout: "ann, you have sent 5 bytes.\n", stderr: "", code: 0 });
    expect(await page.ssh(server.port, ["ann@127.0.0.1", "count"])).toMatchObject({ code: 1 });
    expect(page.log.match(/ info /g)?.length).toBe(4);
  });

  it("stops a clock when its client is gone, without an error", async () => {
    const { clock } = await page.load<{ clock: SessionHandler }>("function clock");
    let stopped = (_: unknown) => {};
    const end = new Promise((resolve) => {
      stopped = resolve;
    });
    const server = createServer({
      hostKey: "host_key",
      ...OPEN,
      session: (session) => Promise.resolve(clock(session)).finally(() => stopped(session.signal.reason)),
    });
    const port = await page.serve(server);
    const client = new RunningProcess("ssh", [...page.client.options, "-p", `${port}`, "ann@127.0.0.1", "clock"]);
    await client.output(/^\d{4}-\d\d-\d\dT/);
    await client.kill();
    expect(await end).toMatchObject({ reason: expect.stringMatching(/^(client closed|connection lost)$/) });
    await server.close({ grace: 0 });
    expect(page.log).not.toContain("error");
  });

  it("leaves work to the session", async () => {
    const notified: string[] = [];
    const hook = createHttpServer((request, response) => {
      request.on("data", (chunk) => notified.push(String(chunk))).on("end", () => response.end());
    });
    await new Promise<void>((resolve) => hook.listen(0, "127.0.0.1", resolve));
    const { port: hookPort } = hook.address() as { readonly port: number };
    const { record } = await page.load<{ record: SessionHandler }>("function record", {
      "https://example.com/hook": `http://127.0.0.1:${hookPort}/hook`,
    });
    mkdirSync(join(page.folder, "recordings"));
    const port = await page.serve(createServer({ hostKey: "host_key", ...OPEN, session: record }));
    expect(await page.ssh(port, ["ann@127.0.0.1", "record"], "one two")).toMatchObject({ code: 0 });
    expect(notified).toEqual(["ann"]);
    const [name = ""] = readdirSync(join(page.folder, "recordings"));
    expect(readFileSync(join(page.folder, "recordings", name), "utf8")).toBe("one two");
    await new Promise((resolve) => hook.close(resolve));
  });

  it("serves a folder of one user, and another to the rest", async () => {
    const hash = KNOWN_HASHES.scrypt.hash;
    page.write("users", `ann:${hash}\nben:${hash}\n`);
    page.write("srv/ann/hers.txt");
    page.write("srv/public/all.txt");
    const { server } = await page.load<{ server: Server }>("const folders");
    const port = await page.serve(server);
    const put = `put ${page.write("upload")} new.txt`;
    expect((await page.sftp(port, "ann", [put, "ls"])).stdout).toMatch(/hers\.txt\s+new\.txt/);
    const reader = await page.sftp(port, "ben", [put, "ls"]);
    expect(reader.stdout).toContain("all.txt");
    expect(readdirSync(join(page.folder, "srv/public"))).toEqual(["all.txt"]);
  });

  it("keeps office hours", async () => {
    page.write("users", `ann:${KNOWN_HASHES.scrypt.hash}\n`);
    const { server } = await page.load<{ server: Server }>("officeHours");
    const port = await page.serve(server);
    const hour = vi.spyOn(Date.prototype, "getHours").mockReturnValue(12);
    const greeted = await page.sshWithPassword(port, "secret", ["ann@127.0.0.1"]);
    expect(greeted).toMatchObject({ stdout: "hello\n", code: 0 });
    hour.mockReturnValue(3);
    const sentAway = await page.sshWithPassword(port, "secret", ["ann@127.0.0.1"]);
    expect(sentAway).toMatchObject({
      stdout: "",
      stderr: expect.stringMatching(/^Come back tomorrow\.\r?\n$/),
      code: 1,
    });
  });

  it("closes when the process is told to end", async () => {
    const once = vi.spyOn(process, "once");
    const { server } = await page.load<{ server: Server }>("SIGTERM");
    const { port } = server;
    expect((await page.ssh(port, ["ann@127.0.0.1", "true"])).code).toBe(255);
    const [, close = () => expect.fail("nothing closes it")] =
      once.mock.calls.find(([name]) => name === "SIGTERM") ?? [];
    process.off("SIGTERM", close);
    await close();
    expect((await page.ssh(port, ["ann@127.0.0.1", "true"])).stderr).toContain("Connection refused");
  });
});

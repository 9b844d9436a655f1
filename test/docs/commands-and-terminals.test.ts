import { once } from "node:events";
import { Client } from "ssh2";
import { expect, it } from "vitest";
import type { Channel, SSHServer, SSHServerOptions } from "../../src/index.js";
import { describePage, OPEN } from "./page-fixture.js";

type ServerClass = new (options: SSHServerOptions) => SSHServer;

describePage("docs/commands-and-terminals.md", (page) => {
  /** Serves an object of the class of a block, to all users. */
  async function served(name: string): Promise<number> {
    const { [name]: Class } = await page.load<Record<string, ServerClass>>(`class ${name}`);
    if (Class === undefined) throw new Error(`there is no ${name}`);
    return page.serve(new Class(OPEN));
  }

  it("answer one command", async () => {
    const port = await served("StatusServer");
    const ok = { stdout: "All is well.\n", stderr: "", code: 0 };
    expect(await page.ssh(port, ["ann@127.0.0.1", "status"])).toEqual(ok);
    expect((await page.ssh(port, ["ann@127.0.0.1", "reboot"])).stderr).toContain("exec request failed");
  });

  it("stream a report, and hash what is sent", async () => {
    page.write("srv/data/report.csv", "a;b\n".repeat(50_000));
    const port = await served("ReportServer");
    const report = await page.ssh(port, ["ann@127.0.0.1", "report"]);
    expect(report).toMatchObject({ code: 0 });
    expect(report.stdout).toHaveLength(200_000);
    const hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n";
    expect(await page.ssh(port, ["ann@127.0.0.1", "hash"], "abc")).toEqual({ stdout: hash, stderr: "", code: 0 });
    expect((await page.ssh(port, ["ann@127.0.0.1", "other"])).stderr).toContain("exec request failed");
  });

  it("start a program", async () => {
    const port = await served("UptimeServer");
    const shown = await page.ssh(port, ["ann@127.0.0.1", "uptime"]);
    expect(shown).toMatchObject({ stdout: expect.stringContaining("load average"), code: 0 });
  });

  it("count until the client goes", async () => {
    const port = await served("CountingServer");
    const client = new Client();
    client.connect({ host: "127.0.0.1", port, username: "ann" });
    await once(client, "ready");
    const counted = await new Promise<import("ssh2").ClientChannel>((resolve, reject) => {
      client.exec("count", (error, stream) => (error ? reject(error) : resolve(stream)));
    });
    expect(String((await once(counted, "data"))[0])).toBe("1\n");
    const closed = once(counted, "close");
    counted.close();
    await closed;
    client.end();
  });

  it("say why a channel is refused", async () => {
    const port = await served("SessionServer");
    const refused = await page.ssh(port, ["-o", "LogLevel=INFO", "-W", "db.internal:5432", "ann@127.0.0.1"]);
    expect(refused.stderr).toContain("administratively prohibited: db.internal port 5432 is not reached from here");
    expect((await page.ssh(port, ["ann@127.0.0.1", "true"])).stderr).toContain("exec request failed");
  });

  it("measure a round trip", async () => {
    const port = await served("RoundTripServer");
    const measured = await page.ssh(port, ["ann@127.0.0.1", "ping"]);
    expect(measured).toMatchObject({ stdout: expect.stringMatching(/^\d+ ms\n$/), code: 0 });
  });

  it("follow the size of a window", async () => {
    const port = await served("SizeServer");
    const client = new Client();
    client.connect({ host: "127.0.0.1", port, username: "ann" });
    await once(client, "ready");
    const shell = await new Promise<import("ssh2").ClientChannel>((resolve, reject) => {
      client.shell({ cols: 80, rows: 24 }, (error, stream) => (error ? reject(error) : resolve(stream)));
    });
    const shown: string[] = [];
    const lines = shell.setEncoding("utf8")[Symbol.asyncIterator]();
    shown.push(String((await lines.next()).value));
    shell.setWindow(40, 132, 0, 0);
    shown.push(String((await lines.next()).value));
    expect(shown).toEqual(["80 by 24, q to leave\r\n", "132 by 40, q to leave\r\n"]);
    const exit = once(shell, "exit");
    shell.write("q");
    expect((await exit)[0]).toBe(0);
    client.end();
    expect((await page.ssh(port, ["-T", "ann@127.0.0.1"])).stderr).toContain("shell request failed");
  });

  it("take the variables of languages alone", async () => {
    const { LocaleServer } = await page.load<Record<"LocaleServer", ServerClass>>("class LocaleServer");
    class PrintingServer extends LocaleServer {
      override checkChannelExecRequest(channel: Channel): true {
        channel.end([...channel.environment.keys()].join());
        return true;
      }
    }
    const port = await page.serve(new PrintingServer(OPEN));
    const settings = "SetEnv=LANG=de_DE.UTF-8 LC_TIME=C LD_PRELOAD=/evil.so";
    const { stdout } = await page.ssh(port, ["-o", settings, "ann@127.0.0.1", "env"]);
    expect(stdout).toBe("LANG,LC_TIME");
  });
});

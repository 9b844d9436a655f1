import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parseCommandLine } from "../../src/cli/command-line.js";
import type { Server } from "../../src/index.js";
import { listeningPort } from "../examples/running-process.js";
import { needs, TOOLS } from "../support/clients.js";
import { Notifications } from "../support/systemd.js";
import { run, runOk, temporaryFolder } from "../support/tools.js";
import { ROOT } from "./page-blocks.js";
import { describePage } from "./page-fixture.js";

const unit = (name: string) => readFileSync(join(ROOT, "examples/systemd", name), "utf8");

describe("the units", () => {
  const folder = temporaryFolder();
  const written = (name: string) => {
    const path = join(folder, name);
    // It is not installed here.
    writeFileSync(path, unit(name).replaceAll("/usr/bin/spindlex", process.execPath));
    return path;
  };

  it("start what there is", () => {
    const [, command = ""] = /^ExecStart=\S+ (.*)$/m.exec(unit("spindlex.service")) ?? [];
    expect(parseCommandLine(command.split(" "))).toMatchObject({ command: "serve", options: { json: true } });
  });

  it("are right for systemd, and leave the service little", needs("systemd-analyze"), async () => {
    const paths = [written("spindlex.socket"), written("spindlex.service")];
    const verified = await run(TOOLS["systemd-analyze"], ["verify", "--man=no", ...paths]);
    expect(verified).toMatchObject({ code: 0, stderr: "" });
    const security = ["security", "--offline=true", "--no-pager", "--threshold=20", paths[1] ?? ""];
    await runOk(TOOLS["systemd-analyze"], security);
  });
});

describePage("docs/systemd.md", (page) => {
  const signals = ["SIGHUP", "SIGTERM"] as const;
  /** Of other files, which share the process. */
  let others: NodeJS.SignalsListener[][] = [];

  beforeEach(() => {
    others = signals.map((signal) => process.listeners(signal) as NodeJS.SignalsListener[]);
    for (const signal of signals) process.removeAllListeners(signal);
  });

  afterEach(() => {
    vi.unstubAllEnvs();
    for (const [index, signal] of signals.entries()) {
      process.removeAllListeners(signal);
      for (const listener of others[index] ?? []) process.on(signal, listener);
    }
  });

  it("is a program that tells systemd how it fares", needs("systemd-notify"), async () => {
    await using systemd = await Notifications.listen(page.folder);
    vi.stubEnv("NOTIFY_SOCKET", systemd.socket);
    page.write("etc/my-server/keys/ann");
    const { server } = await page.load<{ server: Server }>("systemdNotifier();\nconst server", {
      "{ port: 2222 }": "{ port: 0 }",
    });
    const { stdout } = await page.ssh(server.port, ["ann@127.0.0.1", "true"]);
    expect(stdout).toBe("hello ann\n");
    process.emit("SIGHUP");
    await systemd.received(/^READY=1$/, 2);
    process.emit("SIGTERM");
    await systemd.received(/^STOPPING=1$/);
    expect(systemd.messages.map(([line]) => line)).toEqual(["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]);
    await expect.poll(() => server.connections.length).toBe(0);
  });

  it("is one that does so with workers", async () => {
    page.write("etc/my-server/keys/ann");
    const program = await page.start("prepare: () => (found", {
      "{ port: 2222 }": "{ port: 0 }",
      'workers: "auto"': "workers: 1",
      "systemd.ready();\n\n":
        'systemd.ready();\nconsole.log("Listening on " + workers.address + ":" + workers.port);\n\n',
    });
    const { stdout } = await page.ssh(await listeningPort(program), ["ann@127.0.0.1", "true"]);
    expect(stdout).toBe("hello ann\n");
    program.signal("SIGTERM");
    expect(await program.exitCode()).toBe(0);
  });
});

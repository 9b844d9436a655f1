import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type RunningProcess, startProgram } from "../../examples/running-process.js";
import { builtFile } from "../../support/build.js";
import { needs } from "../../support/clients.js";
import { PacketClient } from "../../support/packet-client.js";
import { activate, Notifications } from "../../support/systemd.js";
import { temporaryFolder } from "../../support/tools.js";
import { MAIN } from "./started-server.js";

const folder = temporaryFolder();
const command = [process.execPath, builtFile(MAIN), "serve", "--json", "--user", "ann"];
const environment = { ...process.env, XDG_STATE_HOME: folder };
let server: RunningProcess | undefined;

afterEach(async () => {
  await server?.kill();
});

async function report(running: RunningProcess) {
  await running.output(/\n/);
  return JSON.parse(running.stdout);
}

describe("a server that systemd starts", needs("python3", "systemd-notify"), () => {
  it("serves the sockets that it gets, tells its states, and hides both from programs", async () => {
    await using systemd = await Notifications.listen(folder);
    const path = join(folder, "socket");
    const variables = { NOTIFY_SOCKET: systemd.socket, WATCHDOG_USEC: "400000", LISTEN_FDNAMES: "ssh:local" };
    server = activate([0, path], [...command, "--allow-exec"], { ...environment, ...variables });
    const { port, password, addresses } = await report(server);
    expect(addresses).toEqual([
      { address: "127.0.0.1", port },
      { fd: 4, name: "local" },
    ]);
    await systemd.received(/^READY=1$/);
    for (const place of [port, path]) {
      const client = await PacketClient.login(place, "ann", password);
      const { stdout } = await client.exec("env; ls -l /proc/self/fd");
      expect(`${stdout}`).toContain("PATH=");
      expect(`${stdout}`).not.toMatch(/LISTEN_|NOTIFY_|WATCHDOG_/);
      expect(`${stdout}`).not.toContain("socket:");
      await client.close();
    }
    server.signal("SIGHUP");
    await systemd.received(/^MONOTONIC_USEC=\d+$/);
    await systemd.received(/^READY=1$/, 2);
    await systemd.received(/^WATCHDOG=1$/, 2);
    server.signal("SIGTERM");
    await systemd.received(/^STOPPING=1$/);
    expect(await server.exitCode()).toBe(0);
    const states = systemd.messages.map(([line]) => line).filter((line) => line !== "WATCHDOG=1");
    expect(states).toEqual(["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]);
  });

  it("does so with several workers, too", async () => {
    const own = join(folder, "workers");
    mkdirSync(own);
    await using systemd = await Notifications.listen(own);
    const path = join(own, "socket");
    const variables = { NOTIFY_SOCKET: systemd.socket, LISTEN_FDNAMES: "ssh:local" };
    server = activate([0, path], [...command, "--workers", "2", "--allow-exec"], { ...environment, ...variables });
    const { port, password, addresses } = await report(server);
    expect(addresses).toEqual([
      { address: "127.0.0.1", port },
      { fd: 4, name: "local" },
    ]);
    await systemd.received(/^READY=1$/);
    server.signal("SIGHUP");
    await systemd.received(/^READY=1$/, 2);
    for (const place of [port, path]) {
      const client = await PacketClient.login(place, "ann", password);
      expect(`${(await client.exec("env; ls -l /proc/self/fd")).stdout}`).not.toMatch(/LISTEN_|NOTIFY_|socket:/);
      await client.close();
    }
    server.signal("SIGTERM");
    expect(await server.exitCode()).toBe(0);
    await systemd.received(/^STOPPING=1$/);
  });

  it("listens on what the command line names, too", async () => {
    server = activate([0], [...command, "--listen", "127.0.0.2:0"], environment);
    const { addresses } = await report(server);
    expect(addresses).toMatchObject([{ address: "127.0.0.1" }, { address: "127.0.0.2" }]);
  });

  it("says that the sockets are another process's", async () => {
    const variables = { LISTEN_PID: "1", LISTEN_FDS: "1" };
    server = startProgram(MAIN, ["serve", "--port", "0"], { ...environment, ...variables });
    await server.errorOutput(/systemd has opened no sockets for this process/);
    await server.output(/^Listening on 127\.0\.0\.1:/m);
  });

  it("does not start with sockets that it cannot use", async () => {
    server = activate(["datagram"], command, environment);
    expect(await server.exitCode()).toBe(1);
    expect(server.stderr).toMatch(/^spindlex: cannot listen on file descriptor 3: /);
    server = activate([0], command, { ...environment, LISTEN_FDNAMES: "a:b" });
    expect(await server.exitCode()).toBe(1);
    expect(server.stderr).toMatch(/^spindlex: LISTEN_FDNAMES: has 2 names for 1 sockets/);
  });
});

import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { systemdNotifier } from "../../../src/index.js";
import { LogRecord } from "../../authenticators/test-login.js";
import { needs } from "../../support/clients.js";
import { Notifications } from "../../support/systemd.js";
import { temporaryFolder } from "../../support/tools.js";

const folder = temporaryFolder();

/** A program in the place of systemd-notify. */
function programIn(name: string, script: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  writeFileSync(join(path, "systemd-notify"), `#!/bin/sh\n${script}\n`);
  chmodSync(join(path, "systemd-notify"), 0o755);
  return path;
}

function environment(variables: Record<string, string>): void {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
}

afterEach(() => {
  vi.unstubAllEnvs();
  for (const name of ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]) delete process.env[name];
});

describe("systemd", needs("systemd-notify"), () => {
  it("is told of each state in order, and signs of life", async () => {
    await using systemd = await Notifications.listen(folder);
    environment({ NOTIFY_SOCKET: systemd.socket, WATCHDOG_USEC: "200000", WATCHDOG_PID: String(process.pid) });
    const notifier = systemdNotifier({ logger: false });
    expect([process.env.NOTIFY_SOCKET, process.env.WATCHDOG_USEC, process.env.WATCHDOG_PID]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    const before = process.hrtime.bigint() / 1000n;
    notifier.ready();
    notifier.reloading();
    notifier.ready();
    notifier.stopping();
    await systemd.received(/^STOPPING=1$/);
    await systemd.received(/^WATCHDOG=1$/, 2);
    const states = systemd.messages.filter(([line]) => line !== "WATCHDOG=1");
    expect(states.map(([line]) => line)).toEqual(["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]);
    const [, time = ""] = /^MONOTONIC_USEC=(\d+)$/m.exec(states[1]?.join("\n") ?? "") ?? [];
    expect(BigInt(time)).toBeGreaterThanOrEqual(before);
    expect(BigInt(time)).toBeLessThan(before + 60_000_000n);
  });
});

describe("a notifier", () => {
  it("tells nobody where systemd did not start the process, or has been told of already", () => {
    environment({ PATH: "/no-such-folder" });
    const logger = new LogRecord();
    for (const socket of ["", undefined]) {
      if (socket !== undefined) environment({ NOTIFY_SOCKET: socket });
      const notifier = systemdNotifier({ logger });
      notifier.ready();
      notifier.stopping();
    }
    expect(logger.lines).toEqual([]);
  });

  it.each([
    ["is not there", () => "/no-such-folder", "the program systemd-notify is not there"],
    ["fails", () => programIn("failing", "echo not allowed >&2; exit 1"), "not allowed"],
    ["is killed", () => programIn("killed", "kill -9 $$"), "systemd-notify has failed"],
  ])("whose program %s complains once", async (_, path, cause) => {
    environment({ NOTIFY_SOCKET: join(folder, "nobody"), PATH: path() });
    const logger = new LogRecord();
    const notifier = systemdNotifier({ logger });
    notifier.ready();
    notifier.reloading();
    await vi.waitFor(() => expect(logger.lines).toMatchObject([{ level: "warn", cause }]));
    notifier.stopping();
    await vi.waitFor(() => expect(logger.lines).toHaveLength(1));
  });

  it("does not let messages wait without end for a program that hangs", () => {
    environment({ NOTIFY_SOCKET: join(folder, "nobody"), PATH: programIn("hanging", "exec /bin/sleep 1") });
    const logger = new LogRecord();
    const notifier = systemdNotifier({ logger });
    for (let times = 0; times < 100; times++) notifier.reloading();
    expect(logger.lines).toMatchObject([{ level: "warn", cause: "too many messages wait" }]);
  });

  it.each(["0", "", "-5", "1e6", "soon", "99999999999999999999"])("takes no watchdog of %j", (time) => {
    environment({ NOTIFY_SOCKET: join(folder, "nobody"), WATCHDOG_USEC: time });
    const logger = new LogRecord();
    systemdNotifier({ logger });
    expect(logger.lines).toMatchObject([{ level: "warn", message: "the watchdog cannot be told" }]);
  });

  it("has the watchdog of another process tell for itself", () => {
    environment({ NOTIFY_SOCKET: join(folder, "nobody"), WATCHDOG_USEC: "soon", WATCHDOG_PID: "1" });
    const logger = new LogRecord();
    systemdNotifier({ logger });
    expect(logger.lines).toEqual([]);
  });
});

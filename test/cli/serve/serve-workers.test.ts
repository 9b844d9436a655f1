import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseServe } from "../../../src/cli/serve/serve-options.js";
import { PacketClient } from "../../support/packet-client.js";
import { temporaryFolder } from "../../support/tools.js";
import { type StartedServer, startServer } from "./started-server.js";

const folder = temporaryFolder();
const environment = { ...process.env, XDG_STATE_HOME: folder };
const hostKey = join(folder, "host_key");

describe("serve --workers", () => {
  let started: StartedServer;

  beforeAll(async () => {
    mkdirSync(join(folder, "served"));
    const args = ["--workers", "2", "--user", "ann", "--host-key", hostKey, "--allow-exec", join(folder, "served")];
    started = await startServer(args, environment);
  });

  afterAll(() => started.server.kill());

  const login = () => PacketClient.login(started.port, "ann", started.password);
  /** The worker that runs a client's commands. */
  const workerOf = async (client: PacketClient) => Number((await client.exec("echo $PPID")).stdout);

  it("says how many there are, and serves with each of them, with one password and one key", async () => {
    expect(started.server.stdout).toMatch(/^Workers: {3}2$/m);
    const clients = [await login(), await login()];
    const [one, other] = await Promise.all(clients.map(workerOf));
    expect(one).not.toBe(other);
    expect(clients[0]?.hostKeyBlob).toEqual(clients[1]?.hostKeyBlob);
    for (const client of clients) await client.close();
  });

  it("replaces them at SIGHUP, unless the files are wrong, and one that is killed", async () => {
    const client = await login();
    const old = await workerOf(client);
    renameSync(hostKey, `${hostKey}.gone`);
    started.server.signal("SIGHUP");
    await started.server.errorOutput(/the old settings stay in force.*host_key is not there/);
    renameSync(`${hostKey}.gone`, hostKey);
    started.server.signal("SIGHUP");
    await started.server.errorOutput(/the workers were replaced/);
    const fresh = await workerOf(await login());
    expect(fresh).not.toBe(old);
    expect(await workerOf(client)).toBe(old);
    process.kill(fresh, "SIGKILL");
    await started.server.errorOutput(/a worker has crashed/);
    await expect.poll(async () => workerOf(await login()), { timeout: 15_000 }).not.toBe(fresh);
    await client.close();
  });

  it("ends all of them at SIGTERM", async () => {
    const client = await login();
    started.server.signal("SIGTERM");
    expect(await client.waitDisconnect()).toMatchObject({ message: "the server is shutting down" });
    expect(await started.server.exitCode()).toBe(0);
  });

  it("tells why it cannot start", async () => {
    const failing = startServer(["--workers", "2", "--host", "192.0.2.1", folder], environment);
    await expect(failing).rejects.toThrow(
      /spindlex: worker \d could not start: 192\.0\.2\.1 is not an address of this/,
    );
  });

  it("wants a number, and files that workers can share", () => {
    expect(parseServe(["--workers", "auto", "files"])).toMatchObject({ workers: "auto" });
    for (const count of ["0", "-1", "1.5", "1025", "many", ""]) {
      expect(() => parseServe([`--workers=${count}`, "files"])).toThrow(
        /^--workers is '.*', neither auto nor a number/,
      );
    }
    expect(() => parseServe(["--workers", "2"])).toThrow("--workers needs a folder");
  });
});

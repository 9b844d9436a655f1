import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { type RunningProcess, startProgram } from "../../examples/running-process.js";
import { PacketClient } from "../../support/packet-client.js";
import { temporaryFolder } from "../../support/tools.js";
import { MAIN } from "./started-server.js";

const folder = temporaryFolder();
const environment = { ...process.env, XDG_STATE_HOME: folder };
let server: RunningProcess | undefined;

afterEach(async () => {
  await server?.kill();
});

it("listens on several addresses and a socket", async () => {
  const path = join(folder, "socket");
  const listen = ["127.0.0.1:0", "127.0.0.2:0", path].flatMap((address) => ["--listen", address]);
  server = startProgram(MAIN, ["serve", "--json", "--user", "ann", ...listen], environment);
  await server.output(/\n/);
  const { addresses, port, password, command } = JSON.parse(server.stdout);
  expect(addresses).toEqual([
    { address: "127.0.0.1", port },
    { address: "127.0.0.2", port: expect.any(Number) },
    { path },
  ]);
  expect(command).toBe(`ssh -p ${port} ann@127.0.0.1 hello`);
  for (const place of [port, path]) {
    const client = await PacketClient.login(place, "ann", password);
    expect((await client.exec("hello")).stdout.toString()).toBe("Executed: hello\n");
  }
  const second = startProgram(MAIN, ["serve", ...listen.slice(-2)], environment);
  expect(await second.exitCode()).toBe(1);
  expect(second.stderr).toMatch(/^spindlex: another server listens on .*socket\n$/m);
});

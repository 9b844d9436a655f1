import { once } from "node:events";
import { mkdir, readdir } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { connectError, connected, ending, type Place, received } from "../../forwarding/listening-client.js";
import { needs, TOOLS } from "../../support/clients.js";
import { freePort } from "../../support/free-port.js";
import { sha256, testBytes } from "../../support/server.js";
import { serverFixture } from "../../support/server-fixture.js";
import { run, temporaryFolder } from "../../support/tools.js";
import { echoed, echoTarget } from "./echo.js";
import { ForwardingServer } from "./forwarding-server.js";
import { SSH_LOGIN, SSH_NAMES, SshForwards, type SshName } from "./ssh-forwards.js";

const data = testBytes(300_000);

const port = (number: number): Place => ({ host: "127.0.0.1", port: number });

/** Nobody listens there. */
const gone = (place: Place) =>
  vi.waitFor(async () => expect(await connectError(place)).toMatch(/^(ECONNREFUSED|ENOENT)$/), { interval: 5 });

for (const client of SSH_NAMES) describe(client, needs(client), () => forwards(client));

function forwards(client: SshName): void {
  const folder = temporaryFolder();
  const here = (name: string) => join(folder, name);
  const there = (name: string) => join(folder, "server", name);
  const server = new ForwardingServer({ socketRoots: [folder] });
  const fixture = serverFixture({ server });
  const echo = echoTarget();
  echoTarget(here("echo"));
  beforeAll(() => mkdir(there("")));

  /** `ssh -W`, which joins its own input and output to the target. */
  async function stdio(target: string, input: Uint8Array) {
    const { program, parameters, environment } = await fixture.clients.openssh(client, fixture.server, SSH_LOGIN);
    return run(program, [...parameters, "-W", target, "127.0.0.1"], { environment, input });
  }

  describe("from the start", () => {
    let ssh: SshForwards;
    const ports: number[] = [];

    beforeAll(async () => {
      while (ports.length < 5) ports.push(await freePort());
      const [toPort, toSocket, backToPort, backToSocket, socks] = ports;
      ssh = await SshForwards.start(fixture, client, folder, [
        ...["-L", `${toPort}:${echo.address}`, "-L", `${here("to-port")}:${echo.address}`],
        ...["-L", `${toSocket}:${here("echo")}`, "-L", `${here("to-socket")}:${here("echo")}`],
        ...["-L", `${here("to-nothing")}:127.0.0.1:1`, "-L", `${here("to-no-socket")}:${here("no-socket")}`],
        ...["-R", `${backToPort}:${echo.address}`, "-R", `${there("to-port")}:${echo.address}`],
        ...["-R", `${backToSocket}:${here("echo")}`, "-R", `${there("to-socket")}:${here("echo")}`],
        ...["-R", `0:${echo.address}`, "-D", `${socks}`],
      ]);
    });
    afterAll(() => ssh[Symbol.dispose]());

    it("-L and -R, for ports and sockets on both sides", async () => {
      const places = [
        ...[...ports.slice(0, 4), ssh.allocatedPort].map(port),
        { host: "::1", port: ssh.allocatedPort },
        ...[here("to-port"), here("to-socket"), there("to-port"), there("to-socket")].map((path) => ({ path })),
      ];
      const echoes = await Promise.all(places.map((place) => echoed(place, data)));
      expect(echoes.map(sha256)).toEqual(places.map(() => sha256(data)));
      const targets = [echo.address, echo.address, here("echo"), here("echo")];
      expect(server.targets.splice(0).sort()).toEqual(targets.sort());
    });

    it("-L to where nobody listens: the connection ends, and ssh says why", async () => {
      for (const name of ["to-nothing", "to-no-socket"]) {
        const socket = await connected({ path: here(name) });
        expect(await received(socket)).toEqual(Buffer.alloc(0));
        socket.destroy();
      }
      expect(ssh.process.errorOutput.match(/open failed: .*/g)).toEqual(
        Array(2).fill("open failed: connect failed: connect failed"),
      );
    });

    it("-D, for SOCKS 4 and 5, with names and addresses", needs("curl"), async () => {
      const web = createServer((request, response) => response.end(`for ${request.url}\n`)).listen(0, "127.0.0.1");
      await once(web, "listening");
      const target = (web.address() as AddressInfo).port;
      server.targets.length = 0;
      const transfers = ["socks4", "socks4a", "socks5", "socks5-hostname"].map((version) =>
        ["-4", "-sS", `--${version}`, `127.0.0.1:${ports[4]}`, `http://localhost:${target}/${version}`].join(" "),
      );
      const refused = `-sS --socks5 127.0.0.1:${ports[4]} http://127.0.0.1:1/`;
      const { code, stdout, stderr } = await run(TOOLS.curl, [...transfers, refused].join(" --next ").split(" "));
      web.close();
      expect(stdout.toString()).toBe("for /socks4\nfor /socks4a\nfor /socks5\nfor /socks5-hostname\n");
      expect({ code, stderr }).toEqual({ code: 97, stderr: "curl: (97) connection to proxy closed\n" });
      const named = ["127.0.0.1", "localhost", "127.0.0.1", "localhost"].map((host) => `${host}:${target}`);
      expect(server.targets).toEqual([...named, "127.0.0.1:1"]);
    });
  });

  it("by -O forward, until -O cancel; connections outlive that", async () => {
    using ssh = await SshForwards.start(fixture, client, folder, ["-R", `0:${echo.address}`]);
    const [local, remote, socks] = [await freePort(), await freePort(), await freePort()];
    const added = [
      ...["-L", `${local}:${echo.address}`, "-L", `${here("added")}:${here("echo")}`, "-D", `${socks}`],
      ...["-R", `${remote}:${echo.address}`, "-R", `${there("added")}:${echo.address}`],
    ];
    expect(await ssh.control("forward", ...added)).toMatchObject({ code: 0, stderr: "" });
    const { code, stdout } = await ssh.control("forward", "-R", `0:${here("echo")}`);
    const places = [
      ...[local, remote, Number(stdout), ssh.allocatedPort].map(port),
      { path: here("added") },
      { path: there("added") },
    ] as const;
    expect(code).toBe(0);
    const held = await Promise.all(places.map(connected));
    for (const socket of held) {
      socket.write("before");
      expect(String((await once(socket, "data"))[0])).toBe("before");
    }
    const all = [...added, "-R", `0:${echo.address}`, "-R", `0:${here("echo")}`];
    expect(await ssh.control("cancel", ...all)).toMatchObject({ code: 0, stderr: "" });
    for (const place of [...places, port(socks)]) await gone(place);
    expect(await readdir(there(""))).toEqual([]);
    for (const socket of held) {
      socket.end("after");
      expect(String(await received(socket))).toBe("after");
    }
    await ssh.end();
  });

  it("-R until it is gone", async () => {
    using ssh = await SshForwards.start(fixture, client, folder, [
      ...["-R", `0:${echo.address}`, "-R", `${there("left")}:${echo.address}`],
    ]);
    const place = port(ssh.allocatedPort);
    const closed = ending(await connected(place));
    ssh.process.kill();
    expect(await closed).toBe("ECONNRESET");
    await gone(place);
    await vi.waitFor(async () => expect(await readdir(there(""))).toEqual([]), { interval: 5 });
  });

  it("-W to a target", async () => {
    const targets = client === "ssh" ? [echo.address] : [echo.address, here("echo")];
    for (const target of targets) {
      const { code, stdout, stderr } = await stdio(target, data);
      expect({ code, length: stdout.length }, stderr).toEqual({ code: 0, length: data.length });
      expect(sha256(stdout)).toBe(sha256(data));
    }
  });

  it("-W to nobody: it ends with 255", async () => {
    const { code, stderr } = await stdio("127.0.0.1:1", data);
    expect(code).toBe(255);
    expect(stderr).toContain("stdio forwarding failed");
  });
}

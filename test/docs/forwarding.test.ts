import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { connect, createServer as createListener, type Server as Listener } from "node:net";
import { join } from "node:path";
import { type Duplex, duplexPair } from "node:stream";
import { Client } from "ssh2";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { PKey } from "../../src/crypto/index.js";
import { type LocalTarget, type Server, SSHServer, type SSHServerOptions, trustedUserCAs } from "../../src/index.js";
import type { RunningProcess } from "../examples/running-process.js";
import { runOk } from "../support/tools.js";
import { describePage, OPEN, type Page } from "./page-fixture.js";

type ServerClass = new (options: SSHServerOptions) => SSHServer;
type LocalRule = NonNullable<NonNullable<SSHServerOptions["forwarding"]>["local"]>;

/** A service that says hello: what clients are to reach, or not. */
function service(): { readonly port: number } {
  const listener: Listener = createListener((socket) => void socket.on("error", () => {}).end("hello\n"));
  beforeAll(() => once(listener.listen(0, "127.0.0.1"), "listening"));
  afterAll(() => void listener.close());
  return {
    get port() {
      const address = listener.address();
      return typeof address === "object" && address !== null ? address.port : 0;
    },
  };
}

/** What `ssh -W` says of a target. */
async function through(page: Page, port: number, target: string, user = "ann", options: readonly string[] = []) {
  const words = ["-o", "LogLevel=INFO", ...options, "-W", target, `${user}@127.0.0.1`];
  const { stdout, stderr } = await page.ssh(port, words);
  return stdout + stderr;
}

describePage("docs/forwarding.md", (page) => {
  const target = service();
  const open = (code: string) => {
    vi.stubGlobal("OPEN", OPEN);
    return { [code]: code.replace("({", "({ ...OPEN,") };
  };

  it("declares targets and ports", async () => {
    page.write("keys/ann");
    const { server } = await page.load<{ server: SSHServer }>("x11: false", {
      "db.internal:5432": `127.0.0.1:${target.port}`,
    });
    const port = await page.serve(server);
    expect(await through(page, port, `127.0.0.1:${target.port}`)).toContain("hello");
    expect(await through(page, port, `127.0.0.1:${port}`)).toContain("prohibited");
    const remote = await page.ssh(port, ["-o", "LogLevel=INFO", "-R", "0:127.0.0.1:1", "ann@127.0.0.1", "true"]);
    expect(remote.stderr).toMatch(/Allocated port \d+/);
    const words = ["-o", "ExitOnForwardFailure=yes", "-R", "8081:127.0.0.1:1", "ann@127.0.0.1", "true"];
    expect((await page.ssh(port, words)).stderr).toContain("remote port forwarding failed");
  });

  it("joins two lists", async () => {
    const { local } = await page.load<{ local: LocalRule }>("const web", {
      "internal:5432": `internal:${target.port}`,
    });
    const lookup = async () => ["127.0.0.1"];
    const port = await page.serve(new SSHServer({ ...OPEN, forwarding: { local, lookup } }));
    expect(await through(page, port, `one.db.internal:${target.port}`)).toContain("hello");
    expect(await through(page, port, "loopback.example.com:443")).toContain("open failed");
  });

  it("looks names up", async () => {
    const { server } = await page.load<{ server: SSHServer }>("const hosts", {
      "internal:5432": `internal:${target.port}`,
      "10.20.0.5": "127.0.0.1",
      ...open("new SSHServer({"),
    });
    expect(await through(page, await page.serve(server), `db.internal:${target.port}`)).toContain("hello");
  });

  it("decides by a function", async () => {
    const { local } = await page.load<{ local: LocalRule }>("only https from here");
    const port = await page.serve(new SSHServer({ ...OPEN, forwarding: { local, socketRoots: [socketRoot()] } }));
    expect(await through(page, port, `127.0.0.1:${target.port}`)).toContain("only https from here");
    expect(await through(page, port, "127.0.0.1:443")).toContain("open failed");
    expect(await throughSocket(port, "ann")).toBe("hello\n");
    await expect(throughSocket(port, "ben")).rejects.toThrow();
  });

  it("leads to sockets", async () => {
    const { server } = await page.load<{ server: SSHServer }>("socketRoots", open("new SSHServer({"));
    socketRoot();
    expect(await throughSocket(await page.serve(server), "ann")).toBe("hello\n");
  });

  it("brings a client to a device", async () => {
    const { Rendezvous } = await page.load<{ Rendezvous: ServerClass }>("class Rendezvous");
    const port = await page.serve(new Rendezvous(OPEN));
    const device = page.client.start(port, "", ["-v", "-N", "-R", `22:127.0.0.1:${target.port}`, "lamp@127.0.0.1"]);
    await device.errorOutput(/remote forward success/);
    expect(await through(page, port, "lamp:22", "support")).toContain("hello");
    expect(await through(page, port, "lamp:22", "ann")).toContain("prohibited");
    await device.kill();
  });

  it("fetches with git", async () => {
    const [origin, mirror] = [join(page.folder, "origin"), join(page.folder, "srv/mirror")];
    await runOk("git", ["init", "-q", "--bare", origin]);
    await runOk("git", ["clone", "-q", origin, mirror]);
    const { server } = await page.load<{ server: SSHServer }>("class GitMirror", open("new GitMirror({"));
    const port = await page.serve(server);
    expect(await page.ssh(port, ["ann@127.0.0.1", "update"])).toMatchObject({ code: 0, stderr: "" });
    expect((await page.ssh(port, ["ann@127.0.0.1", "push"])).stderr).toContain("exec request failed");
  });

  it("listens for a client", async () => {
    const { RemotePorts } = await page.load<{ RemotePorts: ServerClass }>("class RemotePorts");
    const port = await page.serve(new RemotePorts(OPEN));
    const words = ["-v", "-N", "-R", `localhost:0:127.0.0.1:${target.port}`, "ann@127.0.0.1"];
    const client: RunningProcess = page.client.start(port, "", words);
    const [, bound] = await client.errorOutput(/Allocated port (\d+)/);
    const socket = connect(Number(bound), "127.0.0.1").on("error", () => {});
    const [greeting] = await once(socket, "data");
    expect(String(greeting)).toBe("hello\n");
    await client.kill();
  });

  it("joins two streams", async () => {
    interface Exports {
      connectBoth(first: Duplex, second: Duplex, signal: AbortSignal): Promise<void>;
    }
    const { connectBoth } = await page.load<Exports>("connectBoth");
    const [[client, first], [second, other]] = [duplexPair(), duplexPair()];
    const joined = connectBoth(first, second, AbortSignal.timeout(10_000));
    client.end("request");
    other.end("answer");
    expect(String((await other.toArray())[0])).toBe("request");
    expect(String((await client.toArray())[0])).toBe("answer");
    await joined;
    expect(page.log).toContain('{"bytesFromFirst":7,"bytesFromSecond":6');
  });

  it("takes permissions from some", async () => {
    for (const user of ["ann", "ext-ann"]) page.write(`keys/${user}`);
    const { declared, OfficeHours } = await page.load<{ declared: SSHServer; OfficeHours: ServerClass }>(
      "OfficeHours",
      {
        'host: "db.internal", port: 5432': `host: "127.0.0.1", port: ${target.port}`,
        '"db.internal:5432"': `"127.0.0.1:${target.port}", "localhost:${target.port}"`,
      },
    );
    const port = await page.serve(declared);
    expect(await through(page, port, `127.0.0.1:${target.port}`, "ext-ann")).toContain("hello");
    expect(await through(page, port, `localhost:${target.port}`, "ext-ann")).toContain("prohibited");
    expect(await through(page, port, `localhost:${target.port}`)).toContain("hello");
    const office = await page.serve(new OfficeHours({ forwarding: { local: () => true } }));
    const hour = vi.spyOn(Date.prototype, "getHours").mockReturnValue(12);
    expect(await through(page, office, `127.0.0.1:${target.port}`)).toContain("hello");
    hour.mockReturnValue(3);
    expect(await through(page, office, `127.0.0.1:${target.port}`)).toContain("prohibited");
  });

  /** A folder with a socket that says hello. */
  function socketRoot(): string {
    const root = join(page.folder, "run/app");
    mkdirSync(root, { recursive: true, mode: 0o700 });
    if (!sockets.listening) sockets.listen(join(root, "debug.sock"));
    return root;
  }
  const sockets = createListener((socket) => void socket.on("error", () => {}).end("hello\n"));
  afterAll(() => void sockets.close());

  async function throughSocket(port: number, username: string): Promise<string> {
    const client = new Client().connect({ host: "127.0.0.1", port, username, strictVendor: false });
    try {
      await once(client, "ready");
      const stream = await new Promise<Duplex>((resolve, reject) => {
        client.openssh_forwardOutStreamLocal(join(page.folder, "run/app/debug.sock"), (error, opened) =>
          error ? reject(error) : resolve(opened),
        );
      });
      return String((await stream.toArray())[0]);
    } finally {
      client.end();
    }
  }
});

describePage("docs/bastion.md", (page) => {
  const target = service();

  it("is a server with a list", async () => {
    page.write("keys/ann");
    page.write("keys/ben");
    writeFileSync(join(page.folder, "bastion.json"), JSON.stringify({ ann: [`127.0.0.1:${target.port}`] }));
    vi.stubEnv("PORT", "0");
    const once = vi.spyOn(process, "once");
    const { server } = await page.load<{ server: Server }>("bastion.json");
    vi.unstubAllEnvs();
    const [, stop = () => expect.fail("nothing stops it")] = once.mock.calls.find(([name]) => name === "SIGINT") ?? [];
    process.off("SIGINT", stop);
    expect(page.log).toContain(`Listening on 127.0.0.1:${server.port}\n`);
    expect(await through(page, server.port, `127.0.0.1:${target.port}`)).toContain("hello");
    expect(await through(page, server.port, `127.0.0.1:${target.port}`, "ben")).toContain("prohibited");
    await stop();
  });

  it("asks a directory", async () => {
    const hostsOf = async (user: string) => (user === "ann" ? [`127.0.0.1:${target.port}`] : undefined);
    vi.stubGlobal("directory", { hostsOf });
    const { local } = await page.load<{ local: LocalRule }>("declare const directory");
    const port = await page.serve(new SSHServer({ ...OPEN, forwarding: { local } }));
    expect(await through(page, port, `127.0.0.1:${target.port}`)).toContain("hello");
    expect(await through(page, port, `127.0.0.1:${target.port}`, "ben")).toContain("prohibited");
  });

  it("looks at certificates", async () => {
    const { local } = await page.load<{ local: LocalRule }>("dba", { "db1.internal:22": `127.0.0.1:${target.port}` });
    const authority = PKey.generate({ keyType: "ed25519" });
    const authentication = { publicKey: trustedUserCAs(authority.toPublicString()) };
    const port = await page.serve(new SSHServer({ authentication, forwarding: { local } }));
    const reached = (principals: readonly string[]) => {
      const publicKey = PKey.fromString(page.publicLine.trim());
      const extensions = { "permit-port-forwarding": "" };
      const options = { publicKey, type: "user", keyId: "test", principals, extensions } as const;
      const file = page.write("id-cert.pub", `${authority.signCertificate(options).toPublicString()}\n`);
      return through(page, port, `127.0.0.1:${target.port}`, "ann", ["-o", `CertificateFile=${file}`]);
    };
    expect(await reached(["ann", "dba"])).toContain("hello");
    expect(await reached(["ann"])).toContain("prohibited");
  });

  it("records which user connects where", async () => {
    const { local } = await page.load<{ local(target: LocalTarget): Promise<boolean> }>("loggedText", {
      "db.internal:22": `127.0.0.1:${target.port}`,
    });
    const port = await page.serve(new SSHServer({ ...OPEN, forwarding: { local } }));
    expect(await through(page, port, `127.0.0.1:${target.port}`)).toContain("hello");
    expect(page.log).toContain(`"user":"ann","host":"127.0.0.1","port":${target.port}`);
  });
});

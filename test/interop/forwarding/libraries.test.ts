import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PKey } from "../../../src/crypto/index.js";
import { TestAgent } from "../../forwarding/agent/test-agent.js";
import { connectError, type Place } from "../../forwarding/listening-client.js";
import { needs } from "../../support/clients.js";
import { ClientKeys } from "../../support/clients-keys.js";
import { isLong } from "../../support/extent.js";
import { freePort } from "../../support/free-port.js";
import { testBytes } from "../../support/server.js";
import { serverFixture } from "../../support/server-fixture.js";
import { temporaryFolder } from "../../support/tools.js";
import { echoTarget } from "./echo.js";
import { ForwardingDriver, type ForwardingLibrary } from "./forwarding-driver.js";
import { answerAs, sentBySocks, sentThrough } from "./programs-on-both-sides.js";
import { SessionServer } from "./session-server.js";

/** What a library can do: what is not here, it has no interface for, but where a comment says otherwise. */
interface Abilities {
  /** It opens channels to ports, and says so much of one that nobody listens on, and of one that is not allowed. */
  readonly opens?: { readonly closed: string; readonly forbidden: string };
  /** The same for sockets: what it says of one that is not there. */
  readonly opensSockets?: { readonly missing: string };
  /** It listens for programs, and leads their connections to a port or a socket, or where they want by SOCKS. */
  readonly forwards?: readonly ("port" | "socket" | "socks")[];
  /** It has the server listen: what it says when that cannot be, of a port and of a socket. */
  readonly listens: { readonly port: string; readonly socket?: string };
  /** It takes no connection from there unless it is asked to. */
  readonly accepts?: true;
  /** The ends of connections after which the other direction is over as well: that of its own side, or the server's. */
  readonly endsBothWays?: readonly ("own" | "server")[];
  /** What it says the programs of a session may use. */
  readonly session: readonly ("agent" | "display")[];
}

const ASYNCSSH: Abilities = {
  opens: { closed: "connect failed", forbidden: "administratively prohibited" },
  opensSockets: { missing: "connect failed" },
  forwards: ["port", "socket", "socks"],
  listens: { port: "Failed to create remote TCP listener", socket: "Failed to create remote UNIX listener" },
  session: ["agent", "display"],
};

const LIBRARIES: Readonly<Record<ForwardingLibrary, Abilities>> = {
  paramiko: {
    opens: {
      closed: "ChannelException(2, 'Connect failed')",
      forbidden: "ChannelException(1, 'Administratively prohibited')",
    },
    listens: { port: "TCP forwarding request denied" },
    session: ["agent", "display"],
  },
  asyncssh: ASYNCSSH,
  "asyncssh-2.20": ASYNCSSH,
  go: {
    opens: {
      closed: "ssh: rejected: connect failed (connect failed)",
      forbidden: "ssh: rejected: administratively prohibited (administratively prohibited)",
    },
    opensSockets: { missing: "ssh: rejected: connect failed (connect failed)" },
    listens: {
      port: "ssh: tcpip-forward request denied by peer",
      socket: "ssh: streamlocal-forward@openssh.com request denied by peer",
    },
    session: ["agent"],
  },
  jsch: {
    // It does not tell the server's reason.
    opens: { closed: "channel is not opened.", forbidden: "channel is not opened." },
    forwards: ["port"],
    listens: { port: "remote port forwarding failed for listen port" },
    endsBothWays: ["own", "server"],
    session: ["agent", "display"],
  },
  "net-ssh": {
    forwards: ["port", "socket"],
    listens: { port: "remote forwarding request failed" },
    endsBothWays: ["own"],
    session: ["agent"],
  },
  libssh: {
    opens: {
      closed: "Channel opening failure: channel 44 error (2) connect failed",
      forbidden: "Channel opening failure: channel 45 error (1) administratively prohibited",
    },
    listens: { port: "Global request tcpip-forward failed" },
    accepts: true,
    session: ["agent", "display"],
  },
  libssh2: {
    opens: {
      closed: "Channel open failure (connect failed)",
      forbidden: "Channel open failure (administratively prohibited)",
    },
    listens: { port: "Unable to complete request for forward-listen" },
    accepts: true,
    // Version 1.10 can have the agent forwarded, but takes no channel to it.
    session: ["display"],
  },
  ssh2: {
    opens: {
      closed: "(SSH) Channel open failure: connect failed",
      forbidden: "(SSH) Channel open failure: administratively prohibited",
    },
    opensSockets: { missing: "(SSH) Channel open failure: connect failed" },
    listens: { port: "Unable to bind to 127.0.0.1:", socket: "Unable to bind to /nowhere" },
    session: ["agent", "display"],
  },
};

const DATA = testBytes(100 * 1024);

const root = temporaryFolder();
const source = join(root, "source");
const keys = new ClientKeys();
const agent = TestAgent.start();
const display = echoTarget();
const target = echoTarget();
const targetSocket = join(root, "echo");
echoTarget(targetSocket);
const fixture = serverFixture({
  server: new SessionServer({
    local: ({ host, path }) => path !== undefined || host === "127.0.0.1",
    x11: true,
    socketRoots: [root],
  }),
});

beforeAll(async () => {
  agent.answer = answerAs(await PKey.fromFile(await keys.openssh("ecdsa256")));
  await writeFile(source, DATA);
});

const libraries = Object.keys(LIBRARIES) as ForwardingLibrary[];
for (const library of libraries.filter((name) => isLong || name !== "asyncssh-2.20")) {
  const { opens, opensSockets, forwards = [], listens, accepts, endsBothWays = [], session } = LIBRARIES[library];

  describe(library, needs(library), () => {
    let folder = "";
    let started: ForwardingDriver | undefined;
    beforeAll(async () => {
      folder = await mkdtemp(join(root, "client-"));
      started = await ForwardingDriver.start(library, folder, fixture.server, {
        SSH_AUTH_SOCK: agent.path,
        AGENT_KEY: await keys.pem("ecdsa256"),
        DISPLAY: `127.0.0.1:${display.port - 6000}`,
      });
    });
    afterAll(() => started?.kill());

    async function ask(...words: readonly (string | number)[]): Promise<string> {
      if (started === undefined) throw new Error("the driver starts before the first test");
      return started.ask(...words);
    }

    /** @returns what has come back for the data that the library has sent through a channel */
    async function exchanged(request: string, ...place: readonly (string | number)[]): Promise<Buffer> {
      const got = join(await mkdtemp(join(folder, "exchange-")), "got");
      await ask(request, ...place, source, got);
      return readFile(got);
    }

    /** Both ways, and the end of one is not that of the other where the library knows the difference. */
    async function expectEcho(place: Place, endOf: "own" | "server"): Promise<void> {
      const got = await sentThrough(
        place,
        DATA,
        endsBothWays.includes(endOf) ? "after the answer" : "before the answer",
      );
      expect(DATA.equals(got)).toBe(true);
    }

    if (opens)
      it("connects to ports through the server, and says why one cannot be had", async () => {
        expect(DATA.equals(await exchanged("connect", "127.0.0.1", target.port))).toBe(true);
        await expect(exchanged("connect", "127.0.0.1", await freePort())).rejects.toThrow(opens.closed);
        await expect(exchanged("connect", "localhost", target.port)).rejects.toThrow(opens.forbidden);
      });

    if (opensSockets)
      it("connects to sockets through the server, and says why one cannot be had", async () => {
        expect(DATA.equals(await exchanged("connect-socket", targetSocket))).toBe(true);
        const missing = exchanged("connect-socket", join(root, "missing"));
        await expect(missing).rejects.toThrow(opensSockets.missing);
      });

    if (library === "libssh")
      it("connects to no sockets, but of a server that calls itself OpenSSH", async () => {
        const connecting = exchanged("connect-socket", targetSocket);
        await expect(connecting).rejects.toThrow("We're not connected to an OpenSSH server!");
      });

    if (forwards.includes("port"))
      it("leads a port of its side to one of the server's, and ends what cannot be led there", async () => {
        const forward = async (port: number): Promise<Place> => ({
          host: "127.0.0.1",
          port: Number(await ask("forward", "127.0.0.1", port)),
        });
        await expectEcho(await forward(target.port), "own");
        expect(await sentThrough(await forward(await freePort()), "lost", "before the answer")).toEqual(Buffer.of());
      });

    if (forwards.includes("socket"))
      it("leads a socket of its side to one of the server's", async () => {
        const path = join(folder, "socket");
        await ask("forward-socket", targetSocket, path);
        await expectEcho({ path }, "own");
      });

    if (forwards.includes("socks"))
      it("leads programs that speak SOCKS where they want", needs("curl"), async () => {
        const { code, answer } = await sentBySocks(Number(await ask("socks")), DATA);
        expect(DATA.equals(answer)).toBe(true);
        // Nothing comes: it says that it is connected before it asks the server.
        expect(code).toBe(52);
      });

    it("has the server listen on a port until it cancels that, and hears that another one is taken", async () => {
      const port = Number(await ask("listen", "127.0.0.1", 0, target.address));
      const place = { host: "127.0.0.1", port };
      const accepted = accepts && ask("accept");
      await expectEcho(place, "server");
      await accepted;
      await ask("cancel", "127.0.0.1", port);
      await expect.poll(() => connectError(place), { interval: 5 }).toBe("ECONNREFUSED");
      await expect(ask("listen", "127.0.0.1", target.port, target.address)).rejects.toThrow(listens.port);
    });

    if (listens.socket !== undefined)
      it("has the server listen on a socket until it cancels that, and hears that another one is not allowed", async () => {
        const path = join(folder, "listening");
        await ask("listen-socket", path, targetSocket);
        await expectEcho({ path }, "server");
        await ask("cancel-socket", path);
        await expect.poll(() => connectError({ path }), { interval: 5 }).toBe("ENOENT");
        await expect(ask("listen-socket", "/nowhere", targetSocket)).rejects.toThrow(listens.socket);
      });

    it(`lets programs use: ${session.join(", ")}`, async () => {
      const uses = [
        session.includes("agent") ? `agent ${await keys.fingerprint("ecdsa256")}` : "no agent",
        session.includes("display") ? "display" : "no display",
      ];
      expect(await ask("session")).toBe(uses.join(", "));
    });

    it("ends", async () => {
      expect(await started?.end()).toBe(0);
    });
  });
}

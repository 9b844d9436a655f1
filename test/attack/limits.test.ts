import { describe, expect, it, vi } from "vitest";
import type { SSHServerManager } from "../../src/index.js";
import { AUTH_SUCCESSFUL, DisconnectReason, MessageNumber } from "../../src/protocol/constants.js";
import { PacketClient } from "../support/packet-client.js";
import { execRequest, ignore, noneRequest, passwordRequest, ping } from "../support/packet-messages.js";
import { Attacked, PASSWORD, TargetServer, USERNAME } from "./attacked-server.js";

const { BY_APPLICATION, TOO_MANY_CONNECTIONS } = DisconnectReason;

/** Ways to stop half-way, each with what the client does until then. */
const stages: Readonly<Record<string, (attacked: Attacked) => Promise<PacketClient>>> = {
  "at once": (attacked) => attacked.connect(),
  "after its identification": async (attacked) => {
    const client = await attacked.connect();
    await client.exchangeIdentifications();
    return client;
  },
  "inside a packet": async (attacked) => {
    const client = await attacked.connect();
    await client.exchangeIdentifications();
    client.sendRaw(Buffer.from("00000ffc", "hex"));
    return client;
  },
  "after KEXINIT": async (attacked) => {
    const client = await attacked.connect();
    await client.exchangeIdentifications();
    client.sendKexInit();
    await client.readServerKexInit();
    return client;
  },
  "before NEWKEYS": async (attacked) => {
    const client = await attacked.connect();
    await client.exchangeIdentifications();
    client.sendKexInit();
    await client.readServerKexInit();
    await client.agreeOnKeys();
    return client;
  },
  "after NEWKEYS": (attacked) => PacketClient.handshake(attacked.port),
  "after the service request": (attacked) => attacked.authenticating(),
  "after a failed attempt": async (attacked) => {
    const client = await attacked.authenticating();
    await client.authPassword(USERNAME, "wrong");
    return client;
  },
  "while its password is looked at": async (attacked) => {
    const client = await attacked.authenticating();
    client.sendPacket(passwordRequest(USERNAME, "slow"));
    await vi.waitFor(() => expect(attacked.callNames).toContain("checkAuthPassword"));
    return client;
  },
  "once logged in": (attacked) => attacked.login(),
  "with an open session": async (attacked) => {
    const client = await attacked.login();
    await client.openSession();
    return client;
  },
  "with a running program": async (attacked) => {
    const client = await attacked.login();
    const { id } = await client.openSession();
    client.sendPacket(execRequest(id, "hold"));
    await client.expect(MessageNumber.CHANNEL_SUCCESS);
    return client;
  },
  "in a later key exchange": async (attacked) => {
    const client = await attacked.login();
    client.sendKexInit();
    await client.readServerKexInit();
    return client;
  },
};

const inHandshake = ["at once", "after its identification", "inside a packet", "after KEXINIT", "before NEWKEYS"];
const inAuthentication = [
  "after NEWKEYS",
  "after the service request",
  "after a failed attempt",
  "while its password is looked at",
];
const stage = (name: string) => stages[name] ?? stages["at once"] ?? Promise.reject;

/** Never decides about the password "slow". */
class SlowServer extends TargetServer {
  override checkAuthPassword(username: string, password: string) {
    return password === "slow" ? new Promise<never>(() => {}) : super.checkAuthPassword(username, password);
  }
}

describe("a client that goes away", () => {
  it.each(Object.keys(stages))("with a reset %s leaves nothing behind", async (name) => {
    const attacked = await Attacked.start(new SlowServer());
    const client = await stage(name)(attacked);
    client.reset();
    await attacked.expectUnharmed();
  });

  it.each(Object.keys(stages))("with a FIN %s leaves nothing behind", async (name) => {
    const attacked = await Attacked.start(new SlowServer());
    const client = await stage(name)(attacked);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("a few hundred times leaves no timers or handles", { timeout: 60_000 }, async () => {
    const attacked = await Attacked.start(new TargetServer());
    const count = (kind: string): number => process.getActiveResourcesInfo().filter((name) => name === kind).length;
    const resources = () => ({ sockets: count("TCPSocketWrap"), timeouts: count("Timeout") });
    const use = async (): Promise<void> => {
      const client = await attacked.login();
      expect((await client.exec("hello")).exitStatus).toBe(0);
      await client.close();
    };
    await use();
    await vi.waitFor(() => expect(attacked.manager.getConnectionCount()).toBe(1));
    const before = resources();
    for (let round = 0; round < 30; round++) await Promise.all(Array.from({ length: 10 }, use));
    await vi.waitFor(() => expect(attacked.manager.getConnectionCount()).toBe(1), { timeout: 10_000 });
    const after = resources();
    expect(after.sockets).toBeLessThanOrEqual(before.sockets);
    // The test runner has timers of its own that come and go.
    expect(after.timeouts).toBeLessThanOrEqual(before.timeouts + 3);
    await attacked.expectUnharmed();
  });
});

describe("the connection timeout", () => {
  const prepare = (manager: SSHServerManager): void => {
    manager.setConnectionTimeout(0.4);
    manager.setAuthTimeout(60);
  };

  it.each(inHandshake)("ends who stops %s", async (name) => {
    const attacked = await Attacked.start(new TargetServer(), {}, prepare);
    const client = await stage(name)(attacked);
    await client.stream.closed(5_000);
    await attacked.expectUnharmed();
  });

  it("ends who never stops talking", async () => {
    const attacked = await Attacked.start(new TargetServer(), {}, prepare);
    const client = await attacked.connect({ markers: [] });
    await client.exchangeIdentifications();
    const talking = setInterval(() => client.sendPacket(ignore("blah")), 20);
    try {
      await client.stream.closed(5_000);
    } finally {
      clearInterval(talking);
    }
    await attacked.expectUnharmed();
  });

  it("is over with the first key exchange", async () => {
    const attacked = await Attacked.start(new TargetServer(), {}, prepare);
    const idle = await PacketClient.handshake(attacked.port);
    // Another one runs into the timeout meanwhile: by then it would have hit the idle one too.
    const late = await attacked.connect();
    await late.stream.closed(5_000);
    idle.sendPacket(ping("x"));
    await idle.expect(MessageNumber.PONG);
    await idle.close();
    await attacked.expectUnharmed();
  });
});

describe("the authentication timeout", () => {
  const prepare = (manager: SSHServerManager): void => manager.setAuthTimeout(0.4);

  it.each(inAuthentication)("ends who stops %s", async (name) => {
    const attacked = await Attacked.start(new SlowServer(), {}, prepare);
    const client = await stage(name)(attacked);
    const { disconnect } = await client.waitEnd(5_000);
    expect(disconnect?.reason).toBe(BY_APPLICATION);
    await attacked.expectUnharmed();
  });

  it("ends who never stops talking", async () => {
    const attacked = await Attacked.start(new TargetServer(), {}, prepare);
    const client = await attacked.authenticating();
    const talking = setInterval(() => client.sendPacket(ping("blah")), 20);
    try {
      await client.stream.closed(5_000);
    } finally {
      clearInterval(talking);
    }
    await attacked.expectUnharmed();
  });

  it.each(["before", "after"])("is not put off by new keys %s the service request", async (when) => {
    const attacked = await Attacked.start(new TargetServer(), {}, prepare);
    const client = await PacketClient.handshake(attacked.port);
    const start = performance.now();
    if (when === "after") await client.requestService("ssh-userauth");
    let exchanges = 0;
    // A key exchange every 0.2 s: with a deadline that starts anew each time, this would go on for long.
    const again = setInterval(() => {
      if (exchanges++ < 6) client.exchangeKeys().catch(() => {});
    }, 200);
    try {
      await client.stream.closed(5_000);
    } finally {
      clearInterval(again);
    }
    expect(performance.now() - start).toBeLessThan(1_000);
    await attacked.expectUnharmed();
  });

  it("is over with the login", async () => {
    const attacked = await Attacked.start(new TargetServer(), {}, prepare);
    const user = await attacked.login();
    const late = await attacked.authenticating();
    await late.waitEnd(5_000);
    expect((await user.exec("hello")).exitStatus).toBe(0);
    await user.close();
    await attacked.expectUnharmed();
  });
});

describe("the largest number of connections", () => {
  it("counts those that have not said anything", async () => {
    const attacked = await Attacked.start(new TargetServer(), {}, (manager) => manager.setMaxConnections(4));
    const silent = await Promise.all(Array.from({ length: 3 }, () => attacked.connect()));
    await vi.waitFor(() => expect(attacked.manager.getConnectionCount()).toBe(4));
    const refused = await attacked.connect();
    await refused.readIdentification();
    expect((await refused.waitDisconnect()).reason).toBe(TOO_MANY_CONNECTIONS);
    for (const client of silent) client.reset();
    await attacked.expectUnharmed();
  });

  it("holds against a rush", async () => {
    const attacked = await Attacked.start(new TargetServer(), {}, (manager) => manager.setMaxConnections(10));
    const rush = await Promise.all(Array.from({ length: 200 }, () => attacked.connect()));
    const outcomes = await Promise.all(
      rush.map((client) =>
        client
          .exchangeIdentifications()
          .then(() => client.waitEnd(500))
          .then(
            () => "refused",
            () => "kept",
          ),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === "kept")).toHaveLength(9);
    for (const client of rush) client.reset();
    await attacked.expectUnharmed();
  });

  it("is free again once somebody leaves", async () => {
    const attacked = await Attacked.start(new TargetServer(), {}, (manager) => manager.setMaxConnections(2));
    for (let round = 0; round < 20; round++) {
      const client = await attacked.login();
      await client.close();
      await vi.waitFor(() => expect(attacked.manager.getConnectionCount()).toBe(1));
    }
    await attacked.expectUnharmed();
  });
});

describe("stopping the server", () => {
  it("frees the port at once and tells everyone", async () => {
    const attacked = await Attacked.start(new SlowServer());
    const { port } = attacked;
    const decidable = Object.entries(stages).filter(([name]) => !["at once", "inside a packet"].includes(name));
    const clients = await Promise.all(decidable.map(([, reach]) => reach(attacked)));
    const stopped = attacked.manager.stopServer({ gracePeriod: 2 });
    expect(attacked.manager.isRunning()).toBe(false);
    await expect(PacketClient.connect(port)).rejects.toThrow();
    for (const [index, client] of clients.entries()) {
      const { disconnect } = await client.waitEnd();
      expect([decidable[index]?.[0], disconnect?.reason]).toEqual([decidable[index]?.[0], BY_APPLICATION]);
    }
    await stopped;
    expect(attacked.manager.getConnectionCount()).toBe(0);
  });

  it("does not wait for who reads nothing longer than the grace period", async () => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await attacked.login();
    client.stopReading();
    client.sendPacket(noneRequest("ignored"));
    const start = performance.now();
    await attacked.manager.stopServer({ gracePeriod: 0.3 });
    expect(performance.now() - start).toBeLessThan(3_000);
    expect(attacked.manager.getConnectionCount()).toBe(0);
    client.reset();
  });

  it("and starting it again works", async () => {
    const attacked = await Attacked.start(new TargetServer());
    await attacked.manager.stopServer({ gracePeriod: 0 });
    await attacked.manager.startServer();
    const client = await attacked.login();
    expect((await client.exec("hello")).exitStatus).toBe(0);
    await client.close();
  });

  it("while a hook is deciding lets nobody in afterwards", async () => {
    let decide: (answer: typeof AUTH_SUCCESSFUL) => void = () => {};
    class LateServer extends TargetServer {
      override checkAuthPassword(username: string, password: string) {
        if (password !== "late") return super.checkAuthPassword(username, password);
        return new Promise<typeof AUTH_SUCCESSFUL>((resolve) => {
          decide = resolve;
        });
      }
    }
    const attacked = await Attacked.start(new LateServer());
    const client = await attacked.authenticating();
    client.sendPacket(passwordRequest(USERNAME, "late"));
    await vi.waitFor(() => expect(attacked.callNames).toContain("checkAuthPassword"));
    attacked.forgetCalls();
    const stopped = attacked.manager.stopServer({ gracePeriod: 1 });
    decide(AUTH_SUCCESSFUL);
    const { payloads, disconnect } = await client.waitEnd();
    expect(disconnect?.reason).toBe(BY_APPLICATION);
    expect(payloads.map((payload) => payload[0])).not.toContain(MessageNumber.USERAUTH_SUCCESS);
    await stopped;
    expect(attacked.callNames).toEqual([]);
  });
});

describe("closing one connection", () => {
  it("tells its client and nobody else", async () => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await attacked.login();
    const id = attacked.manager.getActiveConnections().at(-1)?.id ?? -1;
    expect(attacked.manager.closeConnection(id)).toBe(true);
    expect((await client.waitDisconnect()).reason).toBe(BY_APPLICATION);
    await attacked.expectUnharmed();
    expect(attacked.manager.closeConnection(id)).toBe(false);
  });
});

describe("keepalives", () => {
  it("end who does not answer, and nobody who does", async () => {
    const attacked = await Attacked.start(new TargetServer(), { clientAliveInterval: 0.1, clientAliveCountMax: 2 });
    const client = await attacked.login();
    const { disconnect } = await client.waitEnd(5_000);
    expect(disconnect?.reason).toBe(DisconnectReason.CONNECTION_LOST);
    const talker = await PacketClient.login(attacked.port, USERNAME, PASSWORD);
    for (let answered = 0; answered < 6; answered++) {
      await talker.expect(MessageNumber.GLOBAL_REQUEST);
      talker.sendPacket(Buffer.of(MessageNumber.REQUEST_FAILURE));
    }
    await talker.close();
  });
});

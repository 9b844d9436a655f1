import { describe, expect, it, vi } from "vitest";
import type { SSHServerManager } from "../../src/index.js";
import { AUTH_SUCCESSFUL, DisconnectReason, MessageNumber } from "../../src/protocol/constants.js";
import { PacketClient } from "../support/packet-client.js";
import { execRequest, ignore, passwordRequest, ping } from "../support/packet-messages.js";
import { Attacked, TargetServer, USERNAME } from "./attacked-server.js";

const { BY_APPLICATION } = DisconnectReason;

async function whileDeciding(attacked: Attacked): Promise<PacketClient> {
  const client = await attacked.authenticating();
  client.sendPacket(passwordRequest(USERNAME, "slow"));
  await vi.waitFor(() => expect(attacked.callNames).toContain("checkAuthPassword"));
  return client;
}

/** Places in a session, each with what the client does to get there. */
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
  "while its password is looked at": whileDeciding,
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

/** Never decides about the password "slow". */
class SlowServer extends TargetServer {
  override checkAuthPassword(username: string, password: string) {
    return password === "slow" ? new Promise<never>(() => {}) : super.checkAuthPassword(username, password);
  }
}

describe("a client that goes away", () => {
  it.each<[how: string, leave: (client: PacketClient) => unknown]>([
    ["a reset", (client) => client.reset()],
    ["a FIN", (client) => client.close()],
  ])("with %s while its password is looked at leaves nothing behind", async (_, leave) => {
    const attacked = await Attacked.start(new SlowServer());
    await leave(await whileDeciding(attacked));
    await attacked.expectUnharmed();
  });
});

describe("the connection timeout", () => {
  const prepare = (manager: SSHServerManager): void => {
    manager.setConnectionTimeout(0.4);
    manager.setAuthTimeout(60);
  };

  it("ends a client that never stops talking", async () => {
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

  it("ends a client that never stops talking", async () => {
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
});

describe("stopping the server", () => {
  it("tells everyone, wherever they are", async () => {
    const attacked = await Attacked.start(new SlowServer());
    const decidable = Object.entries(stages).filter(([name]) => !["at once", "inside a packet"].includes(name));
    const clients = await Promise.all(decidable.map(([, reach]) => reach(attacked)));
    const stopped = attacked.manager.stopServer({ gracePeriod: 2 });
    for (const [index, client] of clients.entries()) {
      const { disconnect } = await client.waitEnd();
      expect([decidable[index]?.[0], disconnect?.reason]).toEqual([decidable[index]?.[0], BY_APPLICATION]);
    }
    await stopped;
    expect(attacked.manager.getConnectionCount()).toBe(0);
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

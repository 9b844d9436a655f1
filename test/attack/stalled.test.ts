import { describe, expect, it, vi } from "vitest";
import type { SSHServerManager } from "../../src/index.js";
import { MessageNumber as M } from "../../src/protocol/constants.js";
import { sample } from "../support/extent.js";
import type { PacketClient } from "../support/packet-client.js";
import { debug, ignore, message, ping, serviceRequest } from "../support/packet-messages.js";
import { Attacked, TargetServer } from "./attacked-server.js";
import { MIB } from "./memory.js";
import { sessionSteps } from "./session-script.js";

const LONG = { timeout: 60_000 };

/** Seconds that a handshake and a login may take here each. */
const LIMIT = 1;

/** Clients that stop at the same place. */
const CROWD = 20;

const prepare = (manager: SSHServerManager): void => {
  manager.setConnectionTimeout(LIMIT);
  manager.setAuthTimeout(LIMIT);
};

const beforeLogin = sessionSteps.findIndex(({ what }) => what === "the password");
/** Those after which the client has only read are, to the server, the ones before them. */
const stages = sessionSteps
  .slice(0, beforeLogin)
  .map(({ what }, index) => [what, index] as const)
  .filter(([what]) => what !== "the server's KEXINIT" && what !== "the answer to it");

async function reach(attacked: Attacked, index: number): Promise<PacketClient> {
  const client = await attacked.connect();
  for (const { go } of sessionSteps.slice(0, index + 1)) await go(client);
  return client;
}

describe("a crowd that stops half-way", () => {
  it.each(sample(stages, 2))(
    "after %s is gone after its time, and whoever comes meanwhile is served",
    LONG,
    async (_, index) => {
      const attacked = await Attacked.start(new TargetServer(), {}, prepare);
      const before = attacked.memoryInUse();
      // On a busy machine some may be out of time on their way.
      const crowd = await Promise.allSettled(Array.from({ length: CROWD }, () => reach(attacked, index)));
      const other = await attacked.login();
      expect((await other.exec("hello")).exitStatus).toBe(0);
      await other.close();
      for (const outcome of crowd) if (outcome.status === "fulfilled") await outcome.value.stream.closed();
      await vi.waitFor(() => expect(attacked.manager.getConnectionCount()).toBe(1), { interval: 10, timeout: 10_000 });
      expect(attacked.memoryInUse() - before).toBeLessThan(8 * MIB);
      await attacked.expectUnharmed();
    },
  );
});

describe("clients that have not logged in and send without end", () => {
  const noises: readonly Buffer[] = [
    ignore("x"),
    debug("x"),
    Buffer.of(M.UNIMPLEMENTED, 0, 0, 0, 0),
    ping("x"),
    ping(Buffer.alloc(30_000)),
    message(200),
    serviceRequest("ssh-userauth"),
  ];
  it("hold little together, and are gone after their time, whatever they send", LONG, async () => {
    const attacked = await Attacked.start(new TargetServer(), {}, (manager) => manager.setAuthTimeout(1));
    const clients = await Promise.all(noises.map(() => attacked.authenticating()));
    for (const client of clients) client.stopReading();
    const before = attacked.memoryInUse();
    const send = (client: PacketClient, payload = ping("")) => client.flood(() => payload, 10_000_000, 5_000);
    await Promise.all(clients.map((client, index) => send(client, noises[index])));
    expect(attacked.memoryInUse() - before).toBeLessThan(8 * MIB);
    for (const client of clients) await client.stream.closed();
    await attacked.expectUnharmed();
  });

  it("new keys are had eight times and no more", async () => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await attacked.authenticating();
    let exchanges = 1;
    await expect(
      (async () => {
        for (; exchanges < 20; exchanges++) await client.exchangeKeys();
      })(),
    ).rejects.toThrow("too many key exchanges");
    expect(exchanges).toBe(8);
    client.reset();
    await attacked.expectUnharmed();
  });
});

import { describe, expect, it } from "vitest";
import { BUSY, StartedWorkers, soon } from "./started-workers.js";

describe("workers", BUSY, () => {
  it("serve on one place, each connection by the one that has the fewest", async () => {
    const started = await StartedWorkers.start({ workers: { workers: 3 } });
    const clients = await Promise.all(Array.from({ length: 6 }, () => started.login()));
    const pids = await Promise.all(clients.map((client) => started.pidOf(client)));
    const workers = await started.workers();
    expect(workers.map(({ connections }) => connections)).toEqual([2, 2, 2]);
    expect([...new Set(pids)].sort()).toEqual(workers.map(({ pid }) => pid).sort());
    expect(await started.statistics()).toMatchObject({ accepted: 6, active: 6, authenticated: 6, startups: 0 });
    const connections = await started.connections();
    expect(new Set(connections.map(({ id }) => id)).size).toBe(6);
    const [{ id } = { id: 0 }] = connections;
    expect(await started.ask("closeConnection", id)).toBe(true);
    expect(await started.ask("closeConnection", id + 1000)).toBe(false);
    await soon(async () => expect(await started.statistics()).toMatchObject({ active: 5 }));
    for (const client of clients) client.close();
    await soon(async () => expect(await started.statistics()).toMatchObject({ accepted: 6, active: 0 }));
  });
});

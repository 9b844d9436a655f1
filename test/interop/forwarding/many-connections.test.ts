import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { Resources } from "../../attack/resources.js";
import { connected } from "../../forwarding/listening-client.js";
import { needs } from "../../support/clients.js";
import { extent, isLong } from "../../support/extent.js";
import { freePort } from "../../support/free-port.js";
import { testBytes } from "../../support/server.js";
import { serverFixture } from "../../support/server-fixture.js";
import { temporaryFolder } from "../../support/tools.js";
import { echoed, echoTarget } from "./echo.js";
import { ForwardingServer } from "./forwarding-server.js";
import { SSH_NAMES, SshForwards, type SshName } from "./ssh-forwards.js";

const KIB = 1024;
const CROWD = extent(50, 200);
const host = "127.0.0.1";

/** In the short run one is enough: what counts is done by the server. */
const clients = isLong ? SSH_NAMES : (["ssh"] as const);

for (const client of clients)
  describe(`${client}, with many connections`, needs(client), () => manyConnections(client));

function manyConnections(client: SshName): void {
  const folder = temporaryFolder();
  const fixture = serverFixture({ server: new ForwardingServer(), maxChannels: 256 });
  const echo = echoTarget();
  const endless = new EndlessTarget();

  /** An `ssh` that forwards from two ports to one. */
  async function start(target: number) {
    const local = await freePort();
    const forwards = ["-L", `${local}:${host}:${target}`, "-R", `0:${host}:${target}`];
    const ssh = await SshForwards.start(fixture, client, folder, forwards);
    return { ssh, local, remote: ssh.allocatedPort };
  }

  it("leaves nothing of them", async () => {
    const { ssh, local, remote } = await start(echo.port);
    using _ = ssh;
    const data = testBytes(10 * KIB);
    const places = [local, remote].map((port) => ({ host, port }));
    const echoThroughAll = async () => {
      const answers = places.flatMap((place) => Array.from({ length: 25 }, () => echoed(place, data)));
      for (const answer of await Promise.all(answers)) expect(answer.equals(data)).toBe(true);
    };
    // What is made once is there then.
    await echoThroughAll();
    const resources = new Resources();
    for (let left = extent(100, 1000); left > 0; left -= 50) await echoThroughAll();
    await vi.waitFor(() => expect(fixture.server.server.lastLogin?.channelCount).toBe(0));
    await resources.expectBack();
    await ssh.end();
  });

  it(`gives each of ${CROWD} its share`, async () => {
    const { ssh, local } = await start(endless.port);
    using _ = ssh;
    const received = Array<number>(CROWD).fill(0);
    const sockets = await Promise.all(received.map(() => connected({ host, port: local })));
    for (const [index, socket] of sockets.entries()) {
      socket.on("error", () => {});
      socket.on("data", ({ length }: Buffer) => {
        received[index] = (received[index] ?? 0) + length;
      });
    }
    await vi.waitFor(() => expect(endless.waiting).toBe(CROWD), 10_000);
    endless.start();
    const share = extent(256, 1024) * KIB;
    while (Math.min(...received) < share) await nextTurn();
    expect(sum(received) / CROWD).toBeLessThan(4 * share);
    for (const socket of sockets) socket.destroy();
    await ssh.end();
  });
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** Sends for as long as somebody reads, to all who have connected until `start` is called. */
class EndlessTarget {
  readonly #block = Buffer.alloc(64 * KIB);
  readonly #server = createServer((socket) => this.#waiting.push(socket.on("error", () => {})));
  #waiting: Socket[] = [];

  constructor() {
    beforeAll(async () => {
      this.#server.listen(0, host);
      await once(this.#server, "listening");
    });
    afterAll(() => this.#server.close());
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  start(): void {
    for (const socket of this.#waiting.splice(0)) {
      const send = () => {
        while (socket.write(this.#block));
      };
      socket.on("drain", send);
      send();
    }
  }
}

import { once } from "node:events";
import { mkdir, readdir } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { connectError, connected, type Place, received } from "../forwarding/listening-client.js";
import { needs } from "../support/clients.js";
import { GuideServer } from "../support/server.js";
import { serverFixture } from "../support/server-fixture.js";
import { ExternalProcess, temporaryFolder } from "../support/tools.js";

for (const client of ["ssh", "ssh10"] as const) {
  describe(`the listeners for ${client} -R`, needs(client), () => {
    const root = temporaryFolder();
    const server = new GuideServer({ forwarding: { remote: () => true, socketRoots: [root] } });
    const fixture = serverFixture({ server });

    it("lead to what listens on its side, until they are cancelled or it is gone", async () => {
      const folder = join(root, "sockets");
      await mkdir(folder);
      const target = createServer({ allowHalfOpen: true }, (socket) => {
        received(socket).then(
          (asked) => socket.end(asked),
          () => socket.destroy(),
        );
      }).listen(0, "127.0.0.1");
      await once(target, "listening");
      const to = `127.0.0.1:${(target.address() as AddressInfo).port}`;
      const login = { user: "admin", password: "secret" };
      const { program, parameters, environment } = await fixture.clients.openssh(client, fixture.server, login);
      const control = ["-S", join(root, "control")];
      const path = join(folder, "socket");
      const forwards = ["-R", `0:${to}`, "-R", `${path}:${to}`];
      const options = [...control, "-M", "-N", "-o", "ExitOnForwardFailure=yes", ...forwards, "127.0.0.1"];
      using ssh = new ExternalProcess(program, [...parameters, ...options], { environment });
      await ssh.untilOutput("Allocated port");
      await expect.poll(() => readdir(folder), { interval: 5 }).toEqual(["socket"]);
      const port = Number(/Allocated port (\d+)/.exec(ssh.errorOutput)?.[1]);
      const places: readonly Place[] = [{ host: "127.0.0.1", port }, { host: "::1", port }, { path }];
      const data = Buffer.alloc(1_000_000, "0123456789");
      const answers = places.map(async (place) => {
        const socket = await connected(place);
        socket.end(data);
        return (await received(socket)).equals(data);
      });
      expect(await Promise.all(answers)).toEqual([true, true, true]);
      const cancel = new ExternalProcess(program, [...control, "-O", "cancel", "-R", `${path}:${to}`, "127.0.0.1"]);
      expect((await cancel.finished).code).toBe(0);
      await expect.poll(() => readdir(folder), { interval: 5 }).toEqual([]);
      ssh.kill();
      await ssh.finished;
      const refused = () => Promise.all(places.slice(0, 2).map(connectError));
      await expect.poll(refused, { interval: 5 }).toEqual(["ECONNREFUSED", "ECONNREFUSED"]);
      target.close();
    });
  });
}

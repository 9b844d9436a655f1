import { rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PKey } from "../../src/crypto/index.js";
import { AUTH_SUCCESSFUL, createServer, type Middleware, type ServerOptions } from "../../src/index.js";
import { PacketClient } from "../support/packet-client.js";
import { temporaryFolder } from "../support/tools.js";

const folder = temporaryFolder();
let count = 0;

const authentication = { password: () => AUTH_SUCCESSFUL } as const;
const saying = (text: string): NonNullable<ServerOptions["session"]> => {
  return async ({ stdout }) => void stdout.write(text);
};
const blame = (option: string, message: RegExp) =>
  expect.objectContaining({ name: "ConfigurationError", option, message: expect.stringMatching(message) });

function options(given: Partial<ServerOptions> = {}): ServerOptions {
  const hostKey = given.hostKey ?? join(folder, `key-${count++}`);
  return { hostKey, authentication, session: saying("old"), logger: false, ...given };
}

async function served(port: number) {
  const client = await PacketClient.login(port, "ann", "x");
  const by = `${(await client.exec("who")).stdout}`;
  await client.close();
  return { key: client.hostKeyBlob, by };
}

describe("a server of createServer", () => {
  it("has other declarations after a reload, with the counts of before", async () => {
    const given = options();
    await using server = createServer(given);
    await server.listen(0);
    const { key } = await served(server.port);
    const old = await PacketClient.login(server.port, "ann", "x");
    await server.reload({ ...given, session: saying("new") });
    expect(await served(server.port)).toEqual({ key, by: "new" });
    expect(`${(await old.exec("who")).stdout}`).toBe("old");
    expect(server.statistics).toMatchObject({ accepted: 3, active: 1 });
    await server.reload({ ...given, authentication: {} });
    await expect(served(server.port)).rejects.toThrow();
  });

  it("reads its files again, and makes no host key in the place of one that is gone", async () => {
    const hostKey = join(folder, `key-${count++}`);
    await using server = createServer(options({ hostKey }));
    await server.listen(0);
    const { key } = await served(server.port);
    await rename(hostKey, `${hostKey}.old`);
    await expect(server.reload()).rejects.toEqual(blame("hostKey", /key-\d+ is not there/));
    await expect(stat(hostKey)).rejects.toThrow("ENOENT");
    expect((await served(server.port)).key).toEqual(key);
    const next = PKey.generate({ keyType: "ed25519" });
    await next.writeFile(hostKey);
    await server.reload();
    expect(await served(server.port)).toEqual({ key: next.publicBlob, by: "old" });
    await rm(hostKey);
    await expect(server.reload(options({ hostKey }))).rejects.toEqual(blame("hostKey", /is not there/));
    expect((await served(server.port)).key).toEqual(next.publicBlob);
  });

  it("keeps the middleware of use, also that which is added during a reload", async () => {
    const layer =
      (name: string): Middleware =>
      async (session, next) => {
        session.stdout.write(`${name} `);
        await next();
      };
    const given = options({ middleware: [layer("declared")] });
    await using server = createServer(given);
    server.use(layer("one"));
    await server.listen(0);
    const reloading = server.reload({ ...given, session: saying("new") });
    server.use(layer("two"));
    await reloading;
    server.use(layer("three"));
    expect((await served(server.port)).by).toBe("declared one two three new");
  });

  it("changes before it has begun to listen, too, and takes nothing wrong", async () => {
    await using server = createServer(options());
    await expect(server.reload({} as ServerOptions)).rejects.toEqual(blame("hostKey", /./));
    const wrong = options({ perSourceNetBlockSize: { ipv4: 24 } });
    const given = options({ session: saying("new") });
    await server.reload(given);
    const reloading = server.reload(given);
    await server.listen(0);
    await reloading;
    expect((await served(server.port)).by).toBe("new");
    await expect(server.reload({ ...wrong, hostKey: given.hostKey })).rejects.toEqual(
      blame("perSourceNetBlockSize", /cannot be changed/),
    );
    expect((await served(server.port)).by).toBe("new");
  });
});

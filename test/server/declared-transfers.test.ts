import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Client, SFTPWrapper } from "ssh2";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { PKey } from "../../src/crypto/index.js";
import {
  AUTH_SUCCESSFUL,
  type Connection,
  createServer,
  SFTPServer,
  SSHServer,
  SSHServerManager,
} from "../../src/index.js";
import { MemoryFileSystem, type TransferEvent } from "../../src/sftp/index.js";
import { connectTo } from "../session/session-fixture.js";
import { QUICK_ALGORITHMS } from "../support/clients.js";
import { run, temporaryFolder } from "../support/tools.js";

const hostKey = PKey.generate({ keyType: "ed25519" });
const general = { algorithms: QUICK_ALGORITHMS, logger: false } as const;
const authentication = { none: () => AUTH_SUCCESSFUL } as const;

const heard: TransferEvent<Connection | undefined>[] = [];
let wake = () => {};
const hear = (event: TransferEvent<Connection | undefined>) => {
  heard.push(event);
  wake();
};
const aborted = (reason: string) => ({ outcome: { result: "aborted", reason } });

async function told(): Promise<void> {
  while (heard.length === 0) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}

beforeEach(() => {
  heard.length = 0;
});

/** A file that a client of ssh2 has open, with bytes in it. */
async function upload(client: Client): Promise<void> {
  const sftp = await new Promise<SFTPWrapper>((resolve, reject) =>
    client.sftp((error, opened) => (error ? reject(error) : resolve(opened))),
  );
  const handle = await new Promise<Buffer>((resolve, reject) =>
    sftp.open("/new", "w", (error, opened) => (error ? reject(error) : resolve(opened))),
  );
  await new Promise<void>((resolve, reject) =>
    sftp.write(handle, Buffer.from("data"), 0, 4, 0, (error) => (error ? reject(error) : resolve())),
  );
}

describe("the declaration of files", () => {
  const folder = temporaryFolder();

  it.each([
    ["SFTP", "-s"],
    ["scp -O", "-O"],
  ])("hears of files by %s, with their user and connection", async (_, flag) => {
    const files = MemoryFileSystem.from({ "/old": "contents" });
    const sftp = () => ({ fileSystem: files, onUpload: hear, onDownload: hear });
    await using server = createServer({ hostKey, authentication, sftp, ...general });
    await server.listen(0);
    await writeFile(join(folder, "new"), "12345");
    const options = [
      "-F",
      "none",
      "-o",
      "StrictHostKeyChecking=no",
      "-o",
      `UserKnownHostsFile=${join(folder, "hosts")}`,
    ];
    const scp = (from: string, to: string) => run("scp", [flag, "-P", `${server.port}`, ...options, from, to]);
    expect(await scp(join(folder, "new"), "ann@127.0.0.1:/new")).toMatchObject({ code: 0 });
    expect(await scp("ann@127.0.0.1:/old", join(folder, "copy"))).toMatchObject({ code: 0 });
    const user = "ann";
    const connection = expect.objectContaining({ username: "ann", remoteAddress: "127.0.0.1" });
    expect(heard).toMatchObject([
      { path: "/new", bytes: 5, user, connection, outcome: { result: "completed" } },
      { path: "/old", bytes: 8, user, connection, outcome: { result: "completed" } },
    ]);
  });

  it("may be a folder or a file system with options, for all or for each user, and says what it is not", async () => {
    const declared = (sftp: unknown) => () => createServer({ hostKey, sftp: sftp as string });
    const fileSystem = new MemoryFileSystem();
    expect(declared({ fileSystem, onUpload: hear })).not.toThrow();
    expect(declared(Object.assign(new MemoryFileSystem(), { fileSystem: 1 }))).not.toThrow();
    expect(declared({ rootPath: folder, fileSystem })).toThrow("fileSystem: cannot be given together with rootPath");
    expect(declared({ fileSystem, onUplaod: hear })).toThrow(
      "sftp.onUplaod: is not an option (did you mean onUpload?)",
    );
    expect(declared({ fileSystem, onUpload: "hear" })).toThrow("onUpload: must be a function");
    expect(declared({ onUpload: hear })).toThrow("rootPath: must be given, or fileSystem");
    await using server = createServer({
      hostKey,
      sftp: { rootPath: join(folder, "missing", "folder"), onUpload: hear },
      ...general,
    });
    await expect(server.listen(0)).rejects.toThrow("sftp: ");
  });
});

describe("an upload that is under way", () => {
  const serve = async () => {
    const server = createServer({
      hostKey,
      authentication,
      sftp: { fileSystem: new MemoryFileSystem(), onUpload: hear },
      ...general,
    });
    onTestFinished(() => server.close({ grace: 0 }));
    await server.listen(0);
    const client = await connectTo(server.port);
    await upload(client);
    return { server, client };
  };

  it.each<[string, string, (served: Awaited<ReturnType<typeof serve>>) => unknown]>([
    ["server stopped", "the server stops", ({ server }) => server.close()],
    ["session ended", "the program ends the connection", ({ server }) => server.connections[0]?.disconnect()],
    ["client gone", "the client says goodbye", ({ client }) => client.end()],
    ["client gone", "the connection is lost", ({ client }) => client.destroy()],
  ])("is aborted, %s, when %s", async (reason, _, end) => {
    const served = await serve();
    await end(served);
    await told();
    expect(heard).toMatchObject([{ path: "/new", bytes: 4, user: "ann", ...aborted(reason) }]);
  });

  it("is aborted, server stopped, when a manager with hooks of a guide's server stops", async () => {
    class Files extends SSHServer {
      override checkChannelSubsystemRequest(channel: ConstructorParameters<typeof SFTPServer>[0]): boolean {
        new SFTPServer(channel, {
          fileSystem: new MemoryFileSystem(),
          onUpload: hear as (event: TransferEvent) => void,
        });
        return true;
      }
    }
    const serverInterface = new Files({ authentication });
    const manager = new SSHServerManager({
      serverInterface,
      serverKey: hostKey,
      bindAddress: "127.0.0.1",
      port: 0,
      ...general,
    });
    await manager.startServer();
    await upload(await connectTo(manager.port));
    await manager.stopServer();
    await told();
    expect(heard).toMatchObject([{ user: "ann", ...aborted("server stopped") }]);
  });
});

import { mkdir, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach } from "vitest";
import type { Channel } from "../../src/index.js";
import { SFTPServer } from "../../src/sftp/server/sftp-server.js";
import type { LibraryClientName } from "./clients.js";
import { ClientKeys, KEY_TYPES } from "./clients-keys.js";
import { LibraryClients, type LibraryLogin } from "./clients-libraries.js";
import type { Operation } from "./clients-sftp.js";
import { GuideServer } from "./server.js";
import { TestServer, type TestServerOptions } from "./server-start.js";
import type { OperationResult } from "./sftp-fixture.js";
import { temporaryFolder } from "./tools.js";

/** Runs the commands of the guide's server, and serves a folder. */
class LibraryServer extends GuideServer {
  rootPath = "";

  override checkChannelSubsystemRequest(channel: Channel, name: string): boolean {
    if (name !== "sftp") return false;
    new SFTPServer(channel, { rootPath: this.rootPath });
    return true;
  }
}

/** A server of commands and files, and the libraries that know it. */
export interface LibraryFixture {
  readonly server: TestServer;
  /** What the server serves: an empty folder for each test. */
  readonly root: string;
  /** The client's side: an empty folder for each test. */
  readonly local: string;
  /** Carries out operations in one session; throws when the client cannot log in. */
  operate(
    client: LibraryClientName,
    operations: readonly Operation[],
    login?: LibraryLogin,
  ): Promise<OperationResult[]>;
}

/** Call it where tests are declared. */
export function libraryFixture(options: Omit<TestServerOptions, "server"> = {}): LibraryFixture {
  const keys = new ClientKeys();
  const clients = new LibraryClients(keys);
  const folder = temporaryFolder();
  const libraryServer = new LibraryServer();
  let started: TestServer | undefined;
  let local = "";

  beforeAll(async () => {
    for (const type of KEY_TYPES) libraryServer.authorizedKeys.add(await keys.fingerprint(type));
    started = await TestServer.start({ server: libraryServer, ...options });
  });
  beforeEach(async () => {
    const parent = await mkdtemp(join(folder, "test-"));
    libraryServer.rootPath = join(parent, "root");
    local = join(parent, "local");
    await mkdir(libraryServer.rootPath);
    await mkdir(local);
  });
  afterAll(() => started?.[Symbol.asyncDispose]());

  return {
    get server() {
      if (!started) throw new Error("the server starts before the first test, not before");
      return started;
    },
    get root() {
      return libraryServer.rootPath;
    },
    get local() {
      return local;
    },
    operate(client, operations, login) {
      return clients.operate(client, this.server, operations, login);
    },
  };
}

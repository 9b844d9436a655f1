import { afterAll, beforeAll } from "vitest";
import type { ExecClientName, ExecRequest } from "./clients.js";
import { Clients } from "./clients-exec.js";
import { ClientKeys, KEY_TYPES } from "./clients-keys.js";
import { TestServer, type TestServerOptions } from "./server-start.js";

export interface ExecResult {
  readonly code: number | undefined;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** The server that the tests of one file or suite share, and the clients that know its host keys. */
export interface ServerFixture {
  readonly server: TestServer;
  readonly clients: Clients;
  /** Runs one command with one client to its end. */
  exec(client: ExecClientName, request: ExecRequest): Promise<ExecResult>;
}

/** Call it where tests are declared: it starts the server before them and stops it after them. */
export function serverFixture(options?: TestServerOptions): ServerFixture {
  const keys = new ClientKeys();
  const clients = new Clients(keys);
  let started: TestServer | undefined;

  beforeAll(async () => {
    started = await startWithAuthorizedKeys(keys, options);
  });
  afterAll(() => started?.[Symbol.asyncDispose]());

  return {
    clients,
    get server() {
      if (!started) throw new Error("the server starts before the first test, not before");
      return started;
    },
    async exec(client, request) {
      return (await clients.exec(client, this.server, request)).finished;
    },
  };
}

async function startWithAuthorizedKeys(keys: ClientKeys, options?: TestServerOptions): Promise<TestServer> {
  const server = await TestServer.start(options);
  for (const type of KEY_TYPES) server.server.authorizedKeys.add(await keys.fingerprint(type));
  return server;
}

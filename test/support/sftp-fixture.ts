import { mkdir, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { ClientKeys } from "./clients-keys.js";
import { type LibraryName, type Operation, type ProgramName, TransferClients } from "./clients-sftp.js";
import { TestServer } from "./server-start.js";
import { type FolderServer, SFTPGuideServer } from "./sftp-server.js";
import { type ProcessOptions, type ProcessResult, run, temporaryFolder } from "./tools.js";

/** What one operation of a library gave. */
export interface OperationResult {
  readonly value?: unknown;
  readonly error?: string;
  /** The code of SSH_FXP_STATUS, from the library that tells. */
  readonly status?: number;
}

type RunOptions = Omit<ProcessOptions, "environment">;

/** A server that serves a folder over SFTP, the clients that know it, and the folders they work in. */
export interface SFTPFixture {
  readonly server: TestServer;
  readonly clients: TransferClients;
  /** What the server serves: an empty folder for each test. */
  readonly root: string;
  /** The client's side: an empty folder for each test. */
  readonly local: string;
  /** Runs a client to its end. */
  run(client: ProgramName, parameters: readonly string[], options?: RunOptions): Promise<ProcessResult>;
  /** As `run`, for what has to succeed: gives the output, throws with what the client said. */
  runOk(client: ProgramName, parameters: readonly string[], options?: RunOptions): Promise<string>;
  /** Carries out operations with a library, in one session. */
  operate(library: LibraryName, operations: readonly Operation[]): Promise<OperationResult[]>;
  /** As `operate`, for what has to succeed: gives the values. */
  operateOk(library: LibraryName, operations: readonly Operation[]): Promise<unknown[]>;
}

/** Call it where tests are declared. */
export function sftpFixture(folderServer: FolderServer = new SFTPGuideServer()): SFTPFixture {
  const keys = new ClientKeys();
  const clients = new TransferClients(keys);
  const folder = temporaryFolder();
  let started: TestServer | undefined;
  let local = "";

  beforeAll(async () => {
    folderServer.authorizedKeys.add(await keys.fingerprint("ed25519"));
    started = await TestServer.start({ server: folderServer });
  });
  beforeEach(async () => {
    const parent = await mkdtemp(join(folder, "test-"));
    folderServer.rootPath = join(parent, folderServer.folderName);
    local = join(parent, "local");
    await mkdir(folderServer.rootPath);
    await mkdir(local);
  });
  afterAll(() => started?.[Symbol.asyncDispose]());

  return {
    clients,
    get server() {
      if (!started) throw new Error("the server starts before the first test, not before");
      return started;
    },
    get root() {
      return folderServer.rootPath;
    },
    get local() {
      return local;
    },
    async run(client, parameters, options) {
      const command = await clients.commandLine(client, this.server, parameters);
      return run(command.program, command.parameters, { ...options, environment: command.environment });
    },
    async runOk(client, parameters, options) {
      const { code, stdout, stderr } = await this.run(client, parameters, options);
      if (code !== 0) throw new Error(`${client} exited with ${code}: ${stdout}${stderr}`);
      return stdout.toString();
    },
    async operate(library, operations) {
      const { program, parameters, environment } = clients.library(library, this.server);
      const input = Buffer.from(JSON.stringify(operations));
      const { code, stdout, stderr } = await run(program, parameters, { environment, input });
      if (code !== 0) throw new Error(`${library} exited with ${code}: ${stderr}`);
      return JSON.parse(stdout.toString());
    },
    async operateOk(library, operations) {
      const results = await this.operate(library, operations);
      return results.map(({ value, error }, index) => {
        if (error !== undefined) throw new Error(`${library}: ${JSON.stringify(operations[index])}: ${error}`);
        return value;
      });
    },
  };
}

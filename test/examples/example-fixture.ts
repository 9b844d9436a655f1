import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll } from "vitest";
import { type Outcome, run, SshClient } from "./real-client.js";
import { listeningPort, type RunningProcess, startProgram } from "./running-process.js";

/** A program of `examples/`, and what real clients need to talk to it. */
export interface Example {
  /** Of this file's tests. */
  readonly folder: string;
  readonly client: SshClient;
  /** What was started last. */
  readonly server: RunningProcess | undefined;
  /** @returns the port it listens on */
  start(environment?: NodeJS.ProcessEnv): Promise<number>;
  /** Types lines into `sftp`. */
  sftp(port: number, lines: readonly string[]): Promise<Outcome>;
  /** A new key pair in the folder. */
  makeKey(name: string): { readonly path: string; readonly publicKey: string };
}

/**
 * Call it where tests are declared.
 *
 * @param file a file of `examples/`
 */
export function exampleFixture(file: string): Example {
  let folder = "";
  let client: SshClient | undefined;
  let server: RunningProcess | undefined;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "spindlex-example-"));
    client = new SshClient();
  });
  afterEach(async () => {
    await server?.kill();
    server = undefined;
  });
  afterAll(() => {
    client?.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  return {
    get folder() {
      return folder;
    },
    get client() {
      if (client === undefined) throw new Error("the client is there when the first test starts, not before");
      return client;
    },
    get server() {
      return server;
    },
    async start(environment = {}) {
      server = startProgram(join("examples", file), [], { ...process.env, ...environment, PORT: "0" });
      return listeningPort(server);
    },
    sftp(port, lines) {
      const parameters = [...this.client.options, "-P", String(port), "admin@localhost"];
      return run("sftp", parameters, { env: this.client.environment("secret"), input: `${lines.join("\n")}\n` });
    },
    makeKey(name) {
      const path = join(folder, name);
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path]);
      return { path, publicKey: readFileSync(`${path}.pub`, "utf8") };
    },
  };
}

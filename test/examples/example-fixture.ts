import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll } from "vitest";
import { type Outcome, run, SshClient } from "./real-client.js";
import { listeningPort, type RunningProcess, startProgram } from "./running-process.js";

/** A program of `examples/`, and what real clients need to talk to it. */
export interface Example {
  /** Of this file's tests, and the working directory of the program. */
  readonly folder: string;
  readonly client: SshClient;
  /** What was started last. */
  readonly server: RunningProcess | undefined;
  /** @returns the port it listens on */
  start(environment?: NodeJS.ProcessEnv): Promise<number>;
  /** Types lines into `sftp`. */
  sftp(port: number, lines: readonly string[], password?: string, user?: string): Promise<Outcome>;
  /** A new key pair in the folder. */
  makeKey(name: string): { readonly path: string; readonly publicKey: string };
  /** A new key pair, whose public key is in the folder `keys` for a user. @returns the path of the private key */
  authorize(user: string): string;
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
      const settings = { ...process.env, ...environment, PORT: "0" };
      server = startProgram(join("examples", file), [], settings, folder);
      return listeningPort(server);
    },
    sftp(port, lines, password = "secret", user = "admin") {
      const parameters = [...this.client.options, "-P", String(port), `${user}@localhost`];
      return run("sftp", parameters, { env: this.client.environment(password), input: `${lines.join("\n")}\n` });
    },
    makeKey(name) {
      const path = join(folder, name);
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path]);
      return { path, publicKey: readFileSync(`${path}.pub`, "utf8") };
    },
    authorize(user) {
      const { path, publicKey } = this.makeKey(user);
      mkdirSync(join(folder, "keys"), { recursive: true, mode: 0o700 });
      writeFileSync(join(folder, "keys", user), publicKey, { mode: 0o600 });
      return path;
    },
  };
}

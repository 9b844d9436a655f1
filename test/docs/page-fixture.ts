import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from "vitest";
import { PKey } from "../../src/crypto/index.js";
import { AUTH_SUCCESSFUL, SSHServer, SSHServerManager } from "../../src/index.js";
import { Server } from "../../src/server/create-server.js";
import { type Outcome, run, SshClient } from "../examples/real-client.js";
import { RunningProcess } from "../examples/running-process.js";
import { needs } from "../support/clients.js";
import { ClientKeys } from "../support/clients-keys.js";
import { temporaryFolder } from "../support/tools.js";
import { type Block, blocksOf, inFolder, ROOT, runnable } from "./page-blocks.js";

/** For `new SSHServer`, on pages that are about something else than logins. */
export const OPEN = { authentication: { none: () => AUTH_SUCCESSFUL } };

export interface Answers {
  readonly ANSWER_PASSWORD?: string;
  readonly ANSWER_NEW_PASSWORD?: string;
  readonly ANSWER_TOKEN?: string;
}

/** Has a server or is one: what a block exports. */
type Servable = Server | SSHServerManager | SSHServer;

const asText = (value: unknown) =>
  typeof value === "string"
    ? value
    : JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? `${inner}` : inner));

/** What the tests of a page's blocks work with. The working directory of the programs is `folder`. */
export interface Page {
  readonly folder: string;
  readonly client: SshClient;
  /** The default log, and `console.log` and `console.error`, since the test began. */
  readonly log: string;
  /** The private key of a user for `ssh -i`. */
  readonly key: string;
  /** The line of its public key. */
  readonly publicLine: string;
  /** Writes a file, which nobody else can read. @param name from the folder; `/srv/x` is below the folder, too */
  write(name: string, text?: string): string;
  /**
   * Runs the one block that has a text, in TypeScript, and gives what it has declared.
   *
   * @param change replaces texts, each of which has to be there
   */
  load<Exports = Record<string, never>>(text: string, change?: Readonly<Record<string, string>>): Promise<Exports>;
  /** Starts the one block that has a text as a program of its own, which is ended with the test. @param change as in `load` */
  start(text: string, change?: Readonly<Record<string, string>>): Promise<RunningProcess>;
  /** Listens, unless it does already, until the test has ended. @returns the port */
  serve(server: Servable): Promise<number>;
  /** Runs `ssh` with the key. @param words options, `user@127.0.0.1`, command */
  ssh(port: number, words: readonly string[], input?: string): Promise<Outcome>;
  /** Runs `ssh` with a password. */
  sshWithPassword(port: number, password: string, words: readonly string[]): Promise<Outcome>;
  /** Runs `ssh` with the key, and the answers of test/interop/drivers/askpass.sh. */
  sshWithAnswers(port: number, answers: Answers, words: readonly string[]): Promise<Outcome>;
  /** Types lines into `sftp`, which has a key and a password. */
  sftp(port: number, user: string, lines: readonly string[]): Promise<Outcome>;
}

/**
 * The tests of a page's blocks. One more test fails when the page has a block that none of them has run.
 *
 * @param page its path from the root
 * @param notRun texts of blocks that cannot be run here, or that another file tests, each with the reason
 */
export function describePage(
  page: string,
  tests: (fixture: Page) => void,
  notRun: Readonly<Record<string, string>> = {},
): void {
  describe(`the code of ${page}`, { ...needs("ssh", "sftp", "scp"), timeout: 60_000 }, () => {
    const blocks = blocksOf(page);
    const rest = new Set(blocks);
    tests(pageFixture(page, (block) => rest.delete(block)));

    it("is run by these tests, all of it", () => {
      const excused = Object.keys(notRun).map((text) => theBlock(page, text));
      expect([...rest].filter((block) => !excused.includes(block)).map(({ line }) => `line ${line}`)).toEqual([]);
    });

    function theBlock(name: string, text: string) {
      const [block, another] = blocks.filter(({ code }) => code.includes(text));
      if (block === undefined) throw new Error(`${name} has no block with ${text}`);
      if (another !== undefined) throw new Error(`${name} has two blocks with ${text}`);
      return block;
    }

    function pageFixture(name: string, ran: (block: Block) => void): Page {
      const folder = temporaryFolder();
      const client = new SshClient();
      const keys = new ClientKeys();
      const servers = new Set<Server | SSHServerManager>();
      const programs = new Set<RunningProcess>();
      let key = "";
      let publicLine = "";
      let log = "";
      let loaded = 0;

      beforeAll(async () => {
        symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
        [key, publicLine] = await Promise.all([keys.openssh("ed25519"), keys.publicLine("ed25519")]);
        const before = process.cwd();
        process.chdir(folder);
        return () => process.chdir(before);
      });
      beforeEach(() => {
        log = "";
        const written = (...texts: readonly unknown[]) => {
          log += `${texts.map(asText).join(" ")}\n`;
        };
        for (const method of ["debug", "log", "info", "warn", "error"] as const) {
          vi.spyOn(console, method).mockImplementation(written);
        }
        vi.spyOn(process.stderr, "write").mockImplementation((text) => {
          log += String(text);
          return true;
        });
      });
      afterEach(async () => {
        await Promise.all(
          [...servers].map((server) =>
            server instanceof Server ? server.close({ grace: 0 }) : server.stopServer({ gracePeriod: 0 }),
          ),
        );
        servers.clear();
        await Promise.all([...programs].map((program) => program.kill()));
        programs.clear();
        vi.restoreAllMocks();
        vi.unstubAllGlobals();
      });
      afterAll(() => client.dispose());

      /** Of an option that is given twice, ssh takes the first. */
      function parameters(port: number, words: readonly string[]): readonly string[] {
        const target = words.findIndex((word) => word.includes("@127"));
        const options = [...words.slice(0, target), ...client.options, "-i", key, "-p", `${port}`];
        return [...options, ...words.slice(target)];
      }

      function changed(text: string, change: Readonly<Record<string, string>>): Block {
        const block = theBlock(name, text);
        ran(block);
        let { code } = block;
        for (const [old, replacement] of Object.entries(change)) {
          if (!code.includes(old)) throw new Error(`the block has no ${old}`);
          code = code.replaceAll(old, replacement);
        }
        return { ...block, code };
      }

      return {
        folder,
        client,
        get log() {
          return log;
        },
        get key() {
          return key;
        },
        get publicLine() {
          return publicLine;
        },
        write(file, text = publicLine) {
          const path = join(folder, file);
          mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
          writeFileSync(path, text, { mode: 0o600 });
          return path;
        },
        async load<Exports>(text: string, change: Readonly<Record<string, string>> = {}) {
          const { code } = changed(text, change);
          const file = join(folder, `block-${++loaded}.ts`);
          writeFileSync(file, runnable(code, folder));
          const exported = (await import(/* @vite-ignore */ file)) as Exports & object;
          for (const value of Object.values(exported)) {
            if (value instanceof Server || value instanceof SSHServerManager) servers.add(value);
          }
          return exported;
        },
        async start(text, change = {}) {
          const { transform } = await import("esbuild");
          const block = changed(text, change);
          const { code } = await transform(inFolder(block.code, folder), { loader: "ts", target: "node20" });
          // There the package is found by its name.
          const ending = block.language === "cjs" ? "cjs" : "mjs";
          const file = join(inject("runFolder"), "built", `page-${process.pid}-${++loaded}.${ending}`);
          writeFileSync(file, code);
          const program = new RunningProcess(process.execPath, [file], process.env, folder);
          programs.add(program);
          return program;
        },
        async serve(server) {
          if (server instanceof SSHServer) {
            const serverKey = PKey.generate({ keyType: "ed25519" });
            return this.serve(
              new SSHServerManager({ serverInterface: server, serverKey, bindAddress: "127.0.0.1", port: 0 }),
            );
          }
          servers.add(server);
          if (server instanceof Server) await server.listen(0);
          else await server.startServer();
          return server.port;
        },
        ssh: (port, words, input = "") => run("ssh", parameters(port, words), { input }),
        sshWithAnswers(port, answers, words) {
          const SSH_ASKPASS = join(ROOT, "test/interop/drivers/askpass.sh");
          return run("ssh", parameters(port, words), { env: { ...client.environment(""), SSH_ASKPASS, ...answers } });
        },
        sshWithPassword: (port, password, words) => client.run(port, password, words),
        sftp(port, user, lines) {
          const parameters = [...client.options, "-i", key, "-P", `${port}`, `${user}@127.0.0.1`];
          const input = `${lines.join("\n")}\n`;
          return run("sftp", parameters, { env: client.environment("secret"), input });
        },
      };
    }
  });
}

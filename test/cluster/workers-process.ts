/** A program with workers, for tests: what it is to do is in its environment, and messages ask its primary. */

import { execFileSync } from "node:child_process";
import cluster from "node:cluster";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { PKey } from "../../src/crypto/index.js";
import {
  type AuthDecision,
  type Channel,
  type Connection,
  SFTPServer,
  SSHServer,
  SSHServerManager,
  type SSHServerManagerOptions,
  serveWithWorkers,
  systemdSockets,
  type WorkersOptions,
} from "../../src/index.js";
import { AUTH_FAILED, AUTH_SUCCESSFUL } from "../../src/protocol/constants.js";
import { LocalFileSystem, quota } from "../../src/sftp/index.js";

export interface ProgramOptions {
  readonly workers?: Partial<Omit<WorkersOptions, "start" | "prepare" | "logger">>;
  readonly server?: Partial<Omit<SSHServerManagerOptions, "serverInterface" | "logger">>;
  /** Node.js tells the primary nothing of the sockets that it has handed over. */
  readonly unacknowledged?: boolean;
  /** Asks for the sockets of systemd in front of `serveWithWorkers`. */
  readonly sockets?: boolean;
  /** Served by SFTP, with a quota. */
  readonly folder?: string;
  /** A file of JSON: `crash`, `exit`, `fail`, `hang`, `forget` or `sockets`, while a worker starts; or `server` as above. Read at each start. */
  readonly file?: string;
}

/** What the test asks of the primary: a method of `Workers`, or the value of a property. */
export interface Question {
  readonly id: number;
  readonly name: string;
  readonly parameters: readonly unknown[];
}

class WorkerServer extends SSHServer {
  override async checkAuthPassword(username: string, password: string, { signal }: Connection): Promise<AuthDecision> {
    if (username === "slow") await setTimeout(60_000, undefined, { signal });
    return password === "secret" ? AUTH_SUCCESSFUL : AUTH_FAILED;
  }

  override checkChannelSubsystemRequest(channel: Channel, name: string): boolean {
    const { folder } = options;
    if (name !== "sftp" || folder === undefined) return false;
    new SFTPServer(channel, { fileSystem: quota(new LocalFileSystem(folder), { bytes: 1_000_000 }) });
    return true;
  }

  override checkPortForwardRequest(): boolean {
    return true;
  }

  override checkChannelExecRequest(channel: Channel, command: Buffer): boolean {
    const [verb, parameter] = command.toString().split(" ");
    switch (verb) {
      case "wait":
        channel.send("waiting\n");
        return true;
      case "hang":
        setImmediate(() => {
          for (;;);
        });
        return true;
      case "crash":
        setImmediate(() => {
          throw new Error("a crash that was asked for");
        });
        return true;
      case "flood":
        setInterval(() => {
          for (let count = 0; count < 10_000; count++) process.send?.({ spindlex: "notice", name: "none", value: 1 });
        }, 1);
        return true;
      case "listen":
        void listenMore();
        break;
      case "listen-on": {
        const finish = (outcome: string) => {
          channel.send(outcome);
          channel.sendExitStatus(0);
          channel.close();
        };
        listenMore({ listen: JSON.parse(parameter ?? "") })
          .then(() => finish("listening"))
          .catch((error: Error) => finish(error.message));
        return true;
      }
      case "worker":
        channel.send(`${channel.connection.worker}`);
        channel.sendExitStatus(0);
        channel.close();
        return true;
      case "nonsense":
        process.send?.({ spindlex: "notice", name: "reports", value: "all of them" });
        return true;
      case "inherited":
        channel.send(execFileSync("/bin/sh", ["-c", "ls -l /proc/self/fd; env"]));
        break;
      case "lies":
        for (let id = 1; id < 100; id++) {
          process.send?.({ spindlex: "notice", name: "reports", value: { taken: [], loggedIn: [], gone: [id] } });
        }
        break;
    }
    channel.send(`${process.pid}\n`);
    channel.sendExitStatus(0);
    channel.close();
    return true;
  }
}

/** A second server of this worker. */
let listenMore = async (_places?: Pick<SSHServerManagerOptions, "listen">) => {};

const options = JSON.parse(process.env.PROGRAM ?? "{}") as ProgramOptions;

if (options.sockets) systemdSockets();
if (options.unacknowledged) hideAcknowledgements();

const workers = await serveWithWorkers<{ key: string }>({
  workers: 2,
  ...options.workers,
  logger: "info",
  prepare: () => ({ key: PKey.generate({ keyType: "ed25519" }).toOpenSSH() }),
  start: async ({ data }) => {
    const { file } = options;
    const given = file !== undefined && existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
    if (given.crash) {
      process.kill(process.pid, "SIGSEGV");
      await new Promise(() => {});
    }
    if (given.exit) process.exit(7);
    if (given.hang) for (;;);
    if (given.fail) throw new Error(given.fail);
    if (given.sockets) systemdSockets();
    const create = (places?: Pick<SSHServerManagerOptions, "listen">) =>
      new SSHServerManager({
        serverInterface: new WorkerServer(),
        serverKey: PKey.fromString(data.key),
        ...(options.server?.listen === undefined && places === undefined && { bindAddress: "127.0.0.1", port: 0 }),
        logger: "info",
        authFailureDelay: 0,
        ...options.server,
        ...given.server,
        ...places,
      });
    const manager = create();
    if (given.forget) void manager.startServer();
    else await manager.startServer();
    listenMore = (places) => create(places).startServer();
    return manager;
  },
});

workers.ended.catch((error: Error) => process.send?.({ ended: `${error.name}: ${error.message}` }));
for (const event of ["refused", "penalty", "workerServing", "workerEnded"] as const) {
  workers.on(event, (fields: object) => process.send?.({ event, fields }));
}
process.on("message", async ({ id, name, parameters }: Question) => {
  try {
    const member: unknown = Reflect.get(workers, name);
    const result = typeof member === "function" ? await Reflect.apply(member, workers, parameters) : member;
    process.send?.({ id, result });
  } catch (error) {
    process.send?.({ id, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
  }
});
process.send?.({ port: workers.port });
await workers.ended.catch(() => {});
// Behind the answer to the question that has caused it.
setImmediate(() => process.disconnect?.());

/** From this program alone: Node.js, which listens already when `fork` returns, goes on hearing them. */
function hideAcknowledgements(): void {
  const { fork } = cluster;
  cluster.fork = (env) => {
    const worker = fork.call(cluster, env);
    const on = worker.process.on.bind(worker.process) as (name: string, listener: (...told: unknown[]) => void) => void;
    const hiding = (name: string, listener: (...told: unknown[]) => void) => {
      if (name !== "internalMessage") return on(name, listener);
      on(name, (message, ...rest) => {
        if (!String((message as { cmd?: unknown }).cmd).startsWith("NODE_HANDLE_")) listener(message, ...rest);
      });
    };
    Object.assign(worker.process, { on: hiding });
    return worker;
  };
}

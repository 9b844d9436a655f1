import { type ChildProcess, fork } from "node:child_process";
import { onTestFinished, vi } from "vitest";
import type { WorkerConnection, WorkerInfo, WorkersStats } from "../../src/index.js";
import { builtFile } from "../support/build.js";
import { PacketClient } from "../support/packet-client.js";
import type { PacketClientOptions } from "../support/packet-transport.js";
import type { ProgramOptions } from "./workers-process.js";

interface Answer {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export interface ToldEvent {
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** When it was told: `performance.now()`. */
  readonly time: number;
}

/** The program of workers-process.ts, running; ended when the test is over. */
export class StartedWorkers {
  readonly primary: ChildProcess;
  readonly events: ToldEvent[] = [];
  /** Why everything has ended, if it has. */
  ended: string | undefined;
  log = "";
  port = 0;
  readonly #answers = new Map<number, Answer>();
  #lastId = 0;

  private constructor(options: ProgramOptions) {
    this.primary = fork(builtFile("test/cluster/workers-process.ts"), {
      env: { ...process.env, PROGRAM: JSON.stringify(options) },
      serialization: "advanced",
      silent: true,
    });
    this.primary.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.log += text;
    });
  }

  /** Resolves once all workers listen. Rejects with the log where the program ends before. */
  static async start(options: ProgramOptions = {}): Promise<StartedWorkers> {
    const started = new StartedWorkers(options);
    onTestFinished(() => started.end());
    await started.#run();
    return started;
  }

  #run(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.primary.once("close", (code) => reject(new Error(`the program has ended with ${code}: ${this.log}`)));
      this.primary.on("message", (message: object) => {
        if ("port" in message) {
          this.port = Number(message.port);
          resolve();
        } else if ("ended" in message) this.ended = String(message.ended);
        else if ("event" in message) this.events.push({ ...(message as ToldEvent), time: performance.now() });
        else this.#answered(message as { id: number; result: unknown; error?: string });
      });
    });
  }

  #answered({ id, result, error }: { id: number; result: unknown; error?: string }): void {
    const answer = this.#answers.get(id);
    this.#answers.delete(id);
    if (error === undefined) answer?.resolve(result);
    else answer?.reject(new Error(error));
  }

  ask<Result>(name: string, ...parameters: unknown[]): Promise<Result> {
    const id = ++this.#lastId;
    this.primary.send({ id, name, parameters });
    return new Promise((resolve, reject) => {
      this.#answers.set(id, { resolve: resolve as Answer["resolve"], reject });
    });
  }

  workers(): Promise<readonly WorkerInfo[]> {
    return this.ask("workers");
  }

  statistics(): Promise<WorkersStats> {
    return this.ask("statistics");
  }

  connections(): Promise<readonly WorkerConnection[]> {
    return this.ask("connections");
  }

  login(options: PacketClientOptions = {}, username = "ann"): Promise<PacketClient> {
    return PacketClient.login(this.port, username, "secret", options);
  }

  /** The process that serves a client. */
  async pidOf(client: PacketClient): Promise<number> {
    return Number((await client.exec("pid")).stdout);
  }

  async end(): Promise<void> {
    if (this.primary.exitCode !== null || this.primary.signalCode !== null) return;
    const exited = new Promise((resolve) => this.primary.once("exit", resolve));
    this.primary.kill("SIGKILL");
    await exited;
  }
}

/** For tests that start several processes each: they take their time on a busy machine. */
export const BUSY = { timeout: 60_000 };

/** Waits until a check does not fail any more. */
export function soon<Result>(check: () => Result | Promise<Result>): Promise<Result> {
  return vi.waitFor(check, { timeout: 15_000 });
}

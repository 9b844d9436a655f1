import { createHash } from "node:crypto";
import { shareLedgers } from "../../../src/base/shared-ledgers.js";
import { PrimaryLedgers } from "../../../src/cluster/ledgers/primary-ledgers.js";
import { ASK_USAGE } from "../../../src/cluster/ledgers/quota-operations.js";
import { workerLedgers } from "../../../src/cluster/ledgers/worker-ledgers.js";
import { type LimitedFileSystem, quota } from "../../../src/files/wrappers/quota.js";
import { SimulatedDisk, SimulatedProcess, type SystemCall } from "./simulated-disk.js";
import { SimulatedLine } from "./simulated-line.js";

export const LIMIT = 50_000;

const TREE = "tree";
const ACCOUNT = createHash("sha256").update(`name ${TREE}`).digest("base64");

export interface Worker {
  readonly name: string;
  readonly line: SimulatedLine;
  readonly process: SimulatedProcess;
  /** The files of the disk, with the limit that all workers share. */
  readonly files: LimitedFileSystem;
  state: "alive" | "killed" | "gone";
}

/** Something that can happen next. */
export interface Event {
  readonly worker: Worker;
  readonly name: string;
  readonly call?: SystemCall;
  readonly happen: () => void;
}

/** A primary, its workers and their disk in this process. What happens next, whoever looks on decides. */
export class QuotaWorkers {
  readonly disk = new SimulatedDisk();
  readonly all: Worker[] = [];
  readonly #ledgers = new PrimaryLedgers();
  readonly #observer = new SimulatedLine("observer");

  constructor() {
    this.#ledgers.serve(this.#observer.primary);
  }

  start(): Worker {
    const name = `worker ${this.all.length + 1}`;
    const line = new SimulatedLine(name);
    this.#ledgers.serve(line.primary);
    const process = new SimulatedProcess(this.disk);
    // The first use of a quota finds the ledgers of its worker.
    shareLedgers(workerLedgers(line.worker));
    const files = quota(process.fileSystem, { bytes: LIMIT, name: TREE });
    files.usage().catch(() => {});
    shareLedgers(undefined);
    const worker: Worker = { name, line, process, files, state: "alive" };
    this.all.push(worker);
    return worker;
  }

  /** The primary learns of it by and by. */
  kill(worker: Worker, isDone: (call: SystemCall) => boolean = () => false): void {
    worker.state = "killed";
    worker.line.kill();
    worker.process.kill(isDone);
  }

  /** @param together how many of so many messages arrive at once */
  *events(together: (waiting: number) => number): Generator<Event> {
    for (const worker of this.all) {
      if (worker.state === "gone") continue;
      const { name, line, process } = worker;
      for (const [direction, arrow] of [
        [line.toPrimary, `${name} →`],
        [line.toWorker, `${name} ←`],
      ] as const) {
        if (direction.waiting.length === 0) continue;
        const count = together(direction.waiting.length);
        const heard = direction.waiting.slice(0, count).map((message) => `${arrow} ${message}`);
        yield { worker, name: heard.join("\n"), happen: () => direction.deliver(count) };
      }
      for (const call of process.calls)
        yield { worker, name: `${name}: ${call.name}${call.isDone ? " is over" : ""}`, call, happen: call.goOn };
      if (worker.state === "killed" && line.toPrimary.waiting.length === 0)
        yield { worker, name: `${name} is gone`, happen: () => this.#end(worker) };
    }
  }

  /** Lets all happen that can, but what is held up. */
  async goOn(isHeldUp: (event: Event) => boolean = () => false): Promise<void> {
    for (;;) {
      await settled();
      const next = [...this.events((waiting) => waiting)].find((event) => !isHeldUp(event));
      if (next === undefined) return;
      next.happen();
    }
  }

  /** Bytes that count at this moment. */
  async counted(): Promise<number> {
    const asking = this.#observer.worker.call(ASK_USAGE, { account: ACCOUNT, limit: LIMIT });
    await settled();
    this.#observer.toPrimary.deliver(1);
    await settled();
    this.#observer.toWorker.deliver(1);
    return (await asking).used;
  }

  #end(worker: Worker): void {
    worker.line.end();
    worker.state = "gone";
  }
}

/** Resolves when nothing can go on by itself any more. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

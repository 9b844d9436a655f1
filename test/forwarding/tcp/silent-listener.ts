import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Worker } from "node:worker_threads";

const LISTEN = `
  const { createServer } = require("node:net");
  const { parentPort, workerData } = require("node:worker_threads");
  const server = createServer().listen({ host: workerData, port: 0, backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });`;

/** A port that answers nothing, as a host behind a firewall: it accepts no connection, and its backlog is full. */
export class SilentListener implements AsyncDisposable {
  readonly port: number;
  readonly #worker: Worker;
  readonly #filling: readonly Socket[];

  private constructor(worker: Worker, port: number, filling: readonly Socket[]) {
    this.#worker = worker;
    this.port = port;
    this.#filling = filling;
  }

  static async listen(host: string): Promise<SilentListener> {
    const worker = new Worker(LISTEN, { eval: true, workerData: host });
    const [port] = await once(worker, "message");
    // The kernel keeps one more than the backlog.
    const filling = Array.from({ length: 2 }, () => connect({ host, port }));
    await Promise.all(filling.map((socket) => once(socket, "connect")));
    for (const socket of filling) socket.on("error", () => {});
    return new SilentListener(worker, port, filling);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#filling) socket.destroy();
    await this.#worker.terminate();
  }
}

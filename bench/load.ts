import { spawn } from "node:child_process";
import { join } from "node:path";
import type { LoadOrder, LoadSettings } from "./load-client.js";
import { stopChild, trackChild } from "./resources.js";

/** Clients in a process of its own. */
export interface Load {
  /** @throws {Error} when it cannot be done, or not in time */
  order(order: LoadOrder): Promise<void>;
  stop(): Promise<void>;
}

const orderTimeout = 120_000;

/** @param folder where the compiled programs are */
export function startLoad(folder: string, settings: LoadSettings): Load {
  const child = spawn(process.execPath, [join(folder, "load-client.js"), JSON.stringify(settings)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  trackChild(child);
  return {
    order(order) {
      return new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`the load did not ${order.kind} in time`)), orderTimeout);
        const ended = (status: number | null) => reject(new Error(`the load ended with ${status}`));
        child.once("exit", ended);
        child.once("message", () => {
          clearTimeout(late);
          child.off("exit", ended);
          resolve();
        });
        child.send(order);
      });
    },
    stop: () => stopChild(child),
  };
}

import { type ChildProcess, fork } from "node:child_process";
import { type ProcessEnd, ProcessLine } from "../../src/cluster/calls/process-line.js";
import { builtFile } from "../support/build.js";

type MessageListener = Parameters<ProcessEnd["off"]>[1] & ((message: unknown, handle: unknown) => void);

/** One end of a line through a process that sends all back: what is sent comes out at the other end. */
function relayedEnd(relay: ChildProcess, own: string, other: string): ProcessEnd {
  const listeners = new Map<unknown, (relayed: { to: string; message: unknown }) => void>();
  return {
    get connected() {
      return relay.connected;
    },
    send: (message, _handle, options, sent) => relay.send({ to: other, message }, undefined, options, sent),
    on(event: string, listener: MessageListener) {
      if (event !== "message") return relay.on(event, listener);
      const relayed = ({ to, message }: { to: string; message: unknown }) => to === own && listener(message, undefined);
      listeners.set(listener, relayed);
      return relay.on(event, relayed);
    },
    off(event: string, listener: MessageListener) {
      return relay.off(event, (listeners.get(listener) ?? listener) as MessageListener);
    },
  } as ProcessEnd;
}

export interface RelayedWorker {
  /** The end of the primary. */
  readonly primary: ProcessLine;
  readonly worker: ProcessLine;
  /** As if the worker were killed. */
  kill(): void;
}

/** A line of a primary and a worker, both of them in this process; what they say goes through another. */
export function relayedWorker(name: string): RelayedWorker {
  const relay = fork(builtFile("test/cluster/relay-process.ts"));
  relay.setMaxListeners(0);
  return {
    primary: new ProcessLine(relayedEnd(relay, "primary", "worker"), { peer: name }),
    worker: new ProcessLine(relayedEnd(relay, "worker", "primary"), { peer: "the primary" }),
    kill: () => void relay.kill("SIGKILL"),
  };
}

export function threeWorkers(): readonly [RelayedWorker, RelayedWorker, RelayedWorker] {
  return [relayedWorker("worker 1"), relayedWorker("worker 2"), relayedWorker("worker 3")];
}

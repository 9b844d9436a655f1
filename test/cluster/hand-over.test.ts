import { Socket } from "node:net";
import { expect, it } from "vitest";
import { HandOver } from "../../src/cluster/primary/hand-over.js";
import type { Visit } from "../../src/cluster/primary/visit.js";
import type { WorkerProcess } from "../../src/cluster/primary/worker-process.js";

const noLogger = { debug() {}, info() {}, warn() {}, error() {} };

function visit() {
  const socket = new Socket();
  const place = { released: 0, logIn: () => true, penalise: () => undefined, release: () => void place.released++ };
  return { socket, place, stay: { kind: "admitted" as const, place } };
}

it("ends connections that no worker takes any more, those on their way to one that dies among them", () => {
  const handOver = new HandOver(() => [], noLogger);
  const [waiting, underway, late] = [visit(), visit(), visit()];
  handOver.add("desk", waiting.socket, {}, waiting.stay);
  expect(waiting.socket.destroyed).toBe(false);
  handOver.close();
  const { socket, stay } = underway;
  const sent: Visit = { id: 7, desk: "desk", info: {}, head: undefined, until: 0, isUrgent: true, socket, stay };
  const worker = { takeAll: () => ({ had: [], underway: sent }) } as Partial<WorkerProcess> as WorkerProcess;
  expect(handOver.lose(worker)).toBe(0);
  handOver.add("desk", late.socket, {}, late.stay);
  for (const { socket, place } of [waiting, underway, late]) {
    expect(socket.destroyed).toBe(true);
    expect(place.released).toBe(1);
  }
});

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { ProcessLine } from "../../src/cluster/calls/process-line.js";
import { Reports } from "../../src/cluster/worker/reports.js";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

function begin() {
  const sent: unknown[] = [];
  const line = { notify: (_: unknown, value: unknown) => sent.push(value) > 0 } as Partial<ProcessLine> as ProcessLine;
  return { sent, reports: new Reports(line) };
}

function visit(reports: Reports, id: number, isUrgent: boolean): void {
  reports.taken(id, isUrgent);
  reports.loggedIn({ id, username: "ann" }, isUrgent);
  reports.gone(id, isUrgent);
}

const told = (...ids: number[]) => ({ taken: ids, loggedIn: ids.map((id) => ({ id, username: "ann" })), gone: ids });

it("tells together, within a quarter of a second, what becomes of connections whose places nobody comes for", () => {
  const { sent, reports } = begin();
  for (const id of [1, 2, 3]) {
    visit(reports, id, false);
    reports.primaryIsAwake();
    vi.advanceTimersByTime(80);
  }
  expect(sent).toEqual([]);
  vi.advanceTimersByTime(10);
  expect(sent).toEqual([told(1, 2, 3)]);
});

it("tells it earlier where the primary is awake anyway", () => {
  const { sent, reports } = begin();
  visit(reports, 1, false);
  vi.advanceTimersByTime(200);
  reports.taken(2, false);
  reports.primaryIsAwake();
  expect(sent).toEqual([{ ...told(1), taken: [1, 2] }]);
  vi.advanceTimersByTime(1000);
  expect(sent).toHaveLength(1);
});

it("tells at once what is urgent, many within 10 ms together", () => {
  const { sent, reports } = begin();
  for (const id of [1, 2, 3]) visit(reports, id, true);
  expect(sent).toEqual([told(1)]);
  vi.advanceTimersByTime(10);
  expect(sent).toEqual([told(1), told(2, 3)]);
});

it("lets what is urgent not wait for what is not", () => {
  const { sent, reports } = begin();
  visit(reports, 1, false);
  reports.taken(2, true);
  vi.advanceTimersByTime(10);
  expect(sent).toEqual([{ ...told(1), taken: [1, 2] }]);
});

it("tells at once what becomes of connections whose places somebody may come for by now", () => {
  const { sent, reports } = begin();
  reports.taken(1, false);
  visit(reports, 2, false);
  reports.hurry();
  expect(sent).toEqual([{ ...told(2), taken: [1, 2] }]);
  vi.advanceTimersByTime(10);
  reports.gone(1, false);
  expect(sent).toHaveLength(2);
  visit(reports, 3, false);
  expect(sent).toHaveLength(2);
});

it("takes a connection that has waited, and has a lower number, for no reason to let later ones wait", () => {
  const { sent, reports } = begin();
  reports.taken(7, false);
  reports.taken(5, true);
  reports.hurry();
  vi.advanceTimersByTime(10);
  reports.gone(7, false);
  expect(sent).toHaveLength(2);
});

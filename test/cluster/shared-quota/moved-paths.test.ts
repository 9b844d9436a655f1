import { expect, it } from "vitest";
import type { Hold } from "../../../src/cluster/ledgers/counted-entry.js";
import { PrimaryAccount } from "../../../src/cluster/ledgers/primary-account.js";
import { VISIT } from "../../../src/cluster/ledgers/quota-operations.js";
import { SimulatedLine } from "./simulated-line.js";

it("a worker is not asked to look at a path longer than any message may hold, which a renamed directory makes", async () => {
  const line = new SimulatedLine("worker");
  const visited: (readonly string[])[] = [];
  line.worker.hear(VISIT, ({ paths }) => void visited.push(paths));
  const account = new PrimaryAccount("account");
  const { signal } = new AbortController();
  const open = () => account.open(line.primary, { account: "account", limit: 1e6, used: 0, warnAt: undefined }, signal);
  const leave = async (number: number, path: string) => {
    const hold: Hold = { line: line.primary, number, limit: 1e6, entry: undefined, isLeaving: false };
    await account.hold(hold, `identity ${number}`, path, signal);
    account.looked(hold, { size: 5, isUnnamed: false });
    account.leave(hold, undefined, true);
  };
  await open();
  await leave(1, `/a/${"x".repeat(4000)}`);
  await leave(2, "/a/short");
  account.moved(line.primary, "/a", `/${"b".repeat(200)}`);
  await open();
  line.toWorker.deliver(10);
  expect(line.worker.signal.aborted).toBe(false);
  expect(visited.flat()).toEqual(Array(2).fill(`/${"b".repeat(200)}/short`));
});

import { PassThrough } from "node:stream";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type SessionChannel, startProgram } from "../../src/session/session-channel.js";
import { EXIT_STATUS_TIME } from "../../src/session/session-program.js";
import { openTestChannel, outputOf, settled, type TestLink } from "../connection/test-channel.js";
import { extent } from "../support/extent.js";

/** Everything that a program, or its client, can do, in any order. */
const ACTIONS = {
  write: (channel) => channel.write("out"),
  "write to stderr": (channel) => channel.stderr.write("err"),
  "pipe into stderr": (channel) => new PassThrough().end("piped").pipe(channel.stderr),
  "end stderr": (channel) => channel.stderr.end(),
  status: (channel) => channel.sendExitStatus(7),
  signal: (channel) => channel.sendExitSignal("TERM"),
  EOF: (channel) => channel.sendEof(),
  end: (channel) => channel.end(),
  close: (channel) => channel.close(),
  read: (channel) => {
    channel.resume();
    return settled();
  },
  window: (channel) => outputOf(channel).adjustWindow(4),
  wait: () => settled(),
  "wait for a second": () => vi.advanceTimersByTimeAsync(EXIT_STATUS_TIME),
} satisfies Record<string, (channel: SessionChannel) => unknown>;

const ANSWERS = {
  true: () => true,
  false: () => false,
  throw: () => {
    throw new Error("broken");
  },
} satisfies Record<string, () => boolean>;

const actions = fc.array(fc.constantFrom(...(Object.keys(ACTIONS) as (keyof typeof ACTIONS)[])), { maxLength: 12 });

const isOutput = (message: string) => /^(data|stderr) /.test(message);
const isReport = (message: string) => message.startsWith("exit-");

function expectOrder({ received }: TestLink, does: readonly string[]): void {
  const eof = received.indexOf("EOF");
  const close = received.indexOf("CLOSE");
  if (close !== -1) expect(received.slice(close)).toEqual(["CLOSE"]);
  if (eof !== -1) expect(received.slice(eof).filter(isOutput)).toEqual([]);
  expect(received.filter((message) => message === "EOF").length).toBeLessThanOrEqual(1);
  if (eof !== -1 && !does.includes("EOF")) expect(received.slice(eof).filter(isReport)).toEqual([]);
}

describe("whatever a program does, and in whichever order", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
  afterEach(() => void vi.useRealTimers());

  it("its messages come in their order, and a program that has ended is closed", async () => {
    await fc.assert(
      fc.asyncProperty(
        actions,
        fc.constantFrom(...(Object.keys(ANSWERS) as (keyof typeof ANSWERS)[])),
        actions,
        async (before, answer, later) => {
          const { channel, link } = openTestChannel({ windowSize: 5 });
          channel.on("error", () => {});
          channel.stderr.on("error", () => {});
          const failures: unknown[] = [];
          const decide = async () => {
            for (const action of before) await ACTIONS[action](channel);
            return ANSWERS[answer]();
          };
          const report = {
            refusedLate: () => failures.push("refused"),
            failedLate: (error: unknown) => failures.push(error),
          };
          const begun = before.some((action) => !["window", "wait", "wait for a second"].includes(action));
          const reply = await Promise.resolve(startProgram(channel, decide, report)).catch(() => "thrown");
          expect(reply).toBe(begun || answer === "true" ? true : answer === "false" ? false : "thrown");
          for (let round = 0; round < 20; round++) await settled();
          if (reply === true) for (const action of later) await ACTIONS[action](channel);
          outputOf(channel).adjustWindow(10_000);
          await settled();
          await vi.advanceTimersByTimeAsync(EXIT_STATUS_TIME);
          await settled();
          const does = [...before, ...(reply === true ? later : [])];
          expectOrder(link, does);
          const ended =
            (does.includes("end") || does.includes("close") || (begun && answer !== "true")) && reply === true;
          expect(link.received.at(-1) === "CLOSE", `${link.received}`).toBe(ended);
          if (begun && answer !== "true") expect(failures).toHaveLength(1);
          if (ended && !does.includes("close")) expect(link.received.filter(isReport).length).toBeGreaterThanOrEqual(1);
          expect(channel.writableLength).toBe(0);
        },
      ),
      { numRuns: extent(200, 5000) },
    );
  });
});

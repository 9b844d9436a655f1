import { Socket } from "node:net";
import { fields, integer, nothing, text } from "../../src/cluster/calls/message-checks.js";
import type { Notice, Operation } from "../../src/cluster/calls/operation.js";
import { ProcessLine } from "../../src/cluster/calls/process-line.js";

// The other end of a line: it answers well, badly, late or never, and breaks the rules when it is told to.

export const DOUBLE: Operation<number, number> = { name: "double", request: integer(0), answer: integer(0) };
/** Waits for as long as it is told to, milliseconds. */
export const WAIT: Operation<number, string> = { name: "wait", request: integer(0), answer: text(10) };
/** Is answered after `GO`. */
export const LATER: Operation<undefined, undefined> = { name: "later", request: nothing, answer: nothing };
export const GO: Notice<undefined> = { name: "go", value: nothing };
export const FAIL: Operation<undefined, undefined> = { name: "fail", request: nothing, answer: nothing };
/** Answers with another type than it should. */
export const LIE: Operation<undefined, undefined> = { name: "lie", request: nothing, answer: nothing };
/** How many waits were ended because nobody waited for them any more. */
export const ABANDONED: Operation<undefined, number> = { name: "abandoned", request: nothing, answer: integer(0) };
/** Writes into a socket and ends it. */
export const GREET: Notice<{ readonly word: string }> = { name: "greet", value: fields({ word: text(100) }) };
export const MISBEHAVE: Notice<string> = { name: "misbehave", value: text(100) };
export const COUNT: Notice<number> = { name: "count", value: integer(0) };
/** What it has counted, of `COUNT`. */
export const COUNTED: Operation<undefined, number> = { name: "counted", request: nothing, answer: integer(0) };

if (process.send !== undefined && process.argv[1]?.includes("line-process")) answerAll();

function answerAll(): void {
  let abandoned = 0;
  let counted = 0;
  const line = new ProcessLine(process, { peer: "the parent" });
  line.answer(DOUBLE, (value) => 2 * value);
  line.answer(WAIT, async (time, { signal }) => {
    signal.addEventListener("abort", () => abandoned++);
    await new Promise((resolve) => setTimeout(resolve, time));
    return "waited";
  });
  let go = () => {};
  const gone = new Promise<undefined>((resolve) => {
    go = () => resolve(undefined);
  });
  line.answer(LATER, () => gone);
  line.hear(GO, () => go());
  line.answer(FAIL, () => {
    throw new Error("it cannot be done");
  });
  line.answer(LIE as Operation<undefined, unknown>, () => "a lie");
  line.answer(ABANDONED, () => abandoned);
  line.hear(GREET, ({ word }, handle) => {
    if (handle instanceof Socket) handle.end(`hello ${word}`);
  });
  line.answer(COUNTED, () => counted);
  line.hear(COUNT, () => counted++);
  line.hear(MISBEHAVE, misbehave);
}

function misbehave(how: string): void {
  const send = (message: object) => process.send?.(message);
  if (how === "leave") process.disconnect();
  if (how === "stop reading") process.kill(process.pid, "SIGSTOP");
  if (how === "answer nothing asked") send({ spindlex: "answer", id: 99_999, value: 1 });
  if (how === "kind") send({ spindlex: "surprise", id: 1 });
  if (how === "id") send({ spindlex: "call", id: -1, name: "double", value: 1 });
  if (how === "request") send({ spindlex: "call", id: 1, name: "double", value: "2" });
  if (how === "value of a notice") send({ spindlex: "notice", name: "count", value: -1 });
  if (how === "ask without end") {
    for (let id = 1; id <= 5000; id++) send({ spindlex: "call", id, name: "never", value: undefined });
  }
  if (how === "flood") flood();
}

/** As fast as the other process reads. */
function flood(): void {
  const notice = { spindlex: "notice", name: "count", value: 1 };
  for (let count = 0; count < 1000; count++) process.send?.(notice);
  process.send?.(notice, undefined, {}, (error) => {
    if (error === null) setImmediate(flood);
  });
}

import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import { GatheredReads, READ_LENGTH } from "../../../src/process/terminal/gathered-reads.js";

/** Linux keeps one byte of its block free. */
const FULL = READ_LENGTH - 1;

/** Reads as Node.js does: into the block that was asked for when the last piece was received. */
function gatheredReads(): { readonly read: (letter: string, length: number) => void; readonly given: string[] } {
  const given: string[] = [];
  const reads = new GatheredReads((bytes) => {
    const text = bytes.toString("latin1");
    given.push(text.replace(/(.)\1*/g, (run, letter) => `${letter}${run.length} `).trim());
  });
  let block = reads.block();
  const read = (letter: string, length: number) => {
    block.fill(letter.charCodeAt(0), 0, length);
    expect(reads.received(length, block)).toBe(true);
    block = reads.block();
    expect(block).toHaveLength(READ_LENGTH);
  };
  return { read, given };
}

it("what is not a full piece is given at once", () => {
  const { read, given } = gatheredReads();
  read("a", 1);
  read("b", FULL - 1);
  expect(given).toEqual(["a1", `b${FULL - 1}`]);
});

it("what follows a full piece is gathered while each turn brings more, and given in the first that does not", async () => {
  const { read, given } = gatheredReads();
  read("a", FULL);
  await nextTurn();
  read("b", 10);
  await nextTurn();
  read("c", FULL);
  await nextTurn();
  expect(given).toEqual([]);
  await nextTurn();
  expect(given).toEqual([`a${FULL} b10 c${FULL}`]);
});

it("as much as goes into a packet is given at once", () => {
  const { read, given } = gatheredReads();
  for (const letter of "abcdefghij") read(letter, READ_LENGTH);
  expect(given).toEqual(["a4096 b4096 c4096 d4096 e4096 f4096 g4096 h4096"]);
});

it("nothing is given twice, or before what came before it", async () => {
  const { read, given } = gatheredReads();
  read("a", FULL);
  for (let turn = 0; turn < 3; turn++) await nextTurn();
  read("b", 5);
  read("c", FULL);
  read("d", 7);
  for (let turn = 0; turn < 3; turn++) await nextTurn();
  read("e", FULL);
  for (let turn = 0; turn < 3; turn++) await nextTurn();
  expect(given).toEqual([`a${FULL}`, "b5", `c${FULL} d7`, `e${FULL}`]);
});

it("two terminals never have the same memory", async () => {
  const [first, second] = [gatheredReads(), gatheredReads()];
  for (let round = 0; round < 3; round++) {
    first.read("a", FULL);
    second.read("b", FULL);
    for (let turn = 0; turn < 3; turn++) await nextTurn();
    first.read("c", 1);
    second.read("d", FULL);
    first.read("e", FULL);
    for (let turn = 0; turn < 3; turn++) await nextTurn();
    second.read("f", 1);
  }
  expect(first.given).toEqual(Array.from({ length: 3 }, () => [`a${FULL}`, "c1", `e${FULL}`]).flat());
  expect(second.given).toEqual(Array.from({ length: 3 }, () => [`b${FULL}`, `d${FULL}`, "f1"]).flat());
});

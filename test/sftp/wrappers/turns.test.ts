import { describe, expect, it } from "vitest";
import { Turns } from "../../../src/sftp/wrappers/turns.js";

describe("Turns", () => {
  it("runs alone what has to, and together what may", async () => {
    const turns = new Turns();
    const log: string[] = [];
    const operation = (name: string) => async () => {
      log.push(`${name} begins`);
      for (let turn = 0; turn < 5; turn++) await undefined;
      log.push(`${name} ends`);
    };
    await Promise.all([
      turns.together(operation("a")),
      turns.together(operation("b")),
      turns.alone(operation("C")),
      turns.alone(operation("D")),
      turns.together(operation("e")),
      turns.together(operation("f")),
    ]);
    const both = (one: string, other: string) => [`${one} begins`, `${other} begins`, `${one} ends`, `${other} ends`];
    const alone = (name: string) => [`${name} begins`, `${name} ends`];
    expect(log).toEqual([...both("a", "b"), ...alone("C"), ...alone("D"), ...both("e", "f")]);
  });

  it("goes on after what fails, and tells who asked", async () => {
    const turns = new Turns();
    const failing = () => Promise.reject(new Error("failed"));
    const outcomes = [
      turns.together(failing),
      turns.alone(failing),
      turns.together(async () => 1),
      turns.alone(async () => 2),
    ];
    expect((await Promise.allSettled(outcomes)).map(({ status }) => status)).toEqual([
      "rejected",
      "rejected",
      "fulfilled",
      "fulfilled",
    ]);
  });
});

import { describe, expect, it } from "vitest";
import { SharedLock } from "../../../src/files/wrappers/shared-lock.js";

describe("SharedLock", () => {
  it("runs alone what has to, and together what may", async () => {
    const lock = new SharedLock();
    const log: string[] = [];
    const operation = (name: string) => async () => {
      log.push(`${name} begins`);
      for (let turn = 0; turn < 5; turn++) await undefined;
      log.push(`${name} ends`);
    };
    await Promise.all([
      lock.together(operation("a")),
      lock.together(operation("b")),
      lock.alone(operation("C")),
      lock.alone(operation("D")),
      lock.together(operation("e")),
      lock.together(operation("f")),
    ]);
    const both = (one: string, other: string) => [`${one} begins`, `${other} begins`, `${one} ends`, `${other} ends`];
    const alone = (name: string) => [`${name} begins`, `${name} ends`];
    expect(log).toEqual([...both("a", "b"), ...alone("C"), ...alone("D"), ...both("e", "f")]);
  });

  it("goes on after a failure, and tells the caller of it", async () => {
    const lock = new SharedLock();
    const failing = () => Promise.reject(new Error("failed"));
    const outcomes = [
      lock.together(failing),
      lock.alone(failing),
      lock.together(async () => 1),
      lock.alone(async () => 2),
    ];
    expect((await Promise.allSettled(outcomes)).map(({ status }) => status)).toEqual([
      "rejected",
      "rejected",
      "fulfilled",
      "fulfilled",
    ]);
  });
});

import { describe, expect, it } from "vitest";
import { RequiredMethods } from "../../src/auth/required-methods.js";

describe("RequiredMethods", () => {
  it("asks for one list whole, in its order", () => {
    const required = new RequiredMethods([["publickey", "password"]]);
    expect(required.next).toEqual(["publickey"]);
    expect(required.prove("password")).toBe(false);
    expect(required.next).toEqual(["publickey"]);
    expect(required.prove("publickey")).toBe(false);
    expect(required.next).toEqual(["password"]);
    expect(required.prove("password")).toBe(true);
    expect(required.next).toBeUndefined();
  });

  it("goes on with every list that a method leads into", () => {
    const required = new RequiredMethods([
      ["publickey", "password"],
      ["publickey", "keyboard-interactive"],
      ["password", "publickey", "password"],
    ]);
    expect(required.next).toEqual(["publickey", "password"]);
    required.prove("publickey");
    expect(required.next).toEqual(["password", "keyboard-interactive"]);
    expect(required.prove("keyboard-interactive")).toBe(true);
  });

  it("counts a method as often as a list names it", () => {
    const required = new RequiredMethods([["publickey", "publickey"]]);
    expect([required.prove("publickey"), required.prove("publickey")]).toEqual([false, true]);
  });

  it.each([[[]], [[[]]]])("lets nobody in without a list: %j", (lists) => {
    const required = new RequiredMethods(lists);
    expect(required.next).toEqual([]);
    expect(required.prove("password")).toBe(false);
  });
});

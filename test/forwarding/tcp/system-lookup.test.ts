import { describe, expect, it } from "vitest";
import { maxLookups, systemLookups } from "../../../src/forwarding/tcp/system-lookup.js";

const { signal } = new AbortController();

describe("systemLookups", () => {
  it("is one queue, of what the operating system knows", async () => {
    expect(systemLookups()).toBe(systemLookups());
    expect(await systemLookups().find("localhost", {}, signal)).toContain("127.0.0.1");
    await expect(systemLookups().find("name.invalid", {}, signal)).rejects.toMatchObject({ syscall: "getaddrinfo" });
  });

  it.each([
    [undefined, 2],
    ["1", 1],
    ["2", 1],
    ["4", 2],
    ["5", 2],
    ["6", 2],
    ["8", 3],
    ["16", 7],
    ["0", 1],
    ["-8", 1],
    ["many", 1],
  ])("takes a part of the threads: of %s, %d", (size, expected) => {
    expect(maxLookups(size)).toBe(expected);
  });
});

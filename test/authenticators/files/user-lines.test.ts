import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseUserLines } from "../../../src/authenticators/files/user-lines.js";

const FORMAT = {
  kind: "test file",
  form: "name:value",
  parse(value: string) {
    if (!value.startsWith("ok")) throw new Error("it is not ok");
    return value;
  },
};
const parse = (text: string) => parseUserLines(text, FORMAT);

describe("parseUserLines", () => {
  it("reads users, one a line, between comments", () => {
    const { users, refused } = parse("# users\r\n\nann:ok 1\r\n  bob smith:ok:2  \n#eve:ok\n");
    expect([...users]).toEqual([
      ["ann", "ok 1"],
      ["bob smith", "ok:2"],
    ]);
    expect(refused).toEqual([]);
  });

  it.each([
    ["ann", "it is not name:value"],
    ["ann:", "it is not name:value"],
    ["an\ufffdn:ok", "the name is not UTF-8"],
    ["an\u0000n:ok", "the line holds a NUL"],
    ["an\u0001n:ok", "it is not name:value"],
    [":ok", "it is not name:value"],
    ["ann::ok", "it is not ok"],
    ["ann:secret", "it is not ok"],
  ])("lets nobody in with the line %j", (line, reason) => {
    const { users, refused } = parse(`bob:ok\n${line}\n`);
    expect([...users.keys()]).toEqual(["bob"]);
    expect(refused).toEqual([{ line: 2, reason }]);
  });

  it("lets in nobody who has several lines, whatever is in them", () => {
    const { users, refused } = parse("ann:ok\nbad\nbob:ok\nann:locked\n");
    expect([...users.keys()]).toEqual(["bob"]);
    expect(refused).toEqual([
      { line: 1, reason: "there is another line for this user" },
      { line: 2, reason: "it is not name:value" },
      { line: 4, reason: "there is another line for this user" },
    ]);
  });

  it("lets in nobody when there are so many bad lines that not all are read", () => {
    const { users, refused } = parse(`ann:ok\n${"bad\n".repeat(1000)}ann:locked\n`);
    expect([...users]).toEqual([]);
    expect(refused).toHaveLength(1001);
    expect(parse(`ann:ok\n${"bad\n".repeat(1000)}`).users.size).toBe(1);
  });

  const name = fc.stringMatching(/^[a-z0-9_.@-]{1,8}$/);

  it("gives each user their own line, and no other, whatever else is in the file", () => {
    const noise = fc.string().map((text) => text.replaceAll("\n", " "));
    const users = fc.uniqueArray(fc.tuple(name, fc.nat()), { selector: ([user]) => user, maxLength: 20 });
    fc.assert(
      fc.property(users, fc.array(noise), (entries, others) => {
        const foreign = others.filter((text) => !entries.some(([user]) => text.trim().startsWith(`${user}:`)));
        const text = [...foreign, ...entries.map(([user, value]) => `${user}:ok ${value}`)].join("\n");
        const { users: parsed, refused } = parse(text);
        for (const [user, value] of entries) expect(parsed.get(user)).toBe(`ok ${value}`);
        for (const { line } of refused) expect(line).toBeLessThanOrEqual(foreign.length);
      }),
    );
  });

  it("opens nothing more when a line is damaged", () => {
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1 }), fc.nat(), fc.string(), (names, at, damage) => {
        const lines = names.map((user) => `${user}:ok ${user}`);
        const broken = at % lines.length;
        const damaged = lines.with(broken, damage.replaceAll("\n", " "));
        for (const [user, value] of parse(damaged.join("\n")).users) {
          // Either the line of this very user, or what the damaged line itself says.
          const isOwn = value === `ok ${user}` && names.includes(user);
          const isDamage = damage.replaceAll("\n", " ").trim().startsWith(`${user}:`);
          expect(isOwn || isDamage).toBe(true);
        }
      }),
    );
  });
});

import { describe, expect, it } from "vitest";
import { logLine } from "../../src/base/log-line.js";

const time = new Date(0);
const START = "1970-01-01T00:00:00.000Z warn said";

const line = (fields: object) => logLine(time, "warn", "said", fields);

describe("a line of the log", () => {
  it("has the time, the level and the message, and then the fields that are there", () => {
    expect(line({})).toBe(START);
    expect(line({ connection: 1, remoteAddress: "::1", username: undefined, isLate: true, nothing: null })).toBe(
      `${START} connection=1 remoteAddress=::1 isLate=true nothing=null`,
    );
  });

  it("quotes texts that are not plain, and escapes what would end them or hide something", () => {
    expect(line({ reason: "not a target" })).toBe(`${START} reason="not a target"`);
    expect(line({ name: 'a" x=1\\', empty: "" })).toBe(`${START} name="a\\" x=1\\\\" empty=""`);
    expect(line({ name: "a\nb\x1b[2J\u202e" })).toBe(`${START} name="a\\u{a}b\\u{1b}[2J\\u{202e}"`);
    expect(logLine(time, "warn", "said\n", {})).toBe(`${START}\\u{a}`);
  });

  it("has objects as JSON", () => {
    expect(line({ refused: { "env: refused": 2 }, methods: ["password"] })).toBe(
      `${START} refused={"env: refused":2} methods=["password"]`,
    );
    expect(line({ odd: { text: "\u202e" } })).toBe(`${START} odd={"text":"\\u{202e}"}`);
  });

  it("cuts what is long", () => {
    expect(line({ name: "x".repeat(1e6) }).length).toBeLessThan(5000);
    expect(line({ names: new Array(1e5).fill("x") }).length).toBeLessThan(5000);
  });

  it("has the stack of an error under it, indented, without the message a second time", () => {
    const error = new TypeError("one\n    at two");
    error.stack = "TypeError: one\n    at two\n    at hook (file.ts:1:2)\n    at library (\u202e.ts:3:4)";
    expect(line({ err: error }).split("\n")).toEqual([
      `${START} err="TypeError: one\\u{a}    at two"`,
      "    at hook (file.ts:1:2)",
      "    at library (\\u{202e}.ts:3:4)",
    ]);
  });

  it("has the causes of an error, as far as they say something", () => {
    const cause = Object.assign(new Error(""), { code: "ECONNREFUSED", stack: undefined });
    const error = new Error("no database", { cause });
    error.stack = "Error: no database\n    at hook (file.ts:1:2)";
    expect(line({ err: error }).split("\n")).toEqual([
      `${START} err="Error: no database"`,
      "    at hook (file.ts:1:2)",
      '  caused by "Error (ECONNREFUSED)"',
    ]);
    error.cause = error;
    expect(line({ err: error }).split("\n")).toHaveLength(10);
  });

  it("leaves out a stack that names Node.js alone: it says nothing of the program", () => {
    const refused = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:5432"), { code: "ECONNREFUSED" });
    refused.stack = `Error: ${refused.message}\n    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1611:16)\n    at node:internal/timers:1:2`;
    expect(line({ err: refused })).toBe(`${START} err="Error: connect ECONNREFUSED 127.0.0.1:5432"`);
    refused.stack += "\n    at hook (file.ts:1:2)";
    expect(line({ err: refused }).split("\n")).toHaveLength(4);
  });

  it("cuts a stack", () => {
    const error = new Error("deep");
    error.stack = `Error: deep${"\n    at hook (file.ts:1:2)".repeat(1000)}`;
    const lines = line({ err: error }).split("\n");
    expect(lines).toHaveLength(26);
    expect(lines.at(-1)).toBe("    …");
  });

  it("bears whatever a hook has thrown", () => {
    const hostile = new Proxy(new Error("odd"), {
      get: () => {
        throw new Error("not to be read");
      },
    });
    const circle: object[] = [];
    circle.push(circle);
    expect(line({ err: undefined })).toBe(`${START} err=undefined`);
    expect(line({ err: "thrown" })).toBe(`${START} err=thrown`);
    expect(line({ err: hostile })).toBe(`${START} err=[unreadable]`);
    expect(line({ err: circle })).toBe(`${START} err=[unreadable]`);
    expect(line({ err: Symbol("odd") })).toBe(`${START} err="Symbol(odd)"`);
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    expect(line({ err: revoked.proxy })).toBe(`${START} err=[unreadable]`);
    expect(line({ err: Object.create(null) })).toBe(`${START} err={}`);
    expect(line({ err: () => {} })).toContain("err=");
  });
});

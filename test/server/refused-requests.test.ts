import { describe, expect, it, vi } from "vitest";
import { CountedMessages } from "../../src/base/counted-messages.js";
import { decodeGlobalRequest, encodeGlobalRequest } from "../../src/protocol/messages/requests.js";
import { Writer } from "../../src/protocol/writer.js";
import { RefusedRequests } from "../../src/server/refused-requests.js";

function start() {
  const first = vi.fn();
  const counted = new CountedMessages(first);
  const requests = new RefusedRequests(counted);
  const refuse = (kind: string, fields: Uint8Array = Buffer.alloc(0), remedy?: string) =>
    requests.onChannel(decodeGlobalRequest(encodeGlobalRequest(kind, "wanted", fields)))("refused", remedy);
  return { first, counted, requests, refuse };
}

const variable = (name: string) => new Writer().writeString(name).writeString("C").toBuffer();

describe("requests that are refused", () => {
  it("are a line at the first of each kind, and are all counted", () => {
    const { first, counted, refuse } = start();
    for (const kind of ["exec", "shell", "exec"]) refuse(kind);
    expect(first.mock.calls).toEqual([
      ["channel request exec: refused", { request: "exec" }, "info"],
      ["channel request shell: refused", { request: "shell" }, "info"],
    ]);
    expect(counted.counts).toEqual({ "channel request exec: refused": 2, "channel request shell: refused": 1 });
  });

  it("tell the command", () => {
    const { first, refuse } = start();
    refuse("exec", new Writer().writeString("id\n").toBuffer(), "declare session");
    const details = { request: "exec", command: "id\\u{a}", remedy: "declare session" };
    expect(first.mock.calls).toEqual([["channel request exec: nothing allows it", details, "warn"]]);
  });

  it("are warnings with a remedy where nothing allows them", () => {
    const { first, counted, requests, refuse } = start();
    refuse("pty-req", Buffer.alloc(0), "override it");
    requests.global("odd", "override that");
    expect(first.mock.calls).toEqual([
      ["channel request pty-req: nothing allows it", { request: "pty-req", remedy: "override it" }, "warn"],
      ["global request of another kind: nothing allows it", { request: "odd", remedy: "override that" }, "warn"],
    ]);
    expect(Object.values(counted.counts ?? {})).toEqual([1, 1]);
  });

  it("are not warnings where clients send them unasked", () => {
    const { first, requests, refuse } = start();
    for (const kind of ["window-change", "winadj@example.com", "auth-agent-req@openssh.com"]) {
      refuse(kind, Buffer.alloc(0), "override it");
    }
    refuse("env", variable("LANG"), "override it");
    requests.global("x@example.com", "override it");
    expect(first.mock.calls.map(([, , level]) => level)).toEqual(["debug", "debug", "info", "debug", "debug"]);
  });

  it.each(["LANG", "LC_ALL", "COLORTERM"])(
    "are a line at debug level where every client sends them: the variable %s",
    (name) => {
      const { first, refuse } = start();
      refuse("env", variable(name));
      expect(first.mock.calls).toEqual([[expect.any(String), { request: "env", variable: name }, "debug"]]);
      refuse("env", variable("PATH\n"));
      expect(first).toHaveBeenLastCalledWith(expect.any(String), { request: "env", variable: "PATH\\u{a}" }, "info");
    },
  );

  it("may be malformed where they mean nothing", () => {
    const { first, refuse } = start();
    refuse("env", Buffer.alloc(3));
    expect(first.mock.calls).toEqual([["channel request env: refused", { request: "env" }, "info"]]);
  });

  it("of unknown kinds are counted together, and are lines at debug level where they have a domain", () => {
    const { first, counted, requests, refuse } = start();
    for (let index = 0; index < 100; index++) refuse(`winadj@${index}.example.com`);
    for (let index = 0; index < 100; index++) requests.global(`x${index}@example.com`);
    expect(first.mock.calls.map(([, , level]) => level)).toEqual(["debug", "debug"]);
    expect(Object.values(counted.counts ?? {})).toEqual([100, 100]);
    refuse("odd");
    expect(first).toHaveBeenLastCalledWith(expect.any(String), { request: "odd" }, "info");
  });
});

import { describe, expect, it } from "vitest";
import { systemdSockets } from "../../../src/index.js";

const PID = String(process.pid);
const blame = (option: string, message: RegExp) =>
  expect.objectContaining({ name: "ConfigurationError", option, message: expect.stringMatching(message) });

describe("systemdSockets", () => {
  it("are those that were opened for this process, with their names", () => {
    expect(systemdSockets({ LISTEN_PID: PID, LISTEN_FDS: "2", LISTEN_FDNAMES: "ssh.socket:admin" })).toEqual([
      { fd: 3, name: "ssh.socket" },
      { fd: 4, name: "admin" },
    ]);
    expect(systemdSockets({ LISTEN_PID: PID, LISTEN_FDS: "1" })).toEqual([{ fd: 3 }]);
  });

  it("are none where there are none, or those of another process", () => {
    expect(systemdSockets({})).toEqual([]);
    expect(systemdSockets({ LISTEN_PID: PID, LISTEN_FDS: "0" })).toEqual([]);
    expect(systemdSockets({ LISTEN_PID: "1", LISTEN_FDS: "2" })).toEqual([]);
    expect(systemdSockets({ LISTEN_FDS: "2" })).toEqual([]);
  });

  it("are told once: the variables are gone, whatever they were", () => {
    for (const pid of [PID, "1", "x"]) {
      const environment = { LISTEN_PID: pid, LISTEN_FDS: "1", LISTEN_FDNAMES: "x", LISTEN_PIDFDID: "7", HOME: "/" };
      expect([0, 1]).toContain(attempt(environment));
      expect(environment).toEqual({ HOME: "/" });
      expect(systemdSockets(environment)).toEqual([]);
    }
  });

  it("are the same each time for the environment of the process", () => {
    Object.assign(process.env, { LISTEN_PID: PID, LISTEN_FDS: "1", LISTEN_FDNAMES: "ssh" });
    for (let call = 0; call < 2; call++) expect(systemdSockets()).toEqual([{ fd: 3, name: "ssh" }]);
    expect(Object.keys(process.env).filter((name) => name.startsWith("LISTEN_"))).toEqual([]);
  });

  it.each([
    ["LISTEN_PID", { LISTEN_PID: "x", LISTEN_FDS: "1" }],
    ["LISTEN_PID", { LISTEN_PID: "", LISTEN_FDS: "1" }],
    ["LISTEN_FDS", { LISTEN_PID: PID }],
    ["LISTEN_FDS", { LISTEN_PID: PID, LISTEN_FDS: "" }],
    ["LISTEN_FDS", { LISTEN_PID: PID, LISTEN_FDS: "-1" }],
    ["LISTEN_FDS", { LISTEN_PID: PID, LISTEN_FDS: "1.5" }],
    ["LISTEN_FDS", { LISTEN_PID: PID, LISTEN_FDS: "1e1" }],
    ["LISTEN_FDS", { LISTEN_PID: PID, LISTEN_FDS: "65" }],
    ["LISTEN_FDS", { LISTEN_PID: PID, LISTEN_FDS: "99999999999999999999" }],
    ["LISTEN_FDNAMES", { LISTEN_PID: PID, LISTEN_FDS: "1", LISTEN_FDNAMES: "a:b" }],
    ["LISTEN_FDNAMES", { LISTEN_PID: PID, LISTEN_FDS: "2", LISTEN_FDNAMES: "a" }],
  ])("refuse %s of %j", (variable, environment) => {
    expect(() => systemdSockets({ ...environment })).toThrow(blame(variable, /./));
  });
});

function attempt(environment: NodeJS.ProcessEnv): number {
  try {
    return systemdSockets(environment).length;
  } catch {
    return 0;
  }
}

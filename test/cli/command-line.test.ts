import { describe, expect, it } from "vitest";
import { parseCommandLine } from "../../src/cli/command-line.js";
import { UsageError } from "../../src/cli/errors.js";

const DEFAULTS = { port: 2222, host: "127.0.0.1", allowExec: false, logLevel: "info", json: false };

describe("parseCommandLine", () => {
  it("gives serve safe defaults", () => {
    expect(parseCommandLine(["serve"])).toEqual({ command: "serve", options: DEFAULTS });
  });

  it("reads every option of serve", () => {
    const args =
      "serve --port 0 --host ::1 --user ann --authorized-keys a --host-key=h --allow-exec --log-level debug --json";
    expect(parseCommandLine(args.split(" "))).toEqual({
      command: "serve",
      options: {
        port: 0,
        host: "::1",
        user: "ann",
        authorizedKeys: "a",
        hostKey: "h",
        allowExec: true,
        logLevel: "debug",
        json: true,
      },
    });
  });

  it.each([
    { args: ["--help"], topic: "general" },
    { args: ["-h"], topic: "general" },
    { args: ["help"], topic: "general" },
    { args: ["help", "serve"], topic: "serve" },
    { args: ["serve", "--help"], topic: "serve" },
    { args: ["serve", "--port", "1", "-h"], topic: "serve" },
  ])("shows $topic help for $args", ({ args, topic }) => {
    expect(parseCommandLine(args)).toEqual({ command: "help", topic });
  });

  it("tells the version", () => {
    expect(parseCommandLine(["--version"])).toEqual({ command: "version" });
  });

  it.each([
    { args: [], message: "a command is missing (see spindlex --help)" },
    { args: ["server"], message: "unknown command 'server' (see spindlex --help)" },
    { args: ["serve", "--prot", "22"], message: "Unknown option '--prot' (see spindlex serve --help)" },
    { args: ["serve", "--port", "65536"], message: "--port is '65536', not a number from 0 to 65535" },
    { args: ["serve", "--port", "22a"], message: "--port is '22a', not a number from 0 to 65535" },
    { args: ["serve", "--port", ""], message: "--port is '', not a number from 0 to 65535" },
    { args: ["serve", "--port=-1"], message: "--port is '-1', not a number from 0 to 65535" },
    { args: ["serve", "--host", ""], message: "--host is empty" },
    { args: ["serve", "--user", "a\nb"], message: "--user holds a control character" },
    {
      args: ["serve", "--log-level", "loud"],
      message: "--log-level is 'loud', not one of error, warn, info, debug, silent",
    },
  ])("refuses $args", ({ args, message }) => {
    expect(() => parseCommandLine(args)).toThrow(new UsageError(message));
  });

  it.each([[["serve", "extra"]], [["serve", "--json=yes"]], [["serve", "--port"]]])(
    "refuses %j in one line with a hint",
    (args) => {
      expect(() => parseCommandLine(args)).toThrow(/^[^\n]+ \(see spindlex serve --help\)$/);
    },
  );
});

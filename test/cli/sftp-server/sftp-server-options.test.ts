import { describe, expect, it } from "vitest";
import { UsageError } from "../../../src/cli/errors.js";
import { parseSFTPServer } from "../../../src/cli/sftp-server/sftp-server-options.js";

const DEFAULTS = { log: "syslog", facility: "AUTH", logLevel: "ERROR", deniedRequests: [], readOnly: false };

describe("parseSFTPServer", () => {
  it("has the defaults of sftp-server(8)", () => {
    expect(parseSFTPServer([])).toEqual(DEFAULTS);
  });

  it("reads every flag", () => {
    const args = "-d /srv/%u -e -f LOCAL3 -l VERBOSE -P remove,rmdir -p open,close -R -u 027";
    expect(parseSFTPServer(args.split(" "))).toEqual({
      startDirectory: "/srv/%u",
      log: "stderr",
      facility: "LOCAL3",
      logLevel: "VERBOSE",
      deniedRequests: ["remove", "rmdir"],
      permittedRequests: ["open", "close"],
      readOnly: true,
      umask: 0o27,
    });
  });

  it("takes flags together, values attached, and names in any case", () => {
    expect(parseSFTPServer(["-eR", "-d/srv", "-fauth", "-ldebug2", "-u0"])).toEqual({
      ...DEFAULTS,
      log: "stderr",
      readOnly: true,
      startDirectory: "/srv",
      logLevel: "DEBUG2",
      umask: 0,
    });
  });

  it("only lists requests when asked to", () => {
    expect(parseSFTPServer(["-R", "-Q", "requests"])).toBe("requests");
  });

  it.each([["%d/files"], ["/home/%u/%%d"], ["100%%"]])("takes %s as a start directory", (startDirectory) => {
    expect(parseSFTPServer(["-d", startDirectory])).toMatchObject({ startDirectory });
  });

  it.each([
    { args: ["-d", "%h/files"], message: "-d is '%h/files', and the only tokens in it are %d, %u and %%" },
    { args: ["-d", "a%%%"], message: "-d is 'a%%%', and the only tokens in it are %d, %u and %%" },
    { args: ["-d", ""], message: "-d is empty" },
    { args: ["-u", "8"], message: "-u is '8', not an octal number from 0 to 777" },
    { args: ["-u", "1000"], message: "-u is '1000', not an octal number from 0 to 777" },
    { args: ["-u", "0o22"], message: "-u is '0o22', not an octal number from 0 to 777" },
    { args: ["-Q", "ciphers"], message: "-Q is 'ciphers', not one of requests" },
    { args: ["-P", "remove", "-P", "rmdir"], message: "-P was given twice: write its values with commas" },
    { args: ["-p", "open", "-p", "close"], message: "-p was given twice: write its values with commas" },
    { args: ["-d", "/a", "-d/b"], message: "-d was given twice" },
    { args: ["-x"], message: "Unknown option '-x' (see spindlex sftp-server --help)" },
  ])("refuses $args", ({ args, message }) => {
    expect(() => parseSFTPServer(args)).toThrow(new UsageError(message));
  });

  it("ignores operands, and all behind --", () => {
    expect(parseSFTPServer(["--", "host", "sftp"])).toEqual(DEFAULTS);
    expect(parseSFTPServer(["-e", "--", "-R", "-x", "--help"])).toEqual({ ...DEFAULTS, log: "stderr" });
  });

  it("reads flags behind operands: what they forbid is not to be lost", () => {
    expect(parseSFTPServer(["operand", "-R", "-P", "remove"])).toEqual({
      ...DEFAULTS,
      readOnly: true,
      deniedRequests: ["remove"],
    });
    expect(() => parseSFTPServer(["operand", "-x"])).toThrow(UsageError);
  });

  it.each([[["-f", "MAIL"]], [["-l", "LOUD"]], [["-d"]]])("refuses %j", (args) => {
    expect(() => parseSFTPServer(args)).toThrow(UsageError);
  });
});

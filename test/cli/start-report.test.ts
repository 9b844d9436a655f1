import { describe, expect, it } from "vitest";
import { formatStartReport, formatStartReportAsJson } from "../../src/cli/start-report.js";

const REPORT = { address: "127.0.0.1", port: 2222, fingerprint: "SHA256:abc", user: "ann" };

describe("formatStartReport", () => {
  it("tells all that is needed to connect", () => {
    expect(formatStartReport({ ...REPORT, password: "xyz", trial: "hello" }).split("\n")).toEqual([
      "Listening on 127.0.0.1:2222",
      "Host key:  SHA256:abc",
      "Connect:   ssh -p 2222 ann@127.0.0.1 hello",
      "Password:  xyz (until the server stops)",
      "",
    ]);
  });

  it("has no password line when the server made none", () => {
    expect(formatStartReport(REPORT)).not.toContain("Password");
  });

  it.each([
    { address: "0.0.0.0", listening: "0.0.0.0:2222", target: "ann@localhost" },
    { address: "::", listening: "[::]:2222", target: "ann@localhost" },
    { address: "::1", listening: "[::1]:2222", target: "ann@::1" },
  ])("gives a command that works for $address", ({ address, listening, target }) => {
    const text = formatStartReport({ ...REPORT, address });
    expect(text).toContain(`Listening on ${listening}\n`);
    expect(text).toContain(`ssh -p 2222 ${target}\n`);
  });

  it("quotes a user name that a shell would take apart", () => {
    expect(formatStartReport({ ...REPORT, user: "it's me; x" })).toContain(`ssh -p 2222 'it'\\''s me; x@127.0.0.1'\n`);
  });
});

describe("formatStartReportAsJson", () => {
  it("is one line of JSON", () => {
    const text = formatStartReportAsJson({ ...REPORT, password: "xyz", trial: "hello" });
    expect(text).toMatch(/^[^\n]+\n$/);
    expect(JSON.parse(text)).toEqual({
      ...REPORT,
      password: "xyz",
      command: "ssh -p 2222 ann@127.0.0.1 hello",
    });
  });
});

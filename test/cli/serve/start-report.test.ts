import { describe, expect, it } from "vitest";
import { formatStartReport, formatStartReportAsJson } from "../../../src/cli/serve/start-report.js";

const REPORT = {
  addresses: [{ address: "127.0.0.1", port: 2222 }],
  fingerprint: "SHA256:abc",
  packetsSealedBy: "addon (OpenSSL 3.5.8)",
  user: "ann",
};

describe("formatStartReport", () => {
  it("tells all that is needed to connect", () => {
    expect(formatStartReport({ ...REPORT, password: "xyz", trial: "hello" }).split("\n")).toEqual([
      "Listening on 127.0.0.1:2222",
      "Host key:  SHA256:abc",
      "Packets:   sealed by addon (OpenSSL 3.5.8)",
      "Connect:   ssh -p 2222 ann@127.0.0.1 hello",
      "Or:        sftp -P 2222 ann@127.0.0.1 (files in memory)",
      "Password:  xyz (until the server stops)",
      "",
    ]);
  });

  it("shows all host keys", () => {
    const several = { ...REPORT, otherFingerprints: ["SHA256:def", "SHA256:ghi"] };
    expect(formatStartReport(several)).toContain(
      "Host key:  SHA256:abc\nHost key:  SHA256:def\nHost key:  SHA256:ghi\n",
    );
    expect(JSON.parse(formatStartReportAsJson(several))).toMatchObject({
      fingerprint: "SHA256:abc",
      fingerprints: ["SHA256:abc", "SHA256:def", "SHA256:ghi"],
    });
    expect(JSON.parse(formatStartReportAsJson(REPORT))).not.toHaveProperty("fingerprints");
  });

  it("has no password line when the server made none", () => {
    expect(formatStartReport(REPORT)).not.toContain("Password");
  });

  it.each([
    { address: "0.0.0.0", listening: "0.0.0.0:2222", target: "ann@localhost" },
    { address: "::", listening: "[::]:2222", target: "ann@localhost" },
    { address: "::1", listening: "[::1]:2222", target: "ann@::1" },
  ])("gives a command that works for $address", ({ address, listening, target }) => {
    const text = formatStartReport({ ...REPORT, addresses: [{ address, port: 2222 }] });
    expect(text).toContain(`Listening on ${listening}\n`);
    expect(text).toContain(`ssh -p 2222 ${target}\n`);
  });

  it("tells all addresses, and the way to the first port or a socket", () => {
    const port = { address: "127.0.0.1", port: 2222 };
    const [socket, opened] = [{ path: "/run/my socket" }, { fd: 3 }];
    const several = { ...REPORT, addresses: [socket, port, opened] };
    expect(formatStartReport(several)).toContain("Listening on /run/my socket, 127.0.0.1:2222, file descriptor 3\n");
    expect(formatStartReport(several)).toContain("Connect:   ssh -p 2222 ann@127.0.0.1\n");
    expect(JSON.parse(formatStartReportAsJson(several))).toMatchObject({ ...port, addresses: [socket, port, opened] });
    expect(JSON.parse(formatStartReportAsJson(REPORT))).not.toHaveProperty("addresses");
    const local = { ...REPORT, addresses: [{ path: "/run/x.sock" }] };
    expect(formatStartReport(local)).toContain(`ssh -o 'ProxyCommand=nc -U /run/x.sock' ann@localhost\n`);
    expect(JSON.parse(formatStartReportAsJson(local))).toMatchObject({ addresses: [{ path: "/run/x.sock" }] });
  });

  it("quotes a user name that a shell would take apart", () => {
    expect(formatStartReport({ ...REPORT, user: "it's me; x" })).toContain(`ssh -p 2222 'it'\\''s me; x@127.0.0.1'\n`);
  });
});

describe("the report on a folder", () => {
  const folder = { path: "/srv/my files", readOnly: false };

  it("tells what is served, and how to get there", () => {
    expect(formatStartReport({ ...REPORT, folder }).split("\n")).toEqual([
      "Listening on 127.0.0.1:2222",
      "Serving:   /srv/my files",
      "Host key:  SHA256:abc",
      "Packets:   sealed by addon (OpenSSL 3.5.8)",
      "Connect:   sftp -P 2222 ann@127.0.0.1",
      "",
    ]);
  });

  it.each([
    [{ readOnly: true }, "/srv/my files (read-only)"],
    [{ quota: 10 * 1024 ** 3 }, "/srv/my files (at most 10 GiB)"],
    [{ quota: 1000 }, "/srv/my files (at most 1000 bytes)"],
    [{ atomicUploads: true }, "/srv/my files (whole uploads only)"],
    [{ homes: true, quota: 1024 }, "/srv/my files (a home for each user, at most 1 KiB each)"],
    [{ atomicUploads: true, rules: "my rules.json" }, "/srv/my files (whole uploads only, rules of my rules.json)"],
    [{ homes: true, shared: [{ path: "/docs" }] }, "/srv/my files (a home for each user, /docs in all homes)"],
    [{ quota: 0 }, "/srv/my files (at most 0 bytes)"],
    [{ readOnly: true, quota: 500 * 1024 ** 2 }, "/srv/my files (read-only, at most 500 MiB)"],
    [{ path: "/a\u001b[2Jb" }, "/a?[2Jb"],
  ])("tells of %j", (details, serving) => {
    expect(formatStartReport({ ...REPORT, folder: { ...folder, ...details } })).toContain(`Serving:   ${serving}\n`);
  });

  it("writes an IPv6 address as sftp wants it", () => {
    const text = formatStartReport({ ...REPORT, folder, addresses: [{ address: "::1", port: 2222 }] });
    expect(text).toContain("Connect:   sftp -P 2222 'ann@[::1]'\n");
  });

  it("is in JSON, too", () => {
    const report = JSON.parse(formatStartReportAsJson({ ...REPORT, folder: { ...folder, quota: 5 } }));
    expect(report).toMatchObject({ folder: { ...folder, quota: 5 }, command: "sftp -P 2222 ann@127.0.0.1" });
  });
});

describe("the report on forwarding", () => {
  it.each([
    [{ local: "any" }, "ssh -L, -D, -W and -J to any host"],
    [{ local: ["db:1", "a\u001b:2"] }, "ssh -L, -D, -W and -J to db:1, a?:2"],
    [{ remote: { gatewayPorts: "yes" } }, "ssh -R from any port, on all addresses"],
    [{ remote: { gatewayPorts: "no", listen: [{ host: "*", port: "*" }] } }, "ssh -R from any port, on loopback"],
    [
      { remote: { gatewayPorts: "clientspecified", listen: [{ host: "::1", port: 8080 }] } },
      "ssh -R from [::1]:8080, on the address that the client asks for",
    ],
    [{ x11: true }, "ssh -X for programs"],
  ] as const)("tells of %j", (choice, text) => {
    const forwarding = { agent: false, x11: false, ...choice };
    const lines = formatStartReport({ ...REPORT, forwarding }).split("\n");
    expect(lines.filter((line) => line.startsWith("Forwards"))).toEqual([`Forwards:  ${text}`]);
    expect(JSON.parse(formatStartReportAsJson({ ...REPORT, forwarding }))).toMatchObject({ forwarding });
  });
});

describe("formatStartReportAsJson", () => {
  it("is one line of JSON", () => {
    const { addresses, ...rest } = REPORT;
    const text = formatStartReportAsJson({ ...REPORT, password: "xyz", trial: "hello" });
    expect(text).toMatch(/^[^\n]+\n$/);
    expect(JSON.parse(text)).toEqual({
      ...rest,
      ...addresses[0],
      password: "xyz",
      command: "ssh -p 2222 ann@127.0.0.1 hello",
    });
  });
});
